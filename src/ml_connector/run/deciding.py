"""Decide: what is to be done about one record, from all that is known of it.

Rule: every record comes out with one decision, made of what was looked up before; nothing is looked up here.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Sequence

import msgspec

from ml_connector.run.job import STAGED, Outcome, Pass
from ml_connector.sync import causes
from ml_connector.sync.flow import Context, Shape
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import WRITES, Action, Decision, Found, Link, decide, holding
from ml_connector.sync.ports import Sight
from ml_connector.sync.posting import decide_document, decide_doubted, decide_handed


class Known(msgspec.Struct, frozen=True):
    """What is known of a record: what was mapped, `whole` and as the target can hold it, and both sides' memory of it.

    `handed`: what was handed over of a document that is not linked yet; `found` None: the target was not asked.
    """

    sight: Sight
    whole: Outcome
    mapped: Outcome
    link: Link | None = None
    handed: Decision | None = None
    found: Sequence[Found] | None = None


def decided(now: Pass, known: Known, context: Context) -> Decision:
    """The decision on a record."""
    made = _resumed(now, known) or _landed(known) or _compared(now, known)
    return _traced(now, known.sight, _ready(now, made, known.whole, context))


def _resumed(now: Pass, known: Known) -> Decision | None:
    """Of a document that was in doubt and stands as agreed."""
    record, link, found = known.sight.record, known.link, known.found
    if now.job.flow.shape is not Shape.POST or not link or record is None or found is None or len(found) != 1:
        return None
    return decide_doubted(link, found[0], now.job.flow.trace(record))


def _landed(known: Known) -> Decision | None:
    """Of a document that was handed over, whether it is there by now or not."""
    if known.handed is None or len(known.found or ()) > 1:
        return None
    return decide_handed(known.sight.key, known.handed, next(iter(known.found or ()), None))


def _compared(now: Pass, known: Known) -> Decision:
    key, link, found = known.sight.key, known.link, _linked_of(now, known)
    one = found[0] if found else None
    if found is not None:
        if len(found) > 1:
            return decide(key, causes.doubled(key, found), link, one)
        if not link and not found and key in now.spurned:
            return decide(key, causes.answered_otherwise(key), None, None)
        if link and link.active and not found:
            return decide(key, causes.gone(key, link), link, None)
    if now.job.flow.shape is Shape.POST:
        return decide_document(key, known.mapped, link, one)
    if link and one and one.target_id != link.target_id:
        link = None  # brought back there as another record: that one is linked from now on
    return decide(key, known.mapped, link, one)


def _linked_of(now: Pass, known: Known) -> Sequence[Found] | None:
    """Of what was found of a link in doubt, the record that is linked; None where the target's word says no more.

    A target that can't be walked may know its records by other things than our keys.
    """
    flow, link, found = now.job.flow, known.link, known.found
    sure = now.walked or flow.shape is Shape.POST or flow.both_ways or known.sight.key in now.suspects
    if sure or found is None or link is None or link.digest:
        return found
    return [one for one in found if one.target_id == link.target_id] or None


def _ready(now: Pass, decision: Decision, mapped: Outcome, context: Context) -> Decision:
    """The decision once it is known that what was mapped may be sent now, all of it considered."""
    flow = now.job.flow
    if decision.action not in WRITES or not isinstance(mapped, Mapped):
        return decision
    if decision.action is Action.CREATE and flow.absent:
        return holding(decision.key, flow.absent(decision.after, decision.key), known=False)
    admitted = flow.admit(mapped.record, context)
    if isinstance(admitted, Held):
        return holding(decision.key, admitted, known=True)
    return msgspec.structs.replace(decision, effective_on=admitted.on, late=admitted.late, warnings=admitted.warnings)


def _traced(now: Pass, sight: Sight, decision: Decision) -> Decision:
    if decision.action not in STAGED or sight.record is None or decision.trace.origin:
        return decision
    return msgspec.structs.replace(decision, trace=now.job.flow.trace(sight.record))
