"""Reading what a person wrote: each value checked where it stands.

Rule: a mistake names its place, what is wrong, and the nearest that would be right; entries count from 1.
Must not know: what the values are for.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, cast

from ml_connector.errors import SettingsError
from ml_connector.flows.posting.currencies import CURRENCIES
from ml_connector.records import money

_AMOUNT = re.compile(r"\d+(?:\.\d+)?")


def table(place: str, value: Any, names: Collection[str] | None = None, what: str = "setting") -> dict[str, Any]:
    """A table; with `names`, one that has no others.

    Raises: SettingsError.
    """
    if not isinstance(value, Mapping):
        raise SettingsError(f"{place}: should be a table")
    found = {str(name): item for name, item in cast("Mapping[object, Any]", value).items()}
    for name in found if names is not None else ():
        known(place, name, names or (), what)
    return found


def tables(place: str, value: Any, names: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """A list of tables, each with its place.

    Raises: SettingsError.
    """
    if not isinstance(value, list | tuple):
        raise SettingsError(f"{place}: should be a list of tables: [[{place}]]")
    rows = cast("list[Any]", value)
    return [(f"{place}[{at}]", table(f"{place}[{at}]", row, names)) for at, row in enumerate(rows, start=1)]


def known(place: str, name: str, names: Collection[str], what: str) -> str:
    """A name that is one of those there are.

    Raises: SettingsError.
    """
    if name in names:
        return name
    raise SettingsError(f"{place}: there is no {what} {_shown(name)}; {nearest(name, names)}")


def nearest(name: str, names: Collection[str]) -> str:
    """Which name may have been meant, or which there are."""
    near = get_close_matches(name, names, 1)
    return f"nearest: {near[0]}" if near else f"there are: {', '.join(sorted(names)) or '(none)'}"


def text(place: str, value: Any) -> str:
    """A text that says something.

    Raises: SettingsError.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise SettingsError(f'{place}: {value} is a number; write it as text: "{value}"')
    raise SettingsError(f"{place}: should be a text")


def needed(place: str, row: Mapping[str, Any], name: str) -> Any:
    """A value that a table must have.

    Raises: SettingsError.
    """
    if name not in row:
        raise SettingsError(f"{place}: {name} is missing")
    return row[name]


def texts(place: str, value: Any) -> tuple[str, ...]:
    """A text, or a list of them.

    Raises: SettingsError.
    """
    if not isinstance(value, list | tuple):
        return (text(place, value),)
    found = tuple(text(place, one) for one in cast("list[Any]", value))
    if not found or len(set(found)) < len(found):
        raise SettingsError(f"{place}: should name at least one, and each once")
    return found


def choice(place: str, value: Any, names: Collection[str]) -> str:
    """One of a few words.

    Raises: SettingsError.
    """
    found = text(place, value)
    if found not in names:
        raise SettingsError(f"{place}: {_shown(found)} is none of {', '.join(names)}; {nearest(found, names)}")
    return found


def flag(place: str, value: Any) -> bool:
    """True or false.

    Raises: SettingsError.
    """
    if not isinstance(value, bool):
        raise SettingsError(f"{place}: should be true or false")
    return value


def days(place: str, value: Any) -> int:
    """A number of days.

    Raises: SettingsError.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3660:
        raise SettingsError(f"{place}: should be a whole number of days, at most 3660")
    return value


def amount(place: str, value: Any) -> Decimal:
    """An amount, zero or more, written as text.

    Raises: SettingsError.
    """
    if isinstance(value, float):
        raise SettingsError(f'{place}: {value} is a floating-point number; write it as text: "{value}"')
    written = str(value).strip()
    if not _AMOUNT.fullmatch(written):
        raise SettingsError(f'{place}: {_shown(str(value))} is not an amount; it looks like "1250.00"')
    try:
        return money.exact(written)
    except ValueError as error:
        raise SettingsError(f"{place}: {error}") from error


def day(place: str, value: Any) -> date:
    """A day, as TOML has it or as text.

    Raises: SettingsError.
    """
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{place}: {_shown(str(value))} is not a day; it looks like 2026-07-01") from error


def currency(place: str, value: Any) -> str:
    """A currency code.

    Raises: SettingsError.
    """
    return known(place, text(place, value), CURRENCIES, "currency")


def _shown(name: str) -> str:
    return f'"{name[:60]}"'
