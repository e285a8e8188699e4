"""Values put away one by one and taken out in the same order, in no memory to speak of.

Rule: the file has no name and is gone when it is closed.
Must not know: what the values are.
"""

import struct
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_SIZE = struct.Struct("!I")
BUFFER = 1 << 20


class Spooled(Generic[T]):
    """Values of a kind; use it in a `with`."""

    def __init__(self, kind: type[T]) -> None:
        self._file = TemporaryFile(buffering=BUFFER)  # noqa: SIM115 - closed by the `with` that this is for
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()

    def __enter__(self) -> "Spooled[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def put(self, value: T) -> None:
        """Put a value away."""
        packed = self._encoder.encode(value)
        self._file.write(_SIZE.pack(len(packed)))
        self._file.write(packed)

    def __iter__(self) -> Iterator[T]:
        """All values, in order; none may be put away meanwhile."""
        self._file.seek(0)
        while head := self._file.read(_SIZE.size):
            yield self._decoder.decode(self._file.read(_SIZE.unpack(head)[0]))
