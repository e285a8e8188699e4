"""Voucher numbers: one series a company, voucher type and year.

Rule: a number is allotted once; a change that is taken back gives its numbers back.
It must not know vouchers.
"""

from decimal import Decimal

from ml_connector.sandbox.posting.books import Books
from ml_connector.sandbox.posting.draft import Unfit
from ml_connector.sandbox.world import World
from ml_connector.sandbox.world.vouchers import SERIES


def allot(world: World, company: str, voucher_type: str, year: Decimal) -> Decimal:
    """The next number.

    Raises: Unfit when the series is not allotted for the year, or used up.
    """
    key = (company, voucher_type, year)
    series = world.get(SERIES, key)
    if series is None or not Books(world).has_series(*key):
        raise Unfit(
            "VoucherNoSerial.NOTALLOTTED",
            f"The voucher type {voucher_type} has no voucher numbers for the year {year}.",
        )
    number: Decimal = series["NextNo"]
    if number > series["SerieUntil"]:
        raise Unfit("VoucherNoSerial.USEDUP", f"The voucher type {voucher_type} has no numbers left for {year}.")
    world.update(SERIES, key, {"NextNo": number + 1})
    return number
