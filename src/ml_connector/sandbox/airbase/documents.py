"""Made-up documents: ledger entries as recorded traffic has them, requests, bills and payments as assumed.

One rule: the keys and what may be null are those that were seen; only the values are invented.
It must not know where a document is kept.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

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
)
REQUEST_STATUSES = ("created", "sent_back", "approved", "denied", "archived")
_SETTLED = ("virtual_card", "physical_card", "bill_payment_", "ach_load")
_PEOPLE = (("Ada Moreau", "ada.moreau@example.test"), ("Bo Lindqvist", "bo.lindqvist@example.test"))
_AMOUNTS = ("100", "1249.5", "87.35", "4020.00", "0.99", "15000")
_START = datetime(2026, 7, 1)  # noqa: DTZ001 - Airbase's times are naive


class Setting(msgspec.Struct, frozen=True):
    """What a document refers to."""

    vendors: Sequence[Fields]
    subsidiaries: Sequence[Fields]
    expenses: Sequence[Fields]
    payable: Fields
    bank: Fields
    line_tags: Sequence[Fields]  # one on every line, as a department would be
    document_tags: Sequence[Fields]


def ledger_entry(setting: Setting, number: int, kind: str, key: str, applies_to: str = "") -> Fields:
    """Make a ledger entry that waits to be posted."""
    settled = kind.startswith(_SETTLED)
    subsidiary = setting.subsidiaries[number % len(setting.subsidiaries)]
    amount, currency = _AMOUNTS[number % len(_AMOUNTS)], subsidiary["erp_currency_reference_id"]
    url = f"https://app.example.test/ledger/{key}"
    vendor = _ledger_vendor(setting, number) if kind == "bill" or "card" in kind else None
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
        "spend_owner": _person(number) if vendor else None,
        "subsidiary": _brief(subsidiary),
        "credit_mode": "prefunded" if settled else "",
        "vendor": vendor,
        "employee": _person(number) if kind.startswith("reimbursement") else None,
        "invoice_number": f"INV-{number:05d}" if kind == "bill" else None,
        "bank_account": _brief(setting.bank) if settled or kind.endswith("_payment") else None,
        "ap_account": None if settled else _brief(setting.payable),
        "applied_to": _applied(applies_to) if kind == "reimbursement_payment" else None,
        "receipt_link": None,
        "entry_date": _at(number, exact=settled),
        "payment_entry_date": None,
        "currency": _currency(currency),
        "total_amount": amount,
        "transaction_tags": _tags(setting.document_tags, number),
        "notes": f"Example {kind.replace('_', ' ')} {number}",
        "is_amortized": False,
        "amortization_account": None,
        "amortization_start_date": None,
        "amortization_end_date": None,
        "expense_list": _expenses(setting, number, amount),
        "amounts": {
            "amount": _money(amount, currency),
            "transaction_amount": _money(amount, currency),
            "settlement_amount": _money(amount, currency) if settled else None,
            "subsidiary_amount": _money(amount, currency),
        },
    }


def purchase_request(setting: Setting, number: int, status: str = "approved") -> Fields:
    """Make a purchase request; its status decides whether it was approved."""
    approved = status in ("approved", "archived")
    subsidiary = setting.subsidiaries[number % len(setting.subsidiaries)]
    amount = _AMOUNTS[number % len(_AMOUNTS)]
    decision = {"approved": "accepted", "archived": "accepted", "denied": "denied"}.get(status, "created")
    return {
        "number": f"PR-{number:05d}",
        "status": status,
        "type": "SPEND_REQUEST",
        "requester": _person(number),
        "approvals": [
            {"approver": _person(number + 1), "status": decision, "decided_at": _at(number) if approved else None}
        ],
        "approved_at": _at(number) if approved else None,
        "vendor": _vendor(setting, number),
        "subsidiary": _brief(subsidiary),
        "currency": {"iso_code": subsidiary["erp_currency_reference_id"]},
        "total_amount": amount,
        "po_number": f"APO-{number:05d}" if approved else None,
        "lines": _expenses(setting, number, amount),
        "tags": _tags(setting.document_tags, number),
    }


def bill(setting: Setting, number: int, status: str = "approved") -> Fields:
    """Make a bill."""
    return {
        **purchase_request(setting, number, status),
        "number": f"BILL-{number:05d}",
        "type": "BILL",
        "invoice_number": f"INV-{number:05d}",
        "invoice_date": _at(number),
        "due_date": _at(number + 30),
        "payment_status": "unpaid",
    }


def payment(setting: Setting, number: int, status: str = "settled") -> Fields:
    """Make a payment of no bill in particular."""
    subsidiary = setting.subsidiaries[number % len(setting.subsidiaries)]
    amount = _AMOUNTS[number % len(_AMOUNTS)]
    return {
        "status": status,
        "vendor": _vendor(setting, number),
        "subsidiary": _brief(subsidiary),
        "currency": {"iso_code": subsidiary["erp_currency_reference_id"]},
        "amount": amount,
        "settlement_amount": amount,
        "fee": "0",
        "paid_at": _at(number, exact=True),
        "bill_ids": [],
        "request_id": None,
    }


MAKERS: dict[str, Callable[[Setting, int], Fields]] = {
    "purchase_requests": purchase_request,
    "bills": bill,
    "payments": payment,
}


def _expenses(setting: Setting, number: int, amount: str) -> list[Fields]:
    """Split every third amount over two lines that add up exactly."""
    if number % 3:
        return [_expense(setting, number, 1, amount)]
    part = (Decimal(amount) / 4).quantize(Decimal("0.01"))
    return [
        _expense(setting, number, 1, str(part)),
        _expense(setting, number + 1, 2, str(Decimal(amount) - part)),
    ]


def _expense(setting: Setting, number: int, line: int, amount: str) -> Fields:
    return {
        "line_number": line,
        "receipt_link": None,
        "account": _brief(setting.expenses[number % len(setting.expenses)]),
        "amount": amount,
        "tags": _tags(setting.line_tags, number),
        "description": f"Line {line}",
        "amortization_start_date": None,
        "amortization_end_date": None,
    }


def _vendor(setting: Setting, number: int) -> Fields | None:
    if not setting.vendors:
        return None
    vendor = setting.vendors[number % len(setting.vendors)]
    return {name: vendor[name] for name in ("id", "airbase_id", "name", "erp_reference_id")}


def _ledger_vendor(setting: Setting, number: int) -> Fields | None:
    vendor = _vendor(setting, number)
    return vendor and {**vendor, "created_in_platform": True, "created_in_airbase": True}


def _applied(key: str) -> list[Fields]:
    return [{"id": key, "airbase_id": key, "transaction_type": "reimbursement"}]


def _brief(row: Fields) -> Fields:
    return {"erp_reference_id": row["erp_reference_id"], "name": row["name"]}


def _tags(tags: Sequence[Fields], number: int) -> list[Fields]:
    """Take one of the tags, if there are any."""
    names = ("erp_reference_id", "type_label", "name")
    return [{name: tags[number % len(tags)][name] for name in names}] if tags else []


def _currency(code: str) -> Fields:
    return {"erp_reference_id": code, "iso_code": code}


def _money(amount: str, code: str) -> Fields:
    return {"amount": amount, "currency": _currency(code)}


def _person(number: int) -> Fields:
    name, mail = _PEOPLE[number % len(_PEOPLE)]
    return {"name": name, "email": mail}


def _at(number: int, *, exact: bool = False) -> str:
    at = _START + timedelta(days=number % 60, hours=9 if exact else 0)
    return at.isoformat(timespec="microseconds" if exact else "seconds")
