"""Where in a file a change is, by the digests of its blocks.

Rule: a change is found between the last block from the front and the first one from the back that are as they were, so
that what was put in or taken out moves nothing else under suspicion.
Must not know: what the file means.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

import msgspec

from ml_connector.evidence.layout import BLOCK_BYTES

TOLD_BYTES_MAX = 100_000_000  # of a change, in which lines are counted
_READ = 64 * BLOCK_BYTES


class Block(msgspec.Struct, frozen=True):
    """A block as it was: its digest and its place. Units: bytes."""

    digest: str
    start: int
    end: int


def listed(lines: Iterable[bytes], names: Collection[str]) -> dict[str, list[Block]]:
    """The blocks of some of the files, out of BLOCKS.txt."""
    found: dict[str, list[Block]] = {name: [] for name in names}
    for line in lines:
        digest, place, name = line.decode("ascii").rstrip("\n").split("  ")
        if name in found:
            start, end = place.split("-")
            found[name].append(Block(digest, int(start), int(end)))
    return found


def changed(file: BinaryIO, size: int, blocks: list[Block]) -> list[tuple[int, int]]:
    """First and last line of the places that changed; a file of this size, once of these blocks."""
    moved = size - (blocks[-1].end if blocks else 0)
    places = [_between(file, blocks, moved)] if moved else list(_runs(file, blocks))
    return [_lines(file, start, end) for start, end in places]


def _runs(file: BinaryIO, blocks: list[Block]) -> Iterator[tuple[int, int]]:
    """Blocks that differ, those side by side together."""
    start, end = -1, -1
    for block in blocks:
        if _is_there(file, block, 0):
            continue
        if block.start != end:
            if start >= 0:
                yield start, end
            start = block.start
        end = block.end
    if start >= 0:
        yield start, end


def _between(file: BinaryIO, blocks: list[Block], moved: int) -> tuple[int, int]:
    """Where bytes were put in or taken out."""
    first, last = 0, len(blocks) - 1
    while first <= last and _is_there(file, blocks[first], 0):
        first += 1
    while last >= first and _is_there(file, blocks[last], moved):
        last -= 1
    start = blocks[first].start if first < len(blocks) else (blocks[-1].end if blocks else 0)
    end = blocks[last].end + moved if last >= first else start + max(moved, 0)
    return start, max(start, end)


def _is_there(file: BinaryIO, block: Block, moved: int) -> bool:
    if block.start + moved < 0:
        return False
    file.seek(block.start + moved)
    return hashlib.sha256(file.read(block.end - block.start)).hexdigest() == block.digest


def _lines(file: BinaryIO, start: int, end: int) -> tuple[int, int]:
    first = _newlines(file, 0, start) + 1
    return first, first + _newlines(file, start, min(max(start, end - 1), start + TOLD_BYTES_MAX))


def _newlines(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    count = 0
    while start < end and (data := file.read(min(_READ, end - start))):
        count += data.count(b"\n")
        start += len(data)
    return count
