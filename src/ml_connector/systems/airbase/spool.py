"""The rows of a list, kept for the length of a run in little memory.

Rule: of a row that came more than once the latest counts; rows are given out in key order, unpacked one by one.
Must not know: what a row means.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from ml_connector.systems.airbase.client import Raw, id_of

ROWS_MAX = 500_000
DICTIONARY_MAX = 32_000  # bytes of the first row that the packing of all others refers to

_RAW = -zlib.MAX_WBITS


class FullError(Exception):
    """There are more rows than are kept."""


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A row: the key of its record, and what it held."""

    key: str
    packed: bytes


class Spool:
    """Rows by id, and by the key of the record that they are of."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows_max = rows_max
        self._rows: dict[str, Kept] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._dictionary = b""

    @property
    def rows(self) -> int:
        """How many rows were put in."""
        return len(self._rows)

    def put(self, key: str, row: Raw) -> bool:
        """Keep a row under its record's key ("": only that it was seen); whether it is a new one.

        Raises: FullError.
        """
        row_id = id_of(row)
        before = self._rows.get(row_id)
        if before is None and len(self._rows) >= self._rows_max:
            raise FullError
        if before is not None and before.key != key:
            self._forget(before.key, row_id)
        if key and row_id not in self._ids.get(key, ()):
            self._ids[key] = (*self._ids.get(key, ()), row_id)
        self._rows[row_id] = Kept(key, self._packed(row) if key else b"")
        return before is None

    def __iter__(self) -> Iterator[str]:
        """The keys of all records, in no order."""
        return iter(self._ids)

    def __contains__(self, key: object) -> bool:
        """Whether there is a row of this record."""
        return key in self._ids

    def get(self, key: str) -> tuple[bytes, ...]:
        """The rows of a record as JSON, by id; none when it has none."""
        return tuple(self._unpacked(self._rows[row_id].packed) for row_id in sorted(self._ids.get(key, ())))

    def _forget(self, key: str, row_id: str) -> None:
        left = tuple(one for one in self._ids.get(key, ()) if one != row_id)
        if left:
            self._ids[key] = left
        else:
            self._ids.pop(key, None)

    def _packed(self, row: Raw) -> bytes:
        encoded = canonical(row)
        self._dictionary = self._dictionary or encoded[:DICTIONARY_MAX]
        packer = zlib.compressobj(wbits=_RAW, zdict=self._dictionary)
        return packer.compress(encoded) + packer.flush()

    def _unpacked(self, packed: bytes) -> bytes:
        return zlib.decompressobj(wbits=_RAW, zdict=self._dictionary).decompress(packed)


def canonical(row: Raw) -> bytes:
    """A row as JSON; equal rows give equal bytes, in whatever order their fields came."""
    return msgspec.json.encode(row, order="sorted")


def mark_of(encoded: Iterable[bytes]) -> str:
    """What changes with any field of these rows."""
    return hashlib.sha256(b"\n".join(encoded)).hexdigest()
