"""The documents of Airbase, made of a purchase: ledger entries as recorded traffic has them, the rest as assumed.

Rule: the keys and what may be null are those that were seen or are written down as assumed.
Must not know: where a document is kept, nor how a purchase was made up.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ml_connector.sandbox.airbase.facts import Pair

Fields = dict[str, Any]

LEDGER_TYPES = (
    "bill",
    "reimbursement",
    "reimbursement_payment",
    "virtual_card_transaction",
    "physical_card_transaction",
    "bill_payment_load",
    "bill_payment_unload",
    "ach_load",
    "bill_payment",
)
REQUEST_STATUSES = ("created", "sent_back", "approved", "denied", "archived")
APPLIED_TO = {"reimbursement_payment": "reimbursement", "bill_payment": "bill"}
_SETTLED = ("virtual_card", "physical_card", "bill_payment_", "ach_load")
_DECIDED = {"approved": "accepted", "archived": "accepted", "denied": "denied"}


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """What the documents of one purchase have in common.

    Shape: `lines` and `tags` as in a ledger entry; `converted` and `rate` as `subsidiary_amount` and `exchange_rate`.
    """

    number: int
    vendor: Fields | None
    subsidiary: Fields
    currency: str
    total: str
    lines: Sequence[Fields]
    tags: Sequence[Fields]
    people: tuple[Fields, Fields]  # who asks, who approves
    at: str
    category: str | None = None
    converted: Fields | None = None
    rate: Fields | None = None
    po_number: str | None = None
    invoice_number: str | None = None
    description: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How money left the bank: an amount with its currency, the fee in it, and from which account."""

    kind: str = "ach"
    status: str = "settled"
    amount: str | None
    currency: str | None
    fee: str = "0"
    paid_at: str
    bank: Fields | None


def request_of(purchase: Purchase, status: str, kind: str = "SPEND_REQUEST") -> Fields:
    """Make a purchase request; its status decides whether it was approved."""
    approved_at = purchase.at if status in ("approved", "archived") else None
    decided_at = purchase.at if status in _DECIDED else None
    asks, approves = purchase.people
    return {
        "number": f"PR-{purchase.number:05d}",
        "status": status,
        "type": kind,
        "category": purchase.category,
        "requester": asks,
        "approvals": [
            {"approver": approves, "status": _DECIDED.get(status, "created"), "decided_at": decided_at},
        ],
        "approved_at": approved_at,
        "vendor": purchase.vendor,
        "subsidiary": purchase.subsidiary,
        "currency": {"iso_code": purchase.currency},
        "total_amount": purchase.total,
        "subsidiary_amount": purchase.converted,
        "exchange_rate": purchase.rate,
        "po_number": purchase.po_number if approved_at else None,
        "invoice_number": purchase.invoice_number if approved_at else None,
        "description": purchase.description,
        "lines": [{**line, "category": purchase.category} for line in purchase.lines],
        "tags": purchase.tags,
    }


def bill_of(
    purchase: Purchase, status: str, due_at: str, *, request_id: str | None = None, paid: bool = False
) -> Fields:
    """Make a bill."""
    return {
        **request_of(purchase, status, "BILL"),
        "number": f"BILL-{purchase.number:05d}",
        "invoice_number": purchase.invoice_number,
        "invoice_date": purchase.at,
        "due_date": due_at,
        "payment_status": "paid" if paid else "unpaid",
        "request_id": request_id,
    }


def payment_of(
    purchase: Purchase, settlement: Settlement, *, bill_ids: Sequence[str] = (), request_id: str | None = None
) -> Fields:
    """Make a payment."""
    return {
        "number": f"PAY-{purchase.number:05d}",
        "type": settlement.kind,
        "status": settlement.status,
        "vendor": purchase.vendor,
        "subsidiary": purchase.subsidiary,
        "currency": {"iso_code": purchase.currency},
        "amount": purchase.total,
        "settlement_amount": settlement.amount,
        "settlement_currency": settlement.currency and {"iso_code": settlement.currency},
        "fee": settlement.fee,
        "subsidiary_amount": purchase.converted,
        "exchange_rate": purchase.rate,
        "paid_at": settlement.paid_at,
        "bank_account": settlement.bank,
        "bill_ids": list(bill_ids),
        "request_id": request_id,
        "po_number": purchase.po_number,
        "invoice_number": purchase.invoice_number,
        "tags": purchase.tags,
    }


def entry_of(
    purchase: Purchase,
    kind: str,
    key: str,
    *,
    payable: Fields,
    bank: Fields | None,
    settled: Fields | None = None,
    applies_to: str | None = None,
) -> Fields:
    """Make a ledger entry that waits to be posted; `settled` is an amount with its `{iso_code}` currency."""
    is_settled = settles(kind)
    vendor = purchase.vendor if (kind.startswith("bill") and not is_settled) or "card" in kind else None
    url = f"https://app.example.test/ledger/{key}"
    amount = _money(purchase.total, purchase.currency)
    return {
        "id": key,
        "airbase_id": key,
        "erp_reference_id": None,
        "erp_url": None,
        "url": url,
        "airbase_url": url,
        "type": kind,
        "status": "sync_ready",
        "error_message": "",
        "spend_owner": purchase.people[0] if vendor else None,
        "subsidiary": purchase.subsidiary,
        "credit_mode": "prefunded" if is_settled else "",
        "vendor": vendor and {**vendor, "created_in_platform": True, "created_in_airbase": True},
        "employee": purchase.people[0] if kind.startswith("reimbursement") else None,
        "invoice_number": purchase.invoice_number if kind in ("bill", "bill_payment") else None,
        "bank_account": bank if is_settled or kind.endswith("_payment") else None,
        "ap_account": None if is_settled else payable,
        "applied_to": _applied(kind, applies_to),
        "receipt_link": None,
        "entry_date": purchase.at,
        "payment_entry_date": None,
        "currency": _currency(purchase.currency),
        "total_amount": purchase.total,
        "transaction_tags": purchase.tags,
        "notes": purchase.description,
        "is_amortized": False,
        "amortization_account": None,
        "amortization_start_date": None,
        "amortization_end_date": None,
        "expense_list": purchase.lines,
        "amounts": {
            "amount": amount,
            "transaction_amount": amount,
            "settlement_amount": _referred(settled) if is_settled else None,
            "subsidiary_amount": _referred(purchase.converted),
        },
    }


def settles(kind: str) -> bool:
    """Say whether a ledger entry of a type carries what left the bank."""
    return kind.startswith(_SETTLED)


def line_of(number: int, account: Fields | None, amount: str, tags: Sequence[Fields]) -> Fields:
    """Make one line of any document."""
    return {
        "line_number": number,
        "receipt_link": None,
        "account": account,
        "amount": amount,
        "tags": tags,
        "description": f"Line {number}",
        "amortization_start_date": None,
        "amortization_end_date": None,
    }


def account_of(pair: Pair) -> Fields:
    """Make a reference to an account."""
    return {"erp_reference_id": pair[0], "name": pair[1]}


def brief(row: Fields) -> Fields:
    """Make a reference to a row that has a key and a name."""
    return {"erp_reference_id": row["erp_reference_id"], "name": row["name"]}


def amount_in(amount: str, currency: str) -> Fields:
    """Make an amount with its currency, as the spend API has it."""
    return {"amount": amount, "currency": {"iso_code": currency}}


def _applied(kind: str, key: str | None) -> list[Fields] | None:
    if kind not in APPLIED_TO or key is None:
        return None
    return [{"id": key, "airbase_id": key, "transaction_type": APPLIED_TO[kind]}]


def _currency(code: str) -> Fields:
    return {"erp_reference_id": code, "iso_code": code}


def _money(amount: str, code: str) -> Fields:
    return {"amount": amount, "currency": _currency(code)}


def _referred(money: Fields | None) -> Fields | None:
    return money and _money(money["amount"], money["currency"]["iso_code"])
