"""Amounts as text with the decimals of their currency, and made-up rates of exchange.

Rule: an amount is a decimal or its text; a rate is in the second currency for one unit of the first.
Must not know: what an amount is for.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_DECIMALS = {"JPY": 0, "KWD": 3}
_IN_DOLLARS = {
    "USD": Decimal(1),
    "EUR": Decimal("1.085"),
    "GBP": Decimal("1.27"),
    "SEK": Decimal("0.0955"),
    "NOK": Decimal("0.0935"),
    "JPY": Decimal("0.00668"),
    "KWD": Decimal("3.255"),
}
_RATE_STEP = Decimal("0.00000001")


def unit_of(currency: str) -> Decimal:
    """Give the smallest amount of a currency."""
    return Decimal(1).scaleb(-decimals_of(currency))


def decimals_of(currency: str) -> int:
    """Give the number of decimals of a currency."""
    return _DECIMALS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round an amount to the decimals of its currency, halves away from zero."""
    return amount.quantize(unit_of(currency), ROUND_HALF_UP)


def rate_between(currency: str, other: str, drift: Decimal = Decimal(1)) -> Decimal:
    """Give a rate to eight decimals, moved by a drift around one."""
    ratio = _IN_DOLLARS.get(currency, Decimal(1)) / _IN_DOLLARS.get(other, Decimal(1))
    return (ratio * drift).quantize(_RATE_STEP, ROUND_HALF_UP)


def split(total: Decimal, percents: Sequence[int], currency: str) -> list[Decimal]:
    """Split a total by percent; the last part takes what is left, so that they add up."""
    parts = [rounded(total * percent / 100, currency) for percent in percents[:-1]]
    return [*parts, total - sum(parts)]


def shown(amount: Decimal) -> str:
    """Write an amount without an exponent."""
    return format(amount, "f")
