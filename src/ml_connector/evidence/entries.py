"""A journal's entries as lines, and whether each follows the one before it.

Rule: a line has all that is under an entry's hash, character for character; bodies are told by their digest only.
Must not know: what an entry means.
"""

from collections.abc import Iterator

import msgspec

from ml_connector.evidence.manifest import Stretch
from ml_connector.records.chaining import Header


class Entry(msgspec.Struct, frozen=True):
    """An entry as it lies in the file. Shape: `body_digest`, `prev` and `hash` are hexadecimal."""

    seq: int
    at: str
    run_id: str
    flow: str
    key: str
    kind: str
    facts: msgspec.Raw
    body_digest: str | None
    prev: str
    hash: str

    def computed(self, number: int) -> str:
        """The hash that an entry of this journal has to have. Raises: ValueError."""
        body = None if self.body_digest is None else bytes.fromhex(self.body_digest)
        texts = (self.at, self.run_id, self.flow, self.key, self.kind, bytes(self.facts))
        return Header(number, self.seq, *texts, body).hash(bytes.fromhex(self.prev)).hex()


def written(entry: Entry) -> bytes:
    """An entry as a line."""
    return msgspec.json.encode(entry) + b"\n"


def read(line: bytes) -> Entry:
    """The entry of a line. Raises: ValueError."""
    return msgspec.json.decode(line, type=Entry)


class Chain:
    """Follows entries one by one and says what is wrong with each."""

    def __init__(self, stretch: Stretch) -> None:
        self._number, self._stretch = stretch.number, stretch
        self._seq, self._hash = stretch.first - 1, stretch.before

    def follow(self, entry: Entry) -> Iterator[str]:
        """What is wrong with the next entry."""
        if entry.seq != self._seq + 1:
            yield _gap(self._seq + 1, entry.seq)
        elif entry.prev != self._hash:
            yield f"entry {entry.seq} does not follow the entry before it"
        if not _is_itself(entry, self._number):
            yield f"entry {entry.seq} was altered"
        self._seq, self._hash = entry.seq, entry.hash

    def end(self) -> Iterator[str]:
        """What is wrong with the end."""
        if self._seq < self._stretch.last:
            yield _gap(self._seq + 1, self._stretch.last + 1)
        elif self._hash != self._stretch.head:
            yield f"entry {self._seq} is not the last one that the manifest names"
        if not self._stretch.ends_well:
            yield "ends otherwise than the manifest says of the whole journal"


def _is_itself(entry: Entry, number: int) -> bool:
    try:
        return entry.computed(number) == entry.hash
    except ValueError:
        return False


def _gap(due: int, found: int) -> str:
    if found < due:
        return f"entry {found} stands where entry {due} should be"
    return f"entry {due} is missing" if found == due + 1 else f"entries {due} to {found - 1} are missing"
