"""Queries: what to select, which rows, in which order, how many.

Rule: a page starts after the last row that was read, never at a row number, unless a set allows nothing else.
Must not know: profiles, sockets.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from ml_connector.systems.ifs.odata.literals import Value, encode, literal, name

FILTER_BYTES_MAX = 5000  # of a URL of about 6000 that servers and proxies on the way can be trusted to take
T = TypeVar("T")


class Query(msgspec.Struct, frozen=True):
    """The options of a read; `filter` is not yet encoded."""

    select: tuple[str, ...] = ()
    filter: str = ""
    orderby: tuple[str, ...] = ()
    top: int = 0
    skip: int = 0

    def text(self) -> str:
        """The query as it stands in a URL."""
        options = {
            "$select": ",".join(name(item) for item in self.select),
            "$filter": self.filter,
            "$orderby": ",".join(name(item) for item in self.orderby),
            "$top": str(self.top) if self.top else "",
            "$skip": str(self.skip) if self.skip else "",
        }
        return "&".join(f"{option}={encode(value)}" for option, value in options.items() if value)


def both(*filters: str) -> str:
    """All of these filters; empty ones ask for nothing."""
    given = [item for item in filters if item]
    return given[0] if len(given) == 1 else " and ".join(f"({item})" for item in given)


def after(columns: Sequence[tuple[str, Value]]) -> str:
    """The rows that come after these values, in the order of the columns.

    Raises: ValueError for no columns.
    """
    if not columns:
        raise ValueError("nothing to come after")
    (column, value), *rest = columns
    beyond = f"{name(column)} gt {literal(value)}"
    return f"{beyond} or ({name(column)} eq {literal(value)} and ({after(rest)}))" if rest else beyond


def equal(columns: Sequence[tuple[str, Value]]) -> str:
    """The rows with exactly these values."""
    return " and ".join(f"{name(column)} eq {literal(value)}" for column, value in columns)


def any_of(filters: Sequence[str]) -> str:
    """The rows that one of these filters takes."""
    return filters[0] if len(filters) == 1 else " or ".join(f"({item})" for item in filters)


def chunks(
    columns: Sequence[str], keys: Sequence[tuple[str, ...]], *, count_max: int, bytes_max: int
) -> Iterator[list[tuple[str, ...]]]:
    """The keys in stretches whose filter fits into a URL; a key that doesn't fit by itself goes alone."""
    return _stretches(keys, lambda key: equal(list(zip(columns, key, strict=True))), count_max, bytes_max)


def stretches(filters: Sequence[str], count_max: int) -> Iterator[list[str]]:
    """The filters in stretches that fit into a URL together; one that doesn't fit by itself goes alone."""
    return _stretches(filters, str, count_max, FILTER_BYTES_MAX)


def _stretches(items: Sequence[T], filter_of: Callable[[T], str], count_max: int, bytes_max: int) -> Iterator[list[T]]:
    stretch: list[T] = []
    size = 0
    for item in items:
        cost = len(encode(f"({filter_of(item)}) or "))
        if stretch and (len(stretch) >= count_max or size + cost > bytes_max):
            yield stretch
            stretch, size = [], 0
        stretch.append(item)
        size += cost
    if stretch:
        yield stretch


def one_of(columns: Sequence[str], keys: Sequence[tuple[Value, ...]]) -> str:
    """The rows whose columns hold one of these keys."""
    return any_of([equal(list(zip(columns, key, strict=True))) for key in keys])
