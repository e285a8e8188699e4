"""A few plain documents by number: small, domestic, and nothing wrong with them.

Rule: the same setting and number make the same document.
Must not know: where a document is kept.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.sandbox.airbase import documents
from ml_connector.sandbox.airbase.documents import Fields, Purchase, Settlement
from ml_connector.sandbox.airbase.facts import Facts
from ml_connector.sandbox.airbase.money import shown, split

CATEGORIES = ("Office supplies", "Software", "Rent", "Materials", "Staff", "Marketing")
PEOPLE: tuple[Fields, ...] = (
    {"name": "Ada Moreau", "email": "ada.moreau@example.test"},
    {"name": "Bo Lindqvist", "email": "bo.lindqvist@example.test"},
)
_AMOUNTS = ("100", "1249.5", "87.35", "4020.00", "0.99", "15000")
_START = datetime(2026, 7, 1)  # noqa: DTZ001 - Airbase's times are naive


class Setting(msgspec.Struct, frozen=True):
    """What a document refers to."""

    facts: Facts
    vendors: Sequence[Fields]
    subsidiaries: Sequence[Fields]
    line_tags: Sequence[Fields]  # one on every line, as a department would be
    document_tags: Sequence[Fields]


def ledger_entry(setting: Setting, number: int, kind: str, key: str, applies_to: str | None = None) -> Fields:
    """Make a ledger entry that waits to be posted."""
    bought = _purchase(setting, number, f"Example {kind.replace('_', ' ')} {number}")
    bought = msgspec.structs.replace(bought, at=_at(number, exact=documents.settles(kind)))
    return documents.entry_of(
        bought,
        kind,
        key,
        payable=documents.account_of(setting.facts.payable),
        bank=documents.account_of(setting.facts.bank),
        settled=documents.amount_in(bought.total, bought.currency),
        applies_to=applies_to,
    )


def purchase_request(setting: Setting, number: int, status: str = "approved") -> Fields:
    """Make a purchase request."""
    return documents.request_of(_purchase(setting, number, f"Example purchase {number}"), status)


def bill(setting: Setting, number: int, status: str = "approved", **linked: Any) -> Fields:
    """Make a bill."""
    purchase = _purchase(setting, number, f"Example bill {number}")
    return documents.bill_of(purchase, status, _at(number + 30), **linked)


def payment(setting: Setting, number: int, status: str = "settled", **linked: Any) -> Fields:
    """Make a payment, of no bill in particular when none is given."""
    purchase = _purchase(setting, number, f"Example payment {number}")
    settlement = Settlement(
        status=status,
        amount=purchase.total,
        currency=purchase.currency,
        paid_at=_at(number, exact=True),
        bank=documents.account_of(setting.facts.bank),
    )
    return documents.payment_of(purchase, settlement, **linked)


MAKERS: dict[str, Callable[[Setting, int], Fields]] = {
    "purchase_requests": purchase_request,
    "bills": bill,
    "payments": payment,
}


def _purchase(setting: Setting, number: int, description: str) -> Purchase:
    subsidiary = setting.subsidiaries[number % len(setting.subsidiaries)]
    total, currency = _AMOUNTS[number % len(_AMOUNTS)], subsidiary["erp_currency_reference_id"]
    return Purchase(
        number=number,
        vendor=_vendor(setting, number),
        subsidiary=documents.brief(subsidiary),
        currency=currency,
        total=total,
        lines=_lines(setting, number, total),
        tags=_tags(setting.document_tags, number),
        people=(PEOPLE[number % 2], PEOPLE[(number + 1) % 2]),
        at=_at(number),
        category=CATEGORIES[number % len(CATEGORIES)],
        converted=documents.amount_in(total, currency),
        po_number=f"APO-{number:05d}",
        invoice_number=f"INV-{number:05d}",
        description=description,
    )


def _lines(setting: Setting, number: int, total: str) -> list[Fields]:
    """Split every third amount over two lines that add up exactly."""
    parts = [total] if number % 3 else [shown(part) for part in split(Decimal(total), (25, 75), "USD")]
    return [_line(setting, number, at, part) for at, part in enumerate(parts)]


def _line(setting: Setting, number: int, at: int, amount: str) -> Fields:
    expenses = setting.facts.expenses
    account = documents.account_of(expenses[(number + at) % len(expenses)])
    return documents.line_of(at + 1, account, amount, _tags(setting.line_tags, number + at))


def _vendor(setting: Setting, number: int) -> Fields | None:
    return setting.vendors[number % len(setting.vendors)] if setting.vendors else None


def _tags(tags: Sequence[Fields], number: int) -> list[Fields]:
    """Take one of the tags, if there are any."""
    return [tags[number % len(tags)]] if tags else []


def _at(number: int, *, exact: bool = False) -> str:
    at = _START + timedelta(days=number % 60, hours=9 if exact else 0)
    return at.isoformat(timespec="microseconds" if exact else "seconds")
