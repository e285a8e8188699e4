"""What to do about one document: posted once, corrected when its source changes, never edited.

Rule: what was posted stands until its source changes; what is in the ledger under our key without our doing is not
touched.
Must not know: how a correction is carried out.
"""

from typing import Any

import msgspec

from ml_connector.records import codec
from ml_connector.sync import causes
from ml_connector.sync.outcome import Held, Mapped, Trace
from ml_connector.sync.plan import Action, Decision, Found, Link, creating, holding, same


def stands(link: Link | None, trace: Trace) -> bool:
    """Whether a document is posted for certain and nothing that matters changed in its source since."""
    return link is not None and bool(link.digest) and bool(link.origin) and link.origin == trace.origin


def decide_handed(key: str, handed: Decision, found: Found | None) -> Decision:
    """The decision on a document that is in a file: linked as it was handed over once it shows, whatever became of its
    source or of the rules since; that is looked at afterwards.
    """
    if found is None or found.pending:
        return Decision(key, Action.HELD, held=causes.handed_over(key, found.target_id if found else ""))
    linked = Mapped(handed.after, wake_on=handed.wake_on)
    decision = _decision(key, Action.RELINK, linked, found.target_id, found.record)
    return msgspec.structs.replace(decision, trace=handed.trace)


def decide_doubted(link: Link, found: Found, trace: Trace) -> Decision | None:
    """The decision on a document in doubt that stands as agreed and whose source is as it was when it was linked:
    linked again, whatever the rules say by now. None: it is not such a one.
    """
    unchanged = not link.digest and link.origin and link.origin == trace.origin
    if not unchanged or found.pending or not same(found.record, link.agreed):
        return None
    agreed = Mapped(link.agreed, active=link.active, wake_on=link.wake_on)
    return _decision(link.key, Action.RELINK, agreed, found.target_id, found.record)


def decide_document(key: str, mapped: Mapped[Any] | Held | None, link: Link | None, found: Found | None) -> Decision:
    """The decision on a document; `mapped` None: nothing to do about it, or the source does not have it."""
    if found and found.pending:
        return Decision(key, Action.HELD, held=causes.handed_over(key, found.target_id))
    if isinstance(mapped, Held):
        return holding(key, mapped, known=link is not None or found is not None)
    if mapped is None and link is None and found:
        return Decision(key, Action.HELD, held=causes.posted_without_source(key, found.target_id))
    if mapped is None:
        return Decision(key, Action.UNCHANGED if link else Action.NOT_DUE)
    if link:
        return _linked(key, mapped, link, found)
    return _there(key, mapped, found) if found else creating(key, mapped)


def _there(key: str, mapped: Mapped[Any], found: Found) -> Decision:
    if same(found.record, mapped.record):
        return _decision(key, Action.ADOPT, mapped, found.target_id, found.record)
    return Decision(key, Action.HELD, held=causes.posted_otherwise(key, found.target_id))


def _linked(key: str, mapped: Mapped[Any], link: Link, found: Found | None) -> Decision:
    if not link.digest and found is not None and same(found.record, mapped.record):
        return _decision(key, Action.RELINK, mapped, found.target_id, link.agreed)
    agreed = link.digest == codec.digest(mapped.record)
    withdrawn = bool(link.digest) and not mapped.active and not link.active
    if agreed or withdrawn:
        return _decision(key, Action.RELINK, mapped, link.target_id, link.agreed)
    action = Action.UPDATE if mapped.active else Action.DEACTIVATE
    return _decision(key, action, mapped, link.target_id, link.agreed)


def _decision(key: str, action: Action, mapped: Mapped[Any], target_id: str, before: Any) -> Decision:
    return Decision(key, action, mapped.record, before, target_id, mapped.active, mapped.wake_on)
