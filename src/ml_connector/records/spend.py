"""What was spent: purchase requests, bills, payments and ledger entries, all as one kind of document.

Rule: amounts are exact decimals with their currency; a kind or status is kept as it was written, never guessed.
Must not know: property or field names of either API, accounts of the ledger beyond those that the document names.
"""

from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.records.money import Money

REQUEST = "purchase_request"
BILL = "bill"
PAYMENT = "payment"


class Tag(msgspec.Struct, frozen=True):
    """A tag: its label names the dimension, its reference the code part value."""

    label: str
    reference: str
    name: str = ""


class Rate(msgspec.Struct, frozen=True):
    """Company currency for one unit of the document's currency, and where that comes from."""

    rate: Decimal
    source: str
    on: date | None = None


class SpendLine(msgspec.Struct, frozen=True):
    """A line; `amount` is in the document's currency, `account` is the one that the spend side shows."""

    number: int
    amount: Decimal
    account: str = ""
    category: str = ""
    description: str = ""
    tags: tuple[Tag, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """A document of the spend side.

    `kind`: `purchase_request`, `bill`, `payment`, or the type of a ledger entry as written. `dated_on`: the day it took
    effect (approved, paid, entered). `settlement`: what left the bank, fee included; `fee` is in its currency.
    `company_amount`: the amount in the company's currency, where the spend side says so. `due_on`: when a bill is to be
    paid.
    """

    id: str
    kind: str
    number: str
    status: str
    subsidiary: str
    amount: Money
    dated_on: date | None
    type: str = ""
    category: str = ""
    description: str = ""
    vendor_id: str = ""
    vendor: str = ""
    supplier_id: str = ""
    person: str = ""
    approver: str = ""
    approved: str = ""
    company_amount: Money | None = None
    settlement: Money | None = None
    fee: Decimal = Decimal(0)
    rate: Rate | None = None
    request_id: str = ""
    bill_ids: tuple[str, ...] = ()
    applied_to: tuple[str, ...] = ()
    po_number: str = ""
    invoice_number: str = ""
    bank_account: str = ""
    payable_account: str = ""
    url: str = ""
    lines: tuple[SpendLine, ...] = ()
    tags: tuple[Tag, ...] = ()
    due_on: date | None = None
