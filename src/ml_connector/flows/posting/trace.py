"""What is remembered of a posted document, and what makes two of them one sent twice.

Rule: what has no bearing on the voucher is not remembered: the address of its page, which status had the effect.
Must not know: rules, accounts.
"""

from datetime import timedelta

import msgspec

from ml_connector.flows.posting.amounts import less
from ml_connector.flows.posting.case import book_of
from ml_connector.flows.posting.effects import Effect, effect_of
from ml_connector.flows.posting.guards import worth
from ml_connector.records import codec
from ml_connector.records.spend import REQUEST, Document
from ml_connector.records.supplier_invoice import normal
from ml_connector.records.voucher import Voucher
from ml_connector.sync.flow import Context
from ml_connector.sync.outcome import Trace


def trace(document: Document) -> Trace:
    """What is remembered of a document."""
    return Trace(_origin(document), story_of(document), _alike(document))


def story_of(document: Document) -> str:
    """What chains a request, its bills and its payments: the request's id, else the bill's, else its own."""
    if document.kind == REQUEST:
        return document.id
    return document.request_id or next(iter((*document.bill_ids, *document.applied_to)), document.id)


def resembles(one: Voucher, other: Voucher, context: Context) -> bool:
    """Whether two vouchers that are alike may be one twice: same money, and not long apart."""
    book = book_of(context)
    first, second = worth(one), worth(other)
    if first is None or second is None or first.currency != second.currency:
        return False
    near = abs(one.dated_on - other.dated_on) <= timedelta(days=book.duplicate_days)
    same_side = (one.rows[0].amount > 0) == (other.rows[0].amount > 0)
    return near and same_side and less(first.amount, second.amount).copy_abs() <= book.duplicate_tolerance


def _origin(document: Document) -> str:
    effect = effect_of(document)
    shown = document.status if effect is None else "withdrawn" if effect is Effect.WITHDRAWN else ""
    return codec.digest(msgspec.structs.replace(document, url="", status=shown))


def _alike(document: Document) -> str:
    number = normal(document.invoice_number)
    party = document.supplier_id or document.vendor_id or document.vendor.strip().casefold()
    if not number or not party:
        return ""
    return codec.digest((document.kind, party, number, document.amount.currency))
