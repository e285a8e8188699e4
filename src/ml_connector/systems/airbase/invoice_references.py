"""Which invoice or order of the ERP a request or payment refers to, and what became of it.

Rule: a document that refers to nothing has no key. A status that says nothing yet is "".
Must not know: HTTP, invoices of the ERP.
"""

from zoneinfo import ZoneInfo

from ml_connector.records import keys
from ml_connector.records.spend import PAYMENT, REQUEST, Document
from ml_connector.records.supplier_invoice import InvoiceReference
from ml_connector.systems.airbase import documents
from ml_connector.systems.airbase.client import id_of
from ml_connector.systems.airbase.reading import Fields, Raw
from ml_connector.systems.airbase.resource import Resource

NO_SUPPLIER = "-"
UNKNOWN = "?"
DEPTH = 5
KINDS = {"purchase_requests": REQUEST, "payments": PAYMENT}
STATUSES = {
    (REQUEST, "approved"): "Approved",
    (REQUEST, "denied"): "Declined",
    (PAYMENT, "settled"): "Paid",
    (PAYMENT, "reversed"): "Reversed",
}


def key(raw: Raw, resource: Resource, kind: str) -> str:
    """Kind and id of the document, kind of number, supplier, number; "" when it refers to nothing.

    A document whose reference can't be read has a key too, so that somebody hears of it.
    """
    try:
        number_kind, number = _number(Fields(raw, resource))
        supplier = Fields(raw, resource).inner("vendor", "erp_reference_id").strip()
    except ValueError:
        number_kind, number, supplier = "invoice", UNKNOWN, ""
    return keys.join((kind, id_of(raw), number_kind, _plain(supplier) or NO_SUPPLIER, number)) if number else ""


def reference(raw: Raw, resource: Resource, kind: str, zone: ZoneInfo) -> InvoiceReference:
    """The reference. Raises: FieldError."""
    reader = documents.request if kind == REQUEST else documents.payment
    document = reader(raw, resource, zone)
    number_kind, number = _number(Fields(raw, resource))
    return InvoiceReference(
        kind,
        document.id,
        document.supplier_id,
        document.amount.currency,
        document.amount.amount,
        number_kind,
        number,
        _status(document),
    )


def _number(fields: Fields) -> tuple[str, str]:
    invoice = _plain(fields.text("invoice_number"))
    return ("invoice", invoice) if invoice else ("order", _plain(fields.text("po_number")))


def _plain(text: str) -> str:
    """Text that can stand in a key."""
    return "".join(" " if character < " " else character for character in text).strip()


def _status(document: Document) -> str:
    return STATUSES.get((document.kind, document.status), "")
