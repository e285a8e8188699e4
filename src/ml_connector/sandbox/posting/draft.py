"""A voucher as it is checked, wherever it came from.

Rule: amounts are signed, debit positive; what was not given is None.
It must not know the world, nor what is refused.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple


class Unfit(ValueError):
    """Something that the ledger does not take; a code and a text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")


class DraftRow(NamedTuple):
    """One row; `parts` are the code parts that have a value, by letter."""

    account: str | None
    parts: Mapping[str, str]
    currency: str | None
    amount: Decimal | None
    company_amount: Decimal | None
    text: str | None = None


class Draft(NamedTuple):
    """A whole voucher; `year` is the accounting year that its number was allotted in."""

    company: str
    voucher_type: str
    user_group: str
    dated_on: date
    year: Decimal | None
    rows: list[DraftRow]
    text: str | None = None


class Flaw(NamedTuple):
    """One reason why a voucher is refused; `row` is none when it is about the whole."""

    code: str
    text: str
    row: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"
