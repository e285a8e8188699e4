"""Bodies of changes: read back as they were written, also by the programs before."""

from datetime import date

import msgspec

from ml_connector.store import bodies
from ml_connector.store.scope import pack, unpack
from ml_connector.sync.outcome import Trace
from ml_connector.sync.plan import Action

from .samples import entry, rows


def test_a_body_comes_back_whole() -> None:
    one = entry("S1", Action.UPDATE)
    decision = msgspec.structs.replace(
        one.decision,
        effective_on=date(2026, 1, 2),
        late=True,
        warnings=("may be a double",),
        trace=Trace("a", "b", "c"),
    )
    body = bodies.read(bodies.made(msgspec.structs.replace(one, decision=decision)))
    assert body.rows == one.rows
    assert body.known == bodies.Rest(
        date(2026, 1, 2),
        True,
        ("may be a double",),
        Trace("a", "b", "c"),
        body.known.rows,  # type: ignore[attr-defined]
    )
    assert bytes(body.records.source) == msgspec.json.encode(one.source)
    told = {"source": one.source, "before": decision.before, "after": decision.after}
    assert unpack(body.packed) == msgspec.json.encode(told), "the journal gets exactly the records"


def test_a_body_of_a_program_before_is_read() -> None:
    told = {"source": {"a": 1}, "before": None, "after": {"b": 2}, "rows": rows("S1"), "late": True, "warnings": ["w"]}
    body = bodies.read(pack(msgspec.json.encode(told)))
    assert (body.rows, body.known.late, body.known.warnings, body.packed) == (rows("S1"), True, ("w",), b"")
    assert (bytes(body.records.before), bytes(body.records.after)) == (b"null", b'{"b":2}')
