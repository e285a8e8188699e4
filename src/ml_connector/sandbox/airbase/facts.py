"""What Airbase shares with the ERP from the start: companies, suppliers, accounts and dimensions.

Rule: a pair is a key of the ERP and a name; nothing here was made in Airbase.
Must not know: where the facts come from.
"""

from typing import NamedTuple

import msgspec

Pair = tuple[str, str]


class Company(msgspec.Struct, frozen=True):
    """A company of the ERP that Airbase has as a subsidiary."""

    company: str
    name: str
    currency: str
    country: str


class Supplier(NamedTuple):
    """A supplier of the ERP that Airbase may have as a vendor."""

    key: str
    name: str
    tax_id: str = ""
    country: str = ""


class Facts(msgspec.Struct, frozen=True):
    """What Airbase shares with the ERP from the start; the tags that come first are those that every line needs."""

    companies: tuple[Company, ...] = (
        Company("10", "Northwind Industries Inc", "USD", "US"),
        Company("20", "Northwind Europe AB", "EUR", "SE"),
    )
    suppliers: tuple[tuple[str, ...], ...] = ()
    expenses: tuple[Pair, ...] = (("60000", "Office supplies"), ("61000", "Travel"))
    payable: Pair = ("20000", "Accounts payable")
    bank: Pair = ("10100", "Money out clearing")
    card_clearing: Pair = ("10100", "Money out clearing")
    payment_clearing: Pair = ("10100", "Money out clearing")
    tags: tuple[tuple[str, str, str], ...] = (  # key, name, label
        ("D100", "Operations", "department"),
        ("D200", "Sales", "department"),
        ("P1", "Launch", "project"),
    )
    expired_expenses: tuple[Pair, ...] = ()
    expired_tags: tuple[tuple[str, str, str], ...] = ()

    def balance_accounts(self) -> tuple[Pair, ...]:
        """List the accounts that are no expense, each once."""
        return tuple(dict.fromkeys((self.payable, self.bank, self.card_clearing, self.payment_clearing)))
