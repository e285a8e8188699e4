"""Tables of a profile that people edit row by row: rows of texts, put, moved and taken away.

Rule: a row that is not touched stays as it was written; whether the whole is right is for others to say.
Must not know: which tables there are, how anything is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from ml_connector.errors import SettingsError

Data = dict[str, Any]
Fields = dict[str, str]
CELL_MAX = 500


class Column(msgspec.Struct, frozen=True):
    """A column: its name, its heading, an example, and what it may be (empty: any text)."""

    name: str
    title: str
    example: str = ""
    choices: tuple[str, ...] = ()
    needed: bool = False


class Table(msgspec.Struct, frozen=True):
    """A table: where it is in the profile, what it says, how its entries are written.

    `ordered`: the first row that fits counts. `alone`: the columns of which no two rows have the same.
    """

    name: str
    title: str
    about: str
    place: tuple[str, ...]
    columns: tuple[Column, ...]
    entries: Callable[[Any], list[Any]]
    whole: Callable[[Sequence[Any]], Any]
    fields: Callable[[Any], Fields]
    entry: Callable[[Fields], Any]
    ordered: bool = False
    alone: tuple[str, ...] = ()

    @property
    def posting(self) -> bool:
        """Whether it is about what is posted."""
        return self.place[0] == "posting"

    def of(self, data: Mapping[str, Any]) -> list[Any]:
        """The entries in a profile."""
        found: Any = data
        for part in self.place:
            found = table_of(found).get(part, {})
        return self.entries(found)

    def put(self, data: Data, entries: Sequence[Any]) -> Data:
        """A profile with these entries instead."""
        return placed(data, self.place, self.whole(entries))

    def key(self, entry: Any) -> str:
        """What an entry is known by: its first column."""
        return self.fields(entry).get(self.columns[0].name, "")

    def identity(self, entry: Any) -> tuple[str, ...]:
        """What no other entry has."""
        fields = self.fields(entry)
        return tuple(fields.get(name, "") for name in self.alone)


def put_row(table: Table, data: Data, at: int | None, typed: Fields) -> Data:
    """A profile with a row changed, or one more. Raises: SettingsError."""
    made, entries = table.entry(_checked(table, typed)), table.of(data)
    others = [table.identity(one) for number, one in enumerate(entries) if number != at]
    if table.alone and table.identity(made) in others:
        raise SettingsError(f"{table.title}: {table.key(made)} is there already; change that row")
    if at is None or at >= len(entries):
        return table.put(data, [*entries, made])
    entries[at] = made
    return table.put(data, entries)


def remove_row(table: Table, data: Data, at: int) -> Data:
    """A profile without a row."""
    return table.put(data, [one for number, one in enumerate(table.of(data)) if number != at])


def move_row(table: Table, data: Data, at: int, to: int) -> Data:
    """A profile with a row at another place; numbers begin at 0."""
    entries = table.of(data)
    if 0 <= at < len(entries):
        entries.insert(max(0, to), entries.pop(at))
    return table.put(data, entries)


def _checked(table: Table, typed: Fields) -> Fields:
    given = {one.name: typed.get(one.name, "").strip() for one in table.columns}
    for one in table.columns:
        if one.needed and not given[one.name]:
            raise SettingsError(f"{one.title} is missing")
        if len(given[one.name]) > CELL_MAX or not given[one.name].isprintable():
            raise SettingsError(f"{one.title}: {CELL_MAX} characters at most, on one line")
        if one.choices and given[one.name] not in ("", *one.choices):
            raise SettingsError(f"{one.title}: one of {', '.join(one.choices)}")
    return given


def placed(data: Data, place: tuple[str, ...], value: Any) -> Data:
    """A profile with a value at a place; an empty one is left out."""
    if not place:
        return value
    first, *rest = place
    made = placed(table_of(data.get(first)), tuple(rest), value)
    return {**{name: one for name, one in data.items() if name != first}, **({first: made} if made else {})}


def table_of(found: Any) -> Data:
    """What was found as a table; nothing, when it is none."""
    return cast("Data", found) if isinstance(found, dict) else {}
