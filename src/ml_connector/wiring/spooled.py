"""Values put away one by one and taken out in the same order, in no memory to speak of.

Rule: the file has no name and is gone when it is closed; what is in it is sealed with a key that is kept nowhere.
Must not know: what the values are.
"""

import struct
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Generic, TypeVar

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

T = TypeVar("T")
_SIZE = struct.Struct("!I")
BUFFER = 1 << 20
KEY_BITS, NONCE_BYTES = 256, 12


class Spooled(Generic[T]):
    """Values of a kind; use it in a `with`."""

    def __init__(self, kind: type[T]) -> None:
        self._file = TemporaryFile(buffering=BUFFER)  # noqa: SIM115 - closed by the `with` that this is for
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()
        self._box = AESGCM(AESGCM.generate_key(KEY_BITS))
        self._count = 0

    def __enter__(self) -> "Spooled[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def put(self, value: T) -> None:
        """Put a value away."""
        sealed = self._box.encrypt(_nonce(self._count), self._encoder.encode(value), None)
        self._count += 1
        self._file.write(_SIZE.pack(len(sealed)))
        self._file.write(sealed)

    def __iter__(self) -> Iterator[T]:
        """All values, in order; none may be put away meanwhile."""
        self._file.seek(0)
        for number in range(self._count):
            (size,) = _SIZE.unpack(self._file.read(_SIZE.size))
            yield self._decoder.decode(self._box.decrypt(_nonce(number), self._file.read(size), None))


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")
