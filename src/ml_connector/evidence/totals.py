"""Totals of a tie-out, added up anew from its documents.

Rule: each figure follows from the documents alone; sums are exact.
Must not know: how a tie-out adds up.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ml_connector.compare.tieout.shapes import Figure, Line, State, Total
from ml_connector.records import money

STATES = {
    State.POSTED: "posted",
    State.THERE: "already_there",
    State.HELD: "held",
    State.REFUSED: "refused",
    State.NOT_DUE: "not_due",
    State.TO_COME: "to_come",
}
FIGURES = ("read", *STATES.values())


class Sums:
    """The sums of documents by company and currency."""

    def __init__(self, period: str) -> None:
        self._period = period
        self._figures: dict[tuple[str, str], dict[str, Figure]] = {}

    def add(self, line: Line) -> None:
        """Take in a document."""
        figures = self._figures.setdefault((line.company, line.currency), {})
        if line.state and line.period == self._period:
            for name in ("read", STATES[State(line.state)]):
                figures[name] = _with(figures.get(name, Figure()), line.amount)

    def differences(self, totals: Sequence[Total]) -> Iterator[str]:
        """Where totals are not what the documents come to."""
        told = {(one.company, one.currency): one for one in totals}
        for place in sorted({*told, *self._figures}):
            yield from _differing(place, told.get(place, Total(*place)), self._figures.get(place, {}))


def _differing(place: tuple[str, str], told: Total, due: dict[str, Figure]) -> Iterator[str]:
    for name in FIGURES:
        said, found = getattr(told, name), due.get(name, Figure())
        if (said.count, said.amount) != (found.count, found.amount):
            where = " ".join(part or "?" for part in place)
            yield (
                f"says {name.replace('_', ' ')} {_figure(said)} for {where}, and the documents come to {_figure(found)}"
            )


def _figure(one: Figure) -> str:
    return f"{one.count:,} with {money.exact(one.amount):,f}"


def _with(figure: Figure, amount: Decimal) -> Figure:
    return Figure(figure.count + 1, money.total((figure.amount, amount)))
