"""What a field of a write may hold, answered the way Django REST Framework does.

One rule: a check gives back the value to store or raises `Wrong` with what DRF would say; decimals stay text.
It must not know which kind a field belongs to, nor change a row.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from ml_connector.sandbox.airbase.table import Table

Tables = Mapping[str, Table]
Day = TypeVar("Day", date, datetime)
Check = Callable[[Any, Tables], Any]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,10})?")
_INSTANT_FORMAT = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"


class Wrong(Exception):
    """A value that DRF would refuse, with what it says: a list of messages or one entry a nested row."""

    def __init__(self, said: Any) -> None:
        super().__init__(said)
        self.said: list[Any] = cast(list[Any], said) if isinstance(said, list) else [said]


def text(longest: int = 255, *, blank: bool = True) -> Check:
    """Take text of a limited length."""

    def check(value: Any, _: Tables) -> str:
        stripped = _texted(value).strip()
        if len(stripped) > longest:
            raise Wrong(f"Ensure this field has no more than {longest} characters.")
        if not blank and not stripped:
            raise Wrong("This field may not be blank.")
        return stripped

    return check


def _texted(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        raise Wrong("This field may not be null.")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong("Not a valid string.")
    return str(value)


def or_null(inner: Check) -> Check:
    """Take null as well."""
    return lambda value, tables: None if value is None else inner(value, tables)


def choice(*known: str) -> Check:
    """Take one of a few words."""

    def check(value: Any, _: Tables) -> str:
        if value not in known or not value:
            raise Wrong(f'"{value}" is not a valid choice.')
        return str(value)

    return check


def boolean(value: Any, _: Tables) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise Wrong("Must be a valid boolean.")
    return value


def whole(value: Any, _: Tables) -> int:
    """Take a whole number of at least one."""
    if isinstance(value, bool) or not str(value).isdigit():
        raise Wrong("A valid integer is required.")
    if int(value) < 1:
        raise Wrong("Ensure this value is greater than or equal to 1.")
    return int(value)


def decimal(value: Any, _: Tables) -> str:
    """Take a decimal as text or as a number, and keep its digits as they came."""
    shown = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(shown):
        raise Wrong("A valid number is required.")
    return shown


def email(value: Any, tables: Tables) -> str:
    """Take a mail address or nothing."""
    shown: str = text(254)(value, tables)
    if shown and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", shown):
        raise Wrong("Enter a valid email address.")
    return shown


def instant(value: Any, _: Tables) -> str:
    """Take a time and give it back naive, in 19 characters."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise Wrong(f"Datetime has wrong format. Use one of these formats instead: {_INSTANT_FORMAT}.")
    at = _parsed(datetime.fromisoformat, value)
    at = at.astimezone(UTC) if at.tzinfo else at
    return at.isoformat(timespec="seconds")[:19]


def day_or_instant(value: Any, tables: Tables) -> str:
    """Take a date or a time, and give it back as it came."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        _parsed(date.fromisoformat, value)
    else:
        instant(value, tables)
    return str(value)


def _parsed(parse: Callable[[str], Day], value: str) -> Day:
    try:
        return parse(value)
    except ValueError as error:
        raise Wrong("Datetime has wrong format.") from error


def mapping(value: Any) -> dict[str, Any]:
    """Take a JSON object."""
    if not isinstance(value, dict):
        raise Wrong(f"Invalid data. Expected a dictionary, but got {_json_name(value)}.")
    return cast(dict[str, Any], value)


def rows_of(value: Any) -> list[Any]:
    """Take a JSON list."""
    if not isinstance(value, list):
        raise Wrong(f'Expected a list of items but got type "{_json_name(value)}".')
    return cast(list[Any], value)


def texts(*names: str) -> Check:
    """Take an object of short texts, and of the names given only."""

    def check(value: Any, tables: Tables) -> dict[str, str]:
        given = mapping(value)
        return {name: text()(given.get(name) or "", tables) for name in names}

    return check


def referred(kind: str, field: str, keep: tuple[str, ...]) -> Check:
    """Take an object that refers to a row by one field; keep a few fields of that row."""

    def check(value: Any, tables: Tables) -> dict[str, Any]:
        wanted = mapping(value).get(field)
        row = _row_with(tables[kind], field, wanted)
        if row is None:
            raise Wrong(f'Object with {field}="{wanted}" does not exist.')
        return {name: row[name] for name in keep}

    return check


def reference(kind: str, field: str) -> Check:
    """Take the value of a field of a row that exists, or nothing."""

    def check(value: Any, tables: Tables) -> str:
        shown: str = text()(value, tables)
        if shown and tables[kind].first(**{field: shown}) is None:
            raise Wrong(f'Object with {field}="{shown}" does not exist.')
        return shown

    return check


def subsidiaries(value: Any, tables: Tables) -> list[dict[str, Any]]:
    """Take references to subsidiaries, each by either of its ids or by both."""
    found: list[dict[str, Any]] = []
    for entry in rows_of(value):
        given = {k: v for k, v in mapping(entry).items() if k in ("airbase_id", "erp_reference_id") and v}
        rows = [_row_with(tables["subsidiaries"], name, wanted) for name, wanted in given.items()]
        if not rows or rows[0] is None or any(row is not rows[0] for row in rows):
            raise Wrong(f"Unknown subsidiary reference {given}.")
        found.append({name: rows[0][name] for name in ("airbase_id", "erp_reference_id")})
    return found


def _row_with(table: Table, field: str, wanted: Any) -> Mapping[str, Any] | None:
    if not wanted or not isinstance(wanted, str):
        return None
    return table.get(wanted) if field in ("airbase_id", "id") else table.first(**{field: wanted})


def _json_name(value: Any) -> str:
    return "NoneType" if value is None else "float" if isinstance(value, Decimal) else type(value).__name__
