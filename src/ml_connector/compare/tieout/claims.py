"""A document with what a run would do about it becomes a claim.

Rule: the amount is the document's own; what should stand is what was agreed when it was posted, else what it maps to.
Must not know: what is in IFS.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.compare.tieout.calendar import UNKNOWN
from ml_connector.compare.tieout.shapes import State
from ml_connector.compare.tieout.sides import Claim
from ml_connector.records.spend import Document
from ml_connector.records.voucher import Voucher
from ml_connector.sync import causes
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import WRITES, Action, Decision, Link
from ml_connector.sync.ports import Sight

REFUSED = ("refused_by_ifs", "refused")
_WITHOUT = {
    Action.CREATE: State.TO_COME,
    Action.UPDATE: State.TO_COME,
    Action.ADOPT: State.POSTED,
    Action.RELINK: State.POSTED,
    Action.HELD: State.HELD,
}
_NOBODY = Held("", "", "")


class _Said(msgspec.Struct, frozen=True):
    """What link and decision say should stand."""

    expected: Voucher | None = None
    wanted: Voucher | None = None
    linked: bool = False
    active: bool = False
    changed: bool = False


def claim_of(flow: str, sight: Sight, decision: Decision, link: Link | None, companies: Mapping[str, str]) -> Claim:
    """What the spend side says of a document that it has; `companies`: by subsidiary."""
    said = _linked(decision, link) if link else _unlinked(decision)
    state = State.POSTED if said.linked and said.active else _WITHOUT.get(decision.action, State.NOT_DUE)
    held = sight.unreadable or decision.held or _NOBODY
    state = State.REFUSED if state is State.HELD and held.cause in REFUSED else state
    told = {"state": state, "cause": held.cause, "reason": held.sentence, "remedy": held.remedy}
    target_id = link.target_id if link else decision.target_id
    given: dict[str, Any] = {**_of_document(sight, said.expected, companies), **msgspec.structs.asdict(said), **told}
    return Claim(flow, sight.key, target_id=target_id, carried=_carried(sight.record, said), **given)


def carries(document: Document, voucher: Voucher) -> bool:
    """Whether a voucher moves what the document itself says: its amount, what went through the bank, or its lines."""
    currency, paid = document.amount.currency, document.settlement
    moved = Counter(row.amount.copy_abs() for row in voucher.rows if row.currency == currency)
    own = {document.amount.amount.copy_abs()}
    own |= {paid.amount.copy_abs()} if paid and paid.currency == currency else set()
    lines = Counter(line.amount.copy_abs() for line in document.lines if line.amount)
    return bool(own & moved.keys()) or (bool(lines) and lines <= moved)


def _of_document(sight: Sight, expected: Voucher | None, companies: Mapping[str, str]) -> dict[str, Any]:
    """What it says itself; a record that nobody can read counts, but with no amount."""
    own = expected.company if expected else ""
    document = sight.record
    if isinstance(document, Document):
        return {
            "number": document.number or document.id,
            "company": own or companies.get(document.subsidiary, UNKNOWN),
            "currency": document.amount.currency or UNKNOWN,
            "amount": document.amount.amount,
            "dated_on": document.dated_on,
            "url": document.url,
        }
    currency = expected.rows[0].currency if expected and expected.rows else UNKNOWN
    return {
        "number": sight.key,
        "company": own or UNKNOWN,
        "currency": currency,
        "amount": Decimal(0),
        "dated_on": expected.dated_on if expected else None,
        "unreadable": True,
    }


def _linked(decision: Decision, link: Link) -> _Said:
    agreed = link.agreed if isinstance(link.agreed, Voucher) else None
    if decision.action in (Action.RELINK, Action.ADOPT):
        return _Said(_some(decision.after), linked=True, active=decision.active)
    due = decision.action in WRITES
    waits = decision.held is not None and decision.held.cause not in causes.IN_TARGET
    changed = link.active and (due or waits)
    return _Said(_some(agreed), decision.after if due else None, linked=True, active=link.active, changed=changed)


def _unlinked(decision: Decision) -> _Said:
    sure = decision.action in (Action.RELINK, Action.ADOPT)
    return _Said(_some(decision.after), linked=sure, active=decision.active)


def _some(voucher: Voucher | None) -> Voucher | None:
    return voucher if voucher and voucher.rows else None


def _carried(document: Any, said: _Said) -> bool:
    voucher = _some(said.wanted) or said.expected
    return voucher is None or not isinstance(document, Document) or carries(document, voucher)
