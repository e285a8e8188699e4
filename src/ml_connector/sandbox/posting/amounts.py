"""Amounts in the company's currency, for rows that come with an amount in their own currency alone.

Rule: an amount that was given is kept as it is; half a unit rounds away from zero.
It must not know rows or the world.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext

from ml_connector.sandbox.posting.books import CURRENCIES, known_currency
from ml_connector.sandbox.posting.draft import Unfit
from ml_connector.sandbox.world.values import exact


def in_company_currency(amount: Decimal, currency: str, rate: Decimal | None, company_currency: str) -> Decimal:
    """An amount times the rate, rounded to what the company's currency has of decimals.

    Raises: Unfit for an unknown currency, and when there is no rate and the currency is not the company's.
    """
    known_currency(currency)
    if currency == company_currency:
        return amount
    if rate is None:
        raise Unfit("VoucherRow.NORATE", f"There is no currency rate from {currency} to {company_currency}.")
    with localcontext(prec=130):
        place = Decimal(1).scaleb(-CURRENCIES.get(company_currency, 2))
        return exact((amount * rate).quantize(place, ROUND_HALF_UP))


def one_sided(debit: Decimal | None, credit: Decimal | None) -> Decimal | None:
    """Debit or credit as one signed amount; none when neither is given.

    Raises: Unfit when both are given.
    """
    if debit is not None and credit is not None:
        raise Unfit("VoucherRow.BOTHSIDES", "A voucher row has either a debit or a credit amount.")
    return debit if debit is not None else None if credit is None else -credit
