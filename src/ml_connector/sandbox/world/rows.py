"""The rows of one table, with sorted orders that stay right as rows come, change and go.

Rule: a row is an immutable tuple (the properties, then stamp, row id, heap place, company), so that a reader
may keep what it was given while others write.
It must not know what the properties mean, nor lock: the world does both.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ml_connector.sandbox.world.tables import Table

Row = tuple[Any, ...]
Key = tuple[Any, ...]


class By(NamedTuple):
    """One column of an order."""

    at: int
    nullable: bool = True
    descending: bool = False


class Descending:
    """A sort component that sorts the other way round."""

    __slots__ = ("part",)

    def __init__(self, part: Any) -> None:
        self.part = part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and self.part == other.part

    def __lt__(self, other: "Descending") -> bool:
        return other.part < self.part

    __hash__ = None  # type: ignore[assignment]


class Top:
    """A sort component after all others."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


TOP = Top()


def component(by: By) -> Callable[[Row], Any]:
    """How a column of an order takes its sort component from a row; null sorts last, as in Oracle."""
    at = by.at
    if by.descending:
        return lambda row: Descending((1,) if row[at] is None else (0, row[at]))
    if by.nullable:
        return lambda row: (1,) if row[at] is None else (0, row[at])
    return itemgetter(at)


def sort_key(order: Sequence[By], place_at: int) -> Callable[[Row], Key]:
    """How a row is sorted in an order; rows that tie are sorted by their place in the heap."""
    if not any(by.nullable or by.descending for by in order):
        return itemgetter(*(by.at for by in order), place_at)
    parts = (*(component(by) for by in order), itemgetter(place_at))
    return lambda row: tuple(part(row) for part in parts)


class Order:
    """All rows of a table, sorted."""

    def __init__(self, order: Sequence[By], place_at: int, rows: Iterable[Row]) -> None:
        self._key = sort_key(order, place_at)
        pairs = sorted((self._key(row), row) for row in rows)
        self._keys = [key for key, _ in pairs]
        self._rows = [row for _, row in pairs]

    def add(self, row: Row) -> None:
        """Put a row where it belongs."""
        key = self._key(row)
        at = bisect_left(self._keys, key)
        self._keys.insert(at, key)
        self._rows.insert(at, row)

    def drop(self, row: Row) -> None:
        """Take a row out."""
        at = bisect_left(self._keys, self._key(row))
        del self._keys[at], self._rows[at]

    def rows(self, low: Key = (), high: Key | None = None) -> list[Row]:
        """The rows from the sort key ``low`` on, up to ``high`` and its continuations."""
        first = bisect_left(self._keys, low) if low else 0
        last = len(self._rows) if high is None else bisect_left(self._keys, (*high, TOP))
        return self._rows[first:last]


class Store:
    """The rows of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._rows: dict[Key, Row] = {}
        self._orders: dict[tuple[By, ...], Order] = {}
        self._heap: list[Row] | None = None
        self._key = key_of(table)

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, rows: Iterable[Row]) -> None:
        """Put many rows in at once."""
        key = self._key
        self._rows.update((key(row), row) for row in rows)
        self._forget()

    def unload(self, keys: Iterable[Key]) -> None:
        """Take many rows out at once."""
        for key in keys:
            self._rows.pop(key, None)
        self._forget()

    def get(self, key: Key) -> Row | None:
        """The row with a key."""
        return self._rows.get(key)

    def put(self, row: Row) -> None:
        """Insert or replace a row; it moves to the end of the heap."""
        key = self._key(row)
        self.drop(key)
        self._rows[key] = row
        self._heap = None
        for order in self._orders.values():
            order.add(row)

    def drop(self, key: Key) -> Row | None:
        """Take a row out."""
        old = self._rows.pop(key, None)
        if old is not None:
            self._heap = None
            for order in self._orders.values():
                order.drop(old)
        return old

    def heap(self) -> list[Row]:
        """All rows as they lie."""
        if self._heap is None:
            self._heap = list(self._rows.values())
        return self._heap

    def ordered(self, order: tuple[By, ...], low: Key = (), high: Key | None = None) -> list[Row]:
        """The rows in an order, between two sort keys."""
        if all(by.descending for by in order):
            ascending = tuple(by._replace(descending=False) for by in order)
            return self.ordered(ascending)[::-1]
        known = self._orders.get(order)
        if known is None:
            known = self._orders[order] = Order(order, self.table.place_at, self._rows.values())
        return known.rows(low, high)

    def _forget(self) -> None:
        self._orders.clear()
        self._heap = None


def key_of(table: Table) -> Callable[[Row], Key]:
    """How a table's key is taken from a row; always a tuple."""
    first, *others = table.key_at
    if others:
        return itemgetter(first, *others)
    return lambda row: (row[first],)
