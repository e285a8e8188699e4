"""Digests of files: of each as a whole, and of each of its blocks, so that a change in it can be located.

Rule: the text of both lists follows from the files alone, so that a changed list is told from a changed file.
Shape: a line of SHA256SUMS is as `sha256sum` writes it; one of BLOCKS.txt is digest, first byte and
the one after the last, file.
Must not know: what the files mean.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ml_connector.evidence.layout import BLOCK_BYTES, NAME, SUMS

_LINE = re.compile(rf"([0-9a-f]{{64}})  ({NAME.pattern})")
_READ = 64 * BLOCK_BYTES


def digest_of(file: BinaryIO, bytes_max: int) -> tuple[str, int]:
    """Digest and size of a file; of one that is larger, of that much of it."""
    whole, size = hashlib.sha256(), 0
    while size < bytes_max and (data := file.read(min(_READ, bytes_max - size))):
        whole.update(data)
        size += len(data)
    return whole.hexdigest(), size


def blocks_of(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The blocks of a file with their places."""
    place = 0
    while data := file.read(_READ):
        for start in range(0, len(data), BLOCK_BYTES):
            yield place + start, data[start : start + BLOCK_BYTES]
        place += len(data)


def block_lines(name: str, file: BinaryIO) -> Iterator[bytes]:
    """What BLOCKS.txt says of a file."""
    for place, block in blocks_of(file):
        yield f"{hashlib.sha256(block).hexdigest()}  {place}-{place + len(block)}  {name}\n".encode()


def line(name: str, digest: str) -> bytes:
    """What SHA256SUMS says of a file."""
    return f"{digest}  {name}\n".encode()


def written(digests: Iterable[tuple[str, str]]) -> bytes:
    """SHA256SUMS of files, given as name and digest."""
    return b"".join(line(name, digest) for name, digest in sorted(digests))


def read(content: bytes) -> dict[str, str]:
    """Name and digest of the files in SHA256SUMS. Raises: ValueError where it is not as it is written."""
    found: dict[str, str] = {}
    for number, text in enumerate(content.split(b"\n")[:-1], 1):
        match = _LINE.fullmatch(text.decode("ascii", "replace"))
        if match is None:
            raise ValueError(f"line {number} of {SUMS} is no digest and name")
        found[match[2]] = match[1]
    if content != written(found.items()):
        raise ValueError(f"{SUMS} is not in order")
    return found
