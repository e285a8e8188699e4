"""How entries of a journal are chained: what of one is hashed, and with what.

Rule: every field is under the hash, with its length before it, and so is the hash of the entry before.
Must not know: where entries are kept, what they mean.
"""

import hashlib
from typing import NamedTuple

GENESIS = bytes(32)  # what the first entry follows


class Header(NamedTuple):
    """What of an entry is hashed; the body by its digest."""

    connection_id: int
    seq: int
    at: str | bytes
    run_id: str | bytes
    flow: str | bytes
    key: str | bytes
    kind: str | bytes
    facts: str | bytes
    body_digest: bytes | None

    def hash(self, prev: bytes) -> bytes:
        """The hash of the entry that has this header and comes after `prev`."""
        fields = [field if isinstance(field, bytes) else str(field).encode() for field in self[:-1]]
        body = b"-" if self.body_digest is None else _canonical(self.body_digest)
        return hashlib.sha256(b"".join([prev, *map(_canonical, fields), body])).digest()


def _canonical(field: bytes) -> bytes:
    return b"%d:%b" % (len(field), field)
