"""What of a change is sealed: the records that it is about, and what the run needs to know of it.

Rule: the records are packed by themselves, so that the journal takes them as they are when the change is promised.
Shape: a version (1 byte), how long the packed records are (4), these, the rest. Before, all was one packed text.
Must not know: where it is kept.
"""

import struct
from datetime import date

import msgspec

from ml_connector.store.scope import pack, unpack
from ml_connector.sync.detect import Row
from ml_connector.sync.outcome import Trace
from ml_connector.sync.ports import Entry

VERSION = 1
_HEAD = struct.Struct(">BI")
_ZLIB = 0x78  # what a packed text begins with


class Records(msgspec.Struct, frozen=True):
    """The records of a change, not decoded."""

    source: msgspec.Raw
    before: msgspec.Raw
    after: msgspec.Raw


class Rest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What else is known of a change."""

    rows: tuple[Row, ...] = ()
    effective_on: date | None = None
    late: bool = False
    warnings: tuple[str, ...] = ()
    trace: Trace = Trace()


class Body(msgspec.Struct, frozen=True):
    """A change's body, read back; `packed`: its records as they may go elsewhere, "" if they may not."""

    records: Records
    rest: Rest
    packed: bytes


def made(entry: Entry) -> bytes:
    """The body of an entry, not sealed yet."""
    one = entry.decision
    packed = pack(msgspec.json.encode({"source": entry.source, "before": one.before, "after": one.after}))
    rest = msgspec.json.encode(Rest(entry.rows, one.effective_on, one.late, one.warnings, one.trace))
    return _HEAD.pack(VERSION, len(packed)) + packed + rest


def read(body: bytes) -> Body:
    """The body from its bytes."""
    if body[0] == _ZLIB:
        plain = unpack(body)
        return Body(_RECORDS.decode(plain), _REST.decode(plain), b"")
    _, length = _HEAD.unpack_from(body)
    packed, rest = body[_HEAD.size : _HEAD.size + length], body[_HEAD.size + length :]
    return Body(_RECORDS.decode(unpack(packed)), _REST.decode(rest), packed)


_RECORDS, _REST = msgspec.json.Decoder(Records), msgspec.json.Decoder(Rest)
