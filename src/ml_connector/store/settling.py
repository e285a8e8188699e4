"""What a settlement writes beside the change's state: link, marks, exception, journal.

Rule: a link says what both sides agreed on; where that is not what was sent, or nothing was, the record's marks are
blanked, so that the next run looks at it again even if the source does not change.
Must not know: how the outcome was learnt.
"""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from ml_connector.errors import StoreError
from ml_connector.records import codec
from ml_connector.store import marks
from ml_connector.store.journal import Kind, Line
from ml_connector.store.links import MadeLink
from ml_connector.store.scope import Packed, Scope, clean
from ml_connector.sync.change import Event, State
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Link
from ml_connector.sync.ports import Change, Settlement

_TOLD = {
    State.SETTLED: Kind.SETTLED,
    State.REFUSED: Kind.REFUSED,
    State.UNCERTAIN: Kind.UNCERTAIN,
    State.DROPPED: Kind.DROPPED,
    State.HANDED: Kind.HANDED,
}
_THERE = (Event.DONE, Event.FIND)
_NOT_THERE = (Event.MISS, Event.LACK)
_SAID_NO = Held("refused", "The target refused the record and gave no reason.", "See the record's timeline.")


def link(settlement: Settlement) -> MadeLink:
    """The link that a settled change makes; where something else was found than was sent, it has no origin.

    Raises: StoreError when it names no target record.
    """
    decision = settlement.change.entry.decision
    target_id = clean(settlement.target_id or decision.target_id)
    if not target_id:
        raise StoreError(f"change {settlement.change.id} was settled without the target's id")
    if settlement.agreed is None:
        agreed, digest, trace = decision.after, decision.digest, decision.trace
    else:
        agreed, digest, trace = settlement.agreed, codec.digest(settlement.agreed), replace(decision.trace, origin="")
    return MadeLink(Link(decision.key, target_id, digest, decision.active, agreed, decision.wake_on), trace)


def mark(connection: Connection, scope: Scope, settlements: Sequence[Settlement]) -> None:
    """Mark the rows of what is as sent, or refused, as seen; of what is not, as to be looked at again."""
    seen = [one for one in settlements if one.event is Event.REFUSE or (one.event in _THERE and one.agreed is None)]
    again = [one for one in settlements if one.event in _NOT_THERE or (one.event in _THERE and one.agreed is not None)]
    marks.replace(connection, scope, [(one.change.key, one.change.entry.rows) for one in seen])
    marks.blank(connection, scope, [one.change.key for one in again])


def exceptions(settlements: Sequence[Settlement]) -> list[tuple[str, Held | None]]:
    """Which exceptions open, and which (None) are resolved."""
    opened = [(one.change.key, one.held or _SAID_NO) for one in settlements if one.held or one.event is Event.REFUSE]
    solved = [(one.change.key, None) for one in settlements if one.event in _THERE and one.held is None]
    return [*opened, *solved]


def intended(scope: Scope, run_id: str, change: Change) -> Line:
    """What the journal tells of a promise."""
    entry, decision = change.entry, change.entry.decision
    facts = _facts(change) | {"digest": decision.digest}
    told = {"effective_on": decision.effective_on, "warnings": decision.warnings}
    more = {name: value for name, value in told.items() if value}
    if change.packed and not more:
        return Line(Kind.INTENDED, facts, decision.key, scope.flow, run_id, Packed(change.packed))
    body = {"source": entry.source, "before": decision.before, "after": decision.after} | more
    return Line(Kind.INTENDED, facts, decision.key, scope.flow, run_id, body)


def settled(scope: Scope, run_id: str, one: Settlement, state: State, made: MadeLink | None) -> Line:
    """What the journal tells of an outcome."""
    facts = _facts(one.change) | {"event": str(one.event), "state": str(state)}
    if made:
        facts |= {"target_id": made.link.target_id, "digest": made.link.digest}
    body = {"note": one.note, "agreed": one.agreed} if one.note or one.agreed is not None else {}
    body |= {"told": one.told} if one.told else {}
    return Line(_TOLD[state], facts, one.change.key, scope.flow, run_id, body or None)


def _facts(change: Change) -> dict[str, Any]:
    decision = change.entry.decision
    return {"change": change.id, "action": str(decision.action), "target_id": decision.target_id}
