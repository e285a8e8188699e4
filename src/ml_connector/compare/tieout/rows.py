"""The rows of vouchers beside each other: what they come to, and how two sets of them differ.

Rule: exact; texts do not count, and parties only where they are asked for.
Must not know: documents.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import TypeVar

from ml_connector.records import money
from ml_connector.records.voucher import VoucherRow

Parts = tuple[tuple[str, str], ...]
Place = tuple[str, Parts, str]  # account, code parts, currency
Sums = dict[Place, tuple[Decimal, Decimal]]
P = TypeVar("P", bound=Hashable)


def counted(rows: Iterable[VoucherRow]) -> Counter[tuple[str, Parts, str, Decimal, Decimal]]:
    """The rows, in no order."""
    return Counter((row.account, row.parts, row.currency, row.amount, row.company_amount) for row in rows)


def amounts(rows: Iterable[VoucherRow]) -> Counter[tuple[str, Decimal, Decimal]]:
    """The amounts of rows, whatever their accounts."""
    return Counter((row.currency, row.amount, row.company_amount) for row in rows)


def currencies(rows: Iterable[VoucherRow]) -> set[str]:
    """The currencies of rows."""
    return {row.currency for row in rows}


def net(rows: Iterable[VoucherRow]) -> Sums:
    """What rows come to, by account, code parts and currency; what comes to nothing is left out."""
    return _summed(rows, lambda row: (row.account, row.parts, row.currency))


def net_of_parties(rows: Iterable[VoucherRow]) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    """The same by account, party and currency."""
    return _summed(rows, lambda row: (row.account, row.party, row.currency))


def _summed(rows: Iterable[VoucherRow], place_of: Callable[[VoucherRow], P]) -> dict[P, tuple[Decimal, Decimal]]:
    sums: dict[P, tuple[Decimal, Decimal]] = {}
    for row in rows:
        place = place_of(row)
        amount, company = sums.get(place, (Decimal(0), Decimal(0)))
        sums[place] = money.total((amount, row.amount)), money.total((company, row.company_amount))
    return {place: both for place, both in sums.items() if any(both)}


def negated(sums: Sums) -> Sums:
    """The same with the other sign."""
    return {place: (amount.copy_negate(), company.copy_negate()) for place, (amount, company) in sums.items()}


def way(sums: Sums, others: Sums) -> int:
    """Whether these move the same way (1) as others or the other way (-1); 0: they have no account in common."""
    products = (money.times(amount, others[place][0]) for place, (amount, _) in sums.items() if place in others)
    moved = money.total(products)
    return (moved > 0) - (moved < 0)


def sides(rows: Iterable[VoucherRow], currency: str) -> tuple[Decimal, Decimal]:
    """Debit and credit in a currency."""
    these = [row.amount for row in rows if row.currency == currency]
    debit = money.total(one for one in these if one > 0)
    return debit, money.total(one.copy_abs() for one in these if one < 0)
