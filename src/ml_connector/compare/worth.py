"""What several amounts are worth together, currency by currency.

Rule: currencies are never added up.
Must not know: what the amounts are of.
"""

from collections.abc import Iterable
from decimal import Decimal

from ml_connector.records import money
from ml_connector.records.money import Money


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """The sum in each currency, by currency; those that come to nothing are left out."""
    sums: dict[str, list[Decimal]] = {}
    for one in amounts:
        sums.setdefault(one.currency, []).append(one.amount)
    added = {currency: money.total(sums[currency]) for currency in sorted(sums)}
    return tuple(Money(total, currency) for currency, total in added.items() if total)


def in_words(amounts: Iterable[Money]) -> str:
    """Amounts as a person reads them."""
    return ", ".join(str(one) for one in amounts)
