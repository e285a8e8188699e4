"""What the ledger should hold of a document, by its status: its voucher, or nothing.

Rule: a status that nobody knows is held; a document that was never due waits for nobody.
Must not know: which flow the document belongs to.
"""

import msgspec

from ml_connector.flows.posting.compose import compose
from ml_connector.flows.posting.effects import Effect, effect_of
from ml_connector.flows.posting.guards import hold
from ml_connector.flows.posting.holds import held
from ml_connector.flows.posting.texts import text_of
from ml_connector.records.spend import Document
from ml_connector.records.voucher import Voucher
from ml_connector.sync.flow import Context, Reference
from ml_connector.sync.outcome import Held, Mapped, Owner


def map_document(document: Document, context: Context) -> Mapped[Voucher] | Held:
    """What should stand in the ledger for a document."""
    effect = effect_of(document)
    if effect is None:
        return _unknown_status(document)
    if effect is Effect.WITHDRAWN:
        return Mapped(_nothing(document, context), active=False, due=False)
    composed = compose(document, context)
    if isinstance(composed, Held):
        return msgspec.structs.replace(composed, idle=effect is Effect.STANDS)
    return Mapped(composed, due=effect is Effect.DUE)


def retire(record: Voucher) -> Held:
    """A posted document that Airbase lists no more: nobody knows whether the voucher is still right."""
    return hold(
        record,
        "gone_from_source",
        "it is posted, but Airbase does not list its document any more",
        "Look into Airbase. If it is rightly gone, reverse the voucher in IFS; else bring it back there.",
        Owner.CONTROLLER,
    )


def references(document: Document) -> tuple[Reference, ...]:
    """A document needs its supplier, where it names one."""
    return (Reference("suppliers", document.supplier_id),) if document.supplier_id else ()


def _nothing(document: Document, context: Context) -> Voucher:
    """The voucher without rows: as it was posted, else as far as it can be told."""
    if isinstance(context.agreed, Voucher):
        return msgspec.structs.replace(context.agreed, rows=())
    subsidiaries = context.tables.subsidiaries.items()
    company = next((one for one, reference in subsidiaries if reference == document.subsidiary), "")
    return Voucher(company, document.dated_on or context.today, text_of(document))


def _unknown_status(document: Document) -> Held:
    return held(
        document,
        "unknown_status",
        f"has the status {document.status or '(none)'}, which the connector does not know",
        "Report the status; until it is known the document is not posted.",
        Owner.ADMINISTRATOR,
    )
