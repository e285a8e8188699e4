"""A supplier invoice of IFS shows what became of it in Airbase.

Rule: only the status of an invoice that is there is set; none is ever made.
Must not know: property or field names of either API.
"""

from ml_connector.records import keys
from ml_connector.records.supplier_invoice import InvoiceReference, InvoiceStatus
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.policy import Policy

ORDER = "order"
NO_SUPPLIER = "-"


def map_status(reference: InvoiceReference, _context: Context) -> Mapped[InvoiceStatus] | Held:
    """The status to show; a document of which there is nothing to say yet need not be looked for."""
    return Mapped(InvoiceStatus(reference.status), due=bool(reference.status))


def retire(status: InvoiceStatus) -> InvoiceStatus:
    """The last that was said stays."""
    return status


def absent(_status: InvoiceStatus, key: str) -> Held:
    """Why a document waits whose invoice IFS does not have; one that names an order only may never get any."""
    _, _, kind, whose, number = keys.split(key)
    of = "" if whose == NO_SUPPLIER else f" of supplier {whose}"
    which = f"for order {number}{of}" if kind == ORDER else f"{number}{of}"
    return Held(
        "invoice_not_found",
        f"Airbase decided on a supplier invoice that IFS does not have: {which}.",
        "Enter the invoice in IFS, or correct its number in Airbase; then run again.",
        Owner.CLERK,
        idle=kind == ORDER,
    )


INVOICE_STATUS = Flow(
    name="invoice_status",
    title="Invoice decisions to IFS",
    source=End("airbase", "invoice_references"),
    target=End("ifs", "supplier_invoices"),
    source_kind=InvoiceReference,
    target_kind=InvoiceStatus,
    map=map_status,
    retire=retire,
    absent=absent,
    policy=Policy(change_share_max=1.0, deactivate_share_max=1.0),  # it says what is, of whatever many
    setting=Setting(("invoices", "status"), (True,)),
    heeds=(),
)
