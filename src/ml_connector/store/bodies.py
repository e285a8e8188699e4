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

VERSION = 1  # a packed text begins with another byte
_HEAD = struct.Struct(">BI")


class Records(msgspec.Struct, frozen=True):
    """The records of a change, not decoded."""

    source: msgspec.Raw
    before: msgspec.Raw
    after: msgspec.Raw


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What else is known of a change."""

    effective_on: date | None = None
    late: bool = False
    warnings: tuple[str, ...] = ()
    trace: Trace = Trace()


class Rest(Known, frozen=True, omit_defaults=True):
    """That, with the rows as bare texts: the names of their fields would take most of the place."""

    rows: tuple[tuple[str, ...], ...] = ()


class Former(Known, frozen=True):
    """That, as it was written before."""

    rows: tuple[Row, ...] = ()


class Body(msgspec.Struct, frozen=True):
    """A change's body, read back; `packed`: its records as they may go elsewhere, "" if they may not."""

    records: Records
    known: Known
    rows: tuple[Row, ...]
    packed: bytes


def made(entry: Entry) -> bytes:
    """The body of an entry, not sealed yet."""
    one = entry.decision
    packed = pack(msgspec.json.encode({"source": entry.source, "before": one.before, "after": one.after}))
    rows = tuple([msgspec.structs.astuple(row) for row in entry.rows])
    rest = Rest(one.effective_on, one.late, one.warnings, one.trace, rows)
    return _HEAD.pack(VERSION, len(packed)) + packed + msgspec.json.encode(rest)


def read(body: bytes) -> Body:
    """The body from its bytes."""
    if body[0] != VERSION:
        plain = unpack(body)
        former = msgspec.json.decode(plain, type=Former)
        return Body(_RECORDS.decode(plain), former, former.rows, b"")
    _, length = _HEAD.unpack_from(body)
    packed, rest = body[_HEAD.size : _HEAD.size + length], _REST.decode(body[_HEAD.size + length :])
    return Body(_RECORDS.decode(unpack(packed)), rest, tuple([Row(*row) for row in rest.rows]), packed)


_RECORDS, _REST = msgspec.json.Decoder(Records), msgspec.json.Decoder(Rest)
