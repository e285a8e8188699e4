"""Supplier invoices of the ERP, and what the spend side says of them.

Rule: a number is kept as it was written; matching normalises it.
Must not know: property or field names of either API.
"""

import re
from datetime import date
from decimal import Decimal

import msgspec

_NOT_LETTERS = re.compile(r"[\W_]+")
_PREFIX = re.compile(r"^(?:invoice|inv|no|nr)+(?=\d)")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


class SupplierInvoice(msgspec.Struct, frozen=True):
    """A supplier invoice of the ERP."""

    company: str
    invoice_id: str
    supplier_id: str
    number: str
    dated_on: date | None
    currency: str
    amount: Decimal
    order_no: str = ""
    state: str = ""
    status: str = ""


class InvoiceReference(msgspec.Struct, frozen=True):
    """A document of the spend side that refers to an invoice or an order; `status` "" says nothing yet."""

    kind: str
    id: str
    supplier_id: str
    currency: str
    amount: Decimal
    number_kind: str
    number: str
    status: str = ""


class InvoiceStatus(msgspec.Struct, frozen=True):
    """What the spend side made of an invoice, as the ERP shows it."""

    status: str


def normal(number: str) -> str:
    """An invoice number as people compare it: `INV-0012` and `inv. 12` are one."""
    letters = _NOT_LETTERS.sub("", number.casefold())
    return _ZEROS.sub("", _PREFIX.sub("", letters))
