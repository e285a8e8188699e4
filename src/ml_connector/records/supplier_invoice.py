"""Supplier invoices of the ERP, what the spend side says of them, and those that it proposes.

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


class InvoiceProposal(msgspec.Struct, frozen=True):
    """A supplier invoice that the spend side proposes to the ERP; `stands` False: there should be none any more."""

    company: str
    supplier_id: str
    number: str
    dated_on: date | None
    due_on: date | None
    currency: str
    amount: Decimal
    order_no: str = ""
    stands: bool = True


def told_by(proposal: InvoiceProposal) -> tuple[str, str, str]:
    """What people tell an invoice by: supplier, number as they compare it, currency."""
    return proposal.supplier_id, normal(proposal.number), proposal.currency


def same_worth(one: InvoiceProposal, other: InvoiceProposal) -> bool:
    """Whether both are one invoice, worth the same to the same company."""
    return told_by(one) == told_by(other) and (one.company, one.amount) == (other.company, other.amount)


def normal(number: str) -> str:
    """An invoice number as people compare it: `INV-0012` and `inv. 12` are one."""
    letters = _NOT_LETTERS.sub("", number.casefold())
    return _ZEROS.sub("", _PREFIX.sub("", letters))
