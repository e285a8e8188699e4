"""What two sets of settings differ by, place by place, and the differences of one put upon another.

Rule: tables are taken apart, lists are not, and a table with nothing in it is as none; where both changed the same
place to something else, nothing is merged.
Must not know: which settings there are.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from ml_connector.errors import SettingsError

Place = tuple[str, ...]
NAMED_MAX = 3


class Absent:
    """Nothing is there."""

    def __repr__(self) -> str:
        return "–"


ABSENT = Absent()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Place, tuple[Any, Any]]:
    """Each place that differs, with what is there before and after; `ABSENT` for nothing."""
    return dict(_differences((), before, after))


def merged(base: Mapping[str, Any], wanted: Mapping[str, Any], upon: Mapping[str, Any]) -> dict[str, Any]:
    """What `wanted` changes of `base`, put upon other settings. Raises: SettingsError naming what both changed."""
    mine, theirs = differences(base, wanted), differences(base, upon)
    both = [place for place, (_, value) in mine.items() if _clash(place, value, theirs)]
    if both:
        named = ", ".join(".".join(place) for place in both[:NAMED_MAX])
        raise SettingsError(f"both changed {named}; make the change anew upon the version in force")
    result = _copied(upon)
    for place, (_, value) in mine.items():
        _put(result, place, value)
    return _pruned(result)


def _differences(place: Place, before: Any, after: Any) -> Iterator[tuple[Place, tuple[Any, Any]]]:
    if _tables(before, after):
        old, new = (cast("dict[str, Any]", {} if one is ABSENT else one) for one in (before, after))
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _differences((*place, name), old.get(name, ABSENT), new.get(name, ABSENT))
    elif not _same(before, after):
        yield place, (before, after)


def _tables(*values: Any) -> bool:
    """Whether these can be taken apart; what is absent is like a table with nothing in it."""
    return any(isinstance(one, dict) for one in values) and all(isinstance(one, dict | Absent) for one in values)


def _same(before: Any, after: Any) -> bool:
    if before is ABSENT or after is ABSENT:
        return before is after
    return msgspec.json.encode(before, order="sorted") == msgspec.json.encode(after, order="sorted")


def _clash(place: Place, value: Any, theirs: Mapping[Place, tuple[Any, Any]]) -> bool:
    """Whether the others changed this place, or one within or around it, to something else."""
    if place in theirs:
        return theirs[place][1] != value
    return any(place[: len(other)] == other or other[: len(place)] == place for other in theirs)


def _put(table: dict[str, Any], place: Place, value: Any) -> None:
    for name in place[:-1]:
        table = table.setdefault(name, {})
    if value is not ABSENT:
        table[place[-1]] = value
    else:
        table.pop(place[-1], None)


def _pruned(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without tables that have nothing in them."""
    inner = {name: _pruned(cast("Any", one)) if isinstance(one, dict) else one for name, one in table.items()}
    return {name: one for name, one in inner.items() if one != {}}


def _copied(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _copied(cast("Any", one)) if isinstance(one, dict) else one for name, one in value.items()}
    return cast("dict[str, Any]", found)
