"""How two versions of settings differ, table by table, as a person reads it.

Rule: nothing that differs is left out; what may be a secret is told, but not shown.
Must not know: stores, HTML.
"""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, cast

import msgspec

from ml_connector.settings import Profile
from ml_connector.wiring import exporting
from ml_connector.wiring.merging import ABSENT, Place, differences

TABLES: dict[Place, str] = {
    ("profile", "mapping", "subsidiaries"): "Companies",
    ("profile", "mapping", "payment_terms"): "Payment terms",
    ("profile", "mapping", "dimensions"): "Dimensions",
    ("profile", "posting", "accounts"): "Named accounts",
    ("profile", "posting", "account"): "Accounts of lines",
    ("profile", "posting", "rule"): "Posting rules",
    ("profile", "posting", "rate"): "Rates",
    ("profile", "posting"): "Posting",
    ("profile", "gate"): "Gates",
    ("profile", "alerts"): "Alerts",
    ("profile", "ifs"): "Names in IFS",
    ("profile", "airbase"): "Names in Airbase",
    ("profile", "systems"): "Names in further systems",
    ("profile",): "General",
    ("ifs",): "Reaching IFS",
    ("airbase",): "Reaching Airbase",
    ("systems",): "Reaching further systems",
    ("off",): "Flows switched off",
}
SECRET: Place = ("profile", "alerts", "webhook")


class Difference(msgspec.Struct, frozen=True):
    """One place that differs; "": nothing is there."""

    table: str
    name: str
    before: str
    after: str


def told(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """All that differs, in the order of the tables."""
    found = [one for place, pair in differences(before, after).items() for one in _told(place, *pair)]
    order = {title: number for number, title in enumerate(TABLES.values())}
    return sorted(found, key=lambda one: order.get(one.table, len(order)))


def of_profiles(before: Profile, after: Profile) -> list[Difference]:
    """How two profiles differ."""
    old, new = ({"profile": msgspec.to_builtins(one)} for one in (before, after))
    return told(old, new)


def left_out(before: Profile, after: Profile) -> list[Difference]:
    """What one profile sets, and the other leaves out: it would be gone, or as usual."""
    old, new = ({"profile": exporting.spare(one)} for one in (before, after))
    return [one for one in told(old, new) if not one.after]


def _told(place: Place, before: Any, after: Any) -> Iterator[Difference]:
    title, name = _titled(place)
    if isinstance(before, dict) or isinstance(after, dict):
        yield from _inner(place, before, after)
    elif _rows(before) or _rows(after):
        yield from _row_by_row(title, name, _rows(before), _rows(after))
    elif place == SECRET:
        yield Difference(title, name, _hidden(before, "an address"), _hidden(after, "another address"))
    else:
        yield Difference(title, name, in_words(before), in_words(after))


def _inner(place: Place, before: Any, after: Any) -> Iterator[Difference]:
    old, new = (cast("dict[str, Any]", one) if isinstance(one, dict) else {} for one in (before, after))
    for name in dict.fromkeys((*old, *new)):
        yield from _told((*place, name), old.get(name, ABSENT), new.get(name, ABSENT))


def _row_by_row(title: str, name: str, old: list[str], new: list[str]) -> Iterator[Difference]:
    """Rows that went, came or changed; their numbers are those that they have, or had."""
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        for step in range(max(b - a, d - c)):
            gone = old[a + step] if a + step < b else ""
            came = new[c + step] if c + step < d else ""
            number = (c if came else a) + step + 1
            yield Difference(title, f"{name} {number}".strip(), gone, came)


def _titled(place: Place) -> tuple[str, str]:
    """The table that a place is in, and its name there."""
    for length in range(len(place), 0, -1):
        if place[:length] in TABLES:
            return TABLES[place[:length]], ".".join(place[length:])
    return "General", ".".join(place)


def _rows(value: Any) -> list[str]:
    rows = cast("list[Any]", value) if isinstance(value, list | tuple) else []
    return [in_words(row) for row in rows] if any(isinstance(row, dict) for row in rows) else []


def _hidden(value: Any, said: str) -> str:
    return said if value and value is not ABSENT else ""


def in_words(value: Any) -> str:
    """A value as it is read."""
    if value is ABSENT or value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(one)}" for name, one in cast("dict[str, Any]", value).items())
    if isinstance(value, list | tuple):
        return ", ".join(in_words(one) for one in cast("list[Any]", value)) or "none"
    return str(value)
