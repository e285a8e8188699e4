"""The query options of a read: from the raw query string to something checked.

Rule: an option that is not understood is refused, never ignored; `+` is not a space.
It must not know rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from ml_connector.sandbox.ifs.errors import malformed, not_implemented

T = TypeVar("T")
_KNOWN = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$expand", "$skiptoken", "$format"})
_REFUSED = frozenset({"$apply", "$search", "$compute", "$deltatoken", "$levels", "$index"})


@dataclass(frozen=True)
class Query:
    """What a read asked for."""

    filter: str | None = None
    select: list[str] | None = None
    orderby: tuple[tuple[str, bool], ...] = ()  # name, descending
    top: int | None = None
    skip: int = 0
    count: bool = False
    expand: tuple[tuple[str, list[str] | None], ...] = ()  # reference, its $select
    skiptoken: str | None = None


def options_of(raw: str) -> dict[str, str]:
    """The options of a raw query string."""
    if "+" in raw:
        raise malformed("ODP_UNSUPPORTED_QUERY", "The query contains '+'; encode a space as %20.")
    options: dict[str, str] = {}
    for part in filter(None, raw.split("&")):
        name, _, value = part.partition("=")
        name = unquote(name)
        if name in options:
            raise malformed("DOUBLE_SYSTEM_QUERY_OPTION", f"The query option '{name}' is given twice.")
        options[name] = unquote(value)
    return options


def query_of(raw: str) -> Query:
    """The checked query of a raw query string."""
    options = options_of(raw)
    for name in options:
        if name in _REFUSED:
            raise not_implemented(f"The query option '{name}'")
        if name.startswith("$") and name not in _KNOWN:
            raise malformed("UNKNOWN_SYSTEM_QUERY_OPTION", f"The query option '{name}' is not known.")
    return Query(
        filter=options.get("$filter"),
        select=_when(options, "$select", names_of),
        orderby=_when(options, "$orderby", _orderby) or (),
        top=_when(options, "$top", _whole),
        skip=_when(options, "$skip", _whole) or 0,
        count=_when(options, "$count", _truth) or False,
        expand=_when(options, "$expand", _expand) or (),
        skiptoken=options.get("$skiptoken"),
    )


def _when(options: dict[str, str], name: str, read: Callable[[str], T]) -> T | None:
    return read(options[name]) if name in options else None


def names_of(text: str) -> list[str] | None:
    """The names of a ``$select``; none when it says all."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise malformed("ODP_MALFORMED_SELECT", f"'{text}' is not a valid selection.")
    return None if "*" in names else list(dict.fromkeys(names))


def _orderby(text: str) -> tuple[tuple[str, bool], ...]:
    return tuple(_order_item(item.split()) for item in text.split(","))


def _order_item(words: list[str]) -> tuple[str, bool]:
    match words:
        case [name] | [name, "asc"]:
            return name, False
        case [name, "desc"]:
            return name, True
        case _:
            raise malformed("ODP_MALFORMED_ORDERBY", f"'{' '.join(words)}' cannot be ordered by.")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise malformed("SYSTEM_QUERY_OPTION_INVALID", f"'{text}' is not a non-negative whole number.")
    return int(text[:18])


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise malformed("SYSTEM_QUERY_OPTION_INVALID", f"'{text}' is neither true nor false.")
    return text == "true"


def _expand(text: str) -> tuple[tuple[str, list[str] | None], ...]:
    return tuple(_expand_item(item) for item in _split_outside(text))


def _expand_item(item: str) -> tuple[str, list[str] | None]:
    name, opened, inner = item.strip().partition("(")
    if not opened:
        return name, None
    option, _, value = inner.removesuffix(")").partition("=")
    if option.strip() != "$select" or not inner.endswith(")"):
        raise not_implemented(f"'{inner}' within $expand")
    return name, names_of(value)


def _split_outside(text: str) -> list[str]:
    """The parts between commas that are not within parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
