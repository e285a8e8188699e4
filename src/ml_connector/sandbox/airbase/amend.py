"""A document with another total, as when a person corrects it.

Rule: what follows from the total follows it in proportion, rounded to its currency; lines that are given stay as given.
Must not know: where a document is kept.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.airbase.documents import Fields
from ml_connector.sandbox.airbase.money import rounded, shown

_TOTALS = {"purchase_requests": "total_amount", "bills": "total_amount", "payments": "amount"}


def amended(kind: str, row: Fields, total: str, lines: Sequence[Fields] | None = None) -> Fields:
    """Give the fields that change when the total of a document does."""
    if kind == "ledger_entries":
        return _entry(row, total, lines)
    name = _TOTALS[kind]
    before, currency = row[name], row["currency"]["iso_code"]
    changed = {name: total, "subsidiary_amount": _money(row["subsidiary_amount"], currency, before, total)}
    if kind == "payments":
        return {**changed, **_settlement(row, before, total)}
    return {**changed, "lines": lines or _lines(row["lines"], currency, before, total)}


def _entry(row: Fields, total: str, lines: Sequence[Fields] | None) -> Fields:
    before, currency = row["total_amount"], row["currency"]["iso_code"]
    amounts = {name: _money(money, currency, before, total) for name, money in row["amounts"].items()}
    return {
        "total_amount": total,
        "amounts": amounts,
        "expense_list": lines or _lines(row["expense_list"], currency, before, total),
    }


def _settlement(row: Fields, before: str, total: str) -> Fields:
    """Let what left the bank follow the total; the fee stays."""
    if row["settlement_amount"] is None:
        return {}
    fee = Decimal(row["fee"])
    drawn = shown(Decimal(row["settlement_amount"]) - fee)
    moved = _scaled(drawn, before, total, row["settlement_currency"]["iso_code"])
    return {"settlement_amount": shown(moved + fee)}


def _lines(lines: Sequence[Fields], currency: str, before: str, total: str) -> list[Fields]:
    """Scale the lines; the last one takes what is left, so that they add up."""
    parts = [_scaled(line["amount"], before, total, currency) for line in lines[:-1]]
    amounts = [*parts, Decimal(total) - sum(parts)]
    return [{**line, "amount": shown(amount)} for line, amount in zip(lines, amounts, strict=True)]


def _money(money: Any, currency: str, before: str, total: str) -> Any:
    if money is None:
        return None
    own = money["currency"]["iso_code"]
    return {**money, "amount": total if own == currency else shown(_scaled(money["amount"], before, total, own))}


def _scaled(amount: str, before: str, total: str, currency: str) -> Decimal:
    if not Decimal(before):
        return rounded(Decimal(total), currency)
    return rounded(Decimal(amount) * Decimal(total) / Decimal(before), currency)
