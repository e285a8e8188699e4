"""The rows of one kind, in the order they were made, found by id or by an indexed field.

One rule: a row is replaced, never changed in place, so that the indexes cannot go stale.
It must not know what a row means.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

Row = Mapping[str, Any]
_INDEXED = ("erp_reference_id", "status", "po_number", "iso_code")


class Table:
    """Rows by `airbase_id`."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._index: dict[str, dict[str, dict[str, None]]] = {name: {} for name in _INDEXED}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def get(self, key: str) -> Row | None:
        """Find a row by its id."""
        return self._rows.get(key)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one with its id where it stands."""
        key = row["airbase_id"]
        before = self._rows.get(key)
        self._rows[key] = row
        for name, places in self._index.items():
            value = _indexed(row, name)
            if before is not None and (old := _indexed(before, name)) != value:
                places[old].pop(key)
            places.setdefault(value, {})[key] = None

    def drop(self, key: str) -> bool:
        """Remove a row."""
        if key not in self._rows:
            return False
        row = self._rows.pop(key)
        for name, places in self._index.items():
            places[_indexed(row, name)].pop(key)
        return True

    def first(self, **wanted: str) -> Row | None:
        """Find the oldest row with these values."""
        return next(iter(self.page(wanted, 0, 1)), None)

    def page(self, wanted: Mapping[str, str], start: int, size: int) -> list[Row]:
        """List some of the rows with these values of indexed fields, oldest first."""
        return list(islice(self._matching(wanted), start, start + size))

    def count(self, wanted: Mapping[str, str]) -> int:
        """Count the rows with these values of indexed fields."""
        if not wanted:
            return len(self._rows)
        if len(wanted) == 1:
            return len(self._keys(*next(iter(wanted.items()))))
        return sum(1 for _ in self._matching(wanted))

    def _matching(self, wanted: Mapping[str, str]) -> Iterator[Row]:
        if not wanted:
            return iter(self._rows.values())
        sets = sorted((self._keys(name, value) for name, value in wanted.items()), key=len)
        return (self._rows[key] for key in sets[0] if all(key in other for other in sets[1:]))

    def _keys(self, name: str, value: str) -> Mapping[str, None]:
        return self._index[name].get(value, {})


def _indexed(row: Row, name: str) -> str:
    return str(row.get(name) or "")
