"""An approved bill of Airbase becomes a supplier invoice proposal in IFS.

Rule: an invoice is proposed once; what becomes of its bill afterwards is for a person, never a change from here.
Must not know: property or field names of either API.
"""

from collections.abc import Mapping

import msgspec

from ml_connector.flows.posting.holds import held
from ml_connector.records import money
from ml_connector.records.spend import Document
from ml_connector.records.supplier_invoice import InvoiceProposal, normal, same_worth
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.policy import Policy

APPROVED = "approved"
OTHERS = ("created", "sent_back", "denied", "archived")  # of these nothing should stand


def map_bill(bill: Document, context: Context) -> Mapped[InvoiceProposal] | Held:
    """The invoice to propose; one that was proposed stays as it was, as long as it says the same."""
    agreed = context.agreed if isinstance(context.agreed, InvoiceProposal) else None
    if bill.status in OTHERS:
        return Mapped(retire(agreed), active=False) if agreed else _not_approved(bill)
    problem = _problem(bill, context)
    if problem:
        return problem
    proposal = proposal_of(bill, context.tables.subsidiaries)
    stands = agreed is not None and agreed.stands and same_worth(agreed, proposal)
    return Mapped(agreed if agreed and stands else proposal)


def retire(proposal: InvoiceProposal) -> InvoiceProposal:
    """No invoice should stand for a bill that is withdrawn or gone."""
    return msgspec.structs.replace(proposal, stands=False)


def proposal_of(bill: Document, subsidiaries: Mapping[str, str]) -> InvoiceProposal:
    """The invoice that a bill would be, due or not; `subsidiaries` by company."""
    return InvoiceProposal(
        company=_company(bill, subsidiaries),
        supplier_id=bill.supplier_id,
        number=bill.invoice_number.strip(),
        dated_on=bill.dated_on,
        due_on=bill.due_on,
        currency=bill.amount.currency,
        amount=bill.amount.amount,
        order_no=bill.po_number.strip(),
    )


def _company(bill: Document, subsidiaries: Mapping[str, str]) -> str:
    return next((company for company, reference in subsidiaries.items() if reference == bill.subsidiary), "")


def _problem(bill: Document, context: Context) -> Held | None:
    if bill.status != APPROVED:
        return _unknown_status(bill)
    if not _company(bill, context.tables.subsidiaries):
        return _not_mapped(bill)
    return _unnamed(bill) or _unfit(bill)


def _unnamed(bill: Document) -> Held | None:
    """Why an invoice could not be told from others."""
    if not bill.supplier_id:
        return held(
            bill,
            "vendor_without_supplier",
            f"is of vendor {bill.vendor or '(none)'}, which carries no supplier of IFS",
            "Set the supplier's number as the vendor's ERP id in Airbase; the invoice follows by itself.",
        )
    if not normal(bill.invoice_number):
        return held(
            bill,
            "invoice_number_missing",
            "has no invoice number",
            "Fill it in on the bill in Airbase, then run again.",
        )
    if bill.dated_on is None:
        return held(bill, "date_missing", "has no invoice date", "Fill it in on the bill in Airbase, then run again.")
    return None


def _unfit(bill: Document) -> Held | None:
    """Why an amount is none of an invoice."""
    amount, currency = bill.amount.amount, bill.amount.currency
    if amount <= 0:
        return held(
            bill,
            "amount_not_positive",
            f"is over {bill.amount}, which is no invoice to be paid",
            "If it is a credit note, enter it in IFS as one; else correct its amount in Airbase.",
        )
    if money.rounded(amount, currency) != amount:
        return held(
            bill,
            "too_precise",
            f"is over {bill.amount}, which has more decimals than {currency}",
            "Correct its amount in Airbase, then run again.",
        )
    return None


def _not_approved(bill: Document) -> Held:
    return msgspec.structs.replace(
        held(bill, "not_approved", f"is {bill.status}, not approved", "Nothing, if nobody wants it."), idle=True
    )


def _unknown_status(bill: Document) -> Held:
    return held(
        bill,
        "unknown_status",
        f"has the status {bill.status or '(none)'}, which the connector does not know",
        "Report the status; until it is known the bill is not proposed.",
        Owner.ADMINISTRATOR,
    )


def _not_mapped(bill: Document) -> Held:
    return held(
        bill,
        "subsidiary_not_mapped",
        f"is of subsidiary {bill.subsidiary or '(none)'}, which no company of IFS is mapped to",
        "Map it: ml-connector connect … --subsidiary <company>=<Airbase reference>, then run again.",
        Owner.ADMINISTRATOR,
        lacks=bill.subsidiary,
    )


SUPPLIER_INVOICES = Flow(
    name="supplier_invoices",
    title="Approved bills to IFS supplier invoices",
    source=End("airbase", "bills"),
    target=End("ifs", "invoice_proposals"),
    source_kind=Document,
    target_kind=InvoiceProposal,
    map=map_bill,
    retire=retire,
    policy=Policy(change_share_max=1.0, deactivate_share_max=1.0),  # nothing is ever changed there
    setting=Setting(("invoices", "entered_in"), ("airbase",)),
    heeds=(),
)
