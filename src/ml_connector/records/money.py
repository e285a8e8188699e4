"""Money: exact decimals with a currency.

Rule: no float and no silent rounding; every operation is exact unless its name says otherwise.
Must not know: rates, accounts, systems.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

import msgspec

DIGITS_MAX = 60
_EXACT = Context(prec=2 * DIGITS_MAX + 10)

# Source: ISO 4217 minor units; every currency that is not listed has two.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS = [(set(_NO_DECIMALS.split()), 0), (set(_THREE_DECIMALS.split()), 3)]
_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(4))  # by decimals


class Money(msgspec.Struct, frozen=True):
    """An amount in a currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        exponent = self.amount.as_tuple().exponent
        short = isinstance(exponent, int) and -exponent < decimals(self.currency)
        return f"{self.currency} {rounded(self.amount, self.currency) if short else self.amount:,f}"


def exact(value: str | int | Decimal) -> Decimal:
    """A finite decimal, exactly as written.

    Raises: ValueError for anything else, floats included, and beyond `DIGITS_MAX` digits.
    """
    if isinstance(value, float | bool):
        raise ValueError("a float is not an amount")
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"not a number: {str(value)[:40]!r}") from error
    if number.is_finite() and _is_short(str(number)):
        return number
    sign_digits_exponent = number.as_tuple()
    exponent = sign_digits_exponent.exponent
    if not isinstance(exponent, int) or max(len(sign_digits_exponent.digits), abs(exponent)) > DIGITS_MAX:
        raise ValueError(f"not a usable number: {str(value)[:40]!r}")
    return number


def _is_short(text: str) -> bool:
    """Whether a number's text shows that it has no more digits than are usable, as nearly all do."""
    return len(text) <= DIGITS_MAX and "E" not in text


def plain(number: Decimal) -> str:
    """The shortest plain text of a number: equal numbers give equal text."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def times(left: Decimal, right: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(left, right)


def total(numbers: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = Decimal(0)
    for number in numbers:
        result = _EXACT.add(result, number)
    return result


def decimals(currency: str) -> int:
    """How many decimals a currency has."""
    return next((places for codes, places in _DECIMALS if currency in codes), 2)


def rounded(number: Decimal, currency: str) -> Decimal:
    """The number rounded half up to its currency's decimals."""
    return number.quantize(_STEPS[decimals(currency)], ROUND_HALF_UP, _EXACT)
