"""Vouchers: what should stand in the general ledger for one document.

Rule: a row's amounts are signed, debit positive; a voucher balances in every currency and in the company's.
Must not know: property names, how a voucher gets into the ledger.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.records import money


class VoucherRow(msgspec.Struct, frozen=True):
    """One row; `parts` are (code part, value) pairs in order of the code part."""

    account: str
    currency: str
    amount: Decimal
    company_amount: Decimal
    parts: tuple[tuple[str, str], ...] = ()
    text: str = ""
    party: str = ""


class Voucher(msgspec.Struct, frozen=True):
    """A voucher; without rows nothing should stand any more. `dated_on` is the document's day.

    `type` and `group`: voucher type and user group; "" leaves them to the landing. `rate_note`: rate, source and date.
    """

    company: str
    dated_on: date
    text: str
    rows: tuple[VoucherRow, ...] = ()
    type: str = ""
    group: str = ""
    rate_note: str = ""


def balance(rows: Iterable[VoucherRow]) -> dict[str, Decimal]:
    """What is left over in each currency; empty when a voucher balances."""
    sums: dict[str, list[Decimal]] = {}
    for row in rows:
        sums.setdefault(row.currency, []).append(row.amount)
    totals = {currency: money.total(amounts) for currency, amounts in sums.items()}
    return {currency: total for currency, total in totals.items() if total}


def company_balance(rows: Iterable[VoucherRow]) -> Decimal:
    """What is left over in the company's currency."""
    return money.total(row.company_amount for row in rows)


def turnover(rows: Iterable[VoucherRow]) -> Decimal:
    """The debit side in the company's currency."""
    return money.total(row.company_amount for row in rows if row.company_amount > 0)
