"""What the vouchers of one document add to the figures of a period.

Rule: what is elsewhere is timing only where it is rightly there.
Must not know: documents, sentences.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from ml_connector.compare.tieout.shapes import Figure
from ml_connector.compare.tieout.sides import There
from ml_connector.records import money

NOTHING = Figure()


class Worth(msgspec.Struct, frozen=True):
    """A voucher, what it adds to the document's amount, whether it stands, and whether it may: `timely` False: it is
    too much in whatever period it is in.
    """

    there: There
    amount: Decimal
    live: bool
    timely: bool = True


class Figures(msgspec.Struct, frozen=True):
    """Vouchers in the ledger and in the hold table in this period, and what is timing."""

    ledger: Figure = NOTHING
    hold: Figure = NOTHING
    later: Figure = NOTHING
    earlier: Figure = NOTHING


def figures(worths: Iterable[Worth], period: str, *, mine: bool, timely: bool) -> Figures:
    """The figures; `mine`: the document is of this period; `timely`: what is in another one is rightly there."""
    listed = list(worths)
    inside = [one for one in listed if one.there.period == period]
    outside = [one for one in listed if one.there.period != period]
    elsewhere = [one for one in (outside if mine else inside) if one.timely and timely]
    return Figures(
        _figure(one for one in inside if one.there.place != "hold"),
        _figure(one for one in inside if one.there.place == "hold"),
        _figure(elsewhere) if mine else NOTHING,
        NOTHING if mine else _figure(elsewhere),
    )


def _figure(worths: Iterable[Worth]) -> Figure:
    listed = list(worths)
    return Figure(sum(one.live for one in listed), money.total(one.amount for one in listed))


def plus(left: Figure, right: Figure) -> Figure:
    """Both together."""
    return Figure(left.count + right.count, money.total((left.amount, right.amount)))
