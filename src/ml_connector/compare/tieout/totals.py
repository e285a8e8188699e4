"""Lines added up by company and currency.

Rule: every figure is the sum of its lines' own; nothing is added that no line says.
Must not know: how lines come about.
"""

from decimal import Decimal

import msgspec

from ml_connector.compare.tieout.figures import plus
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
PLACED = ("ledger", "hold", "later", "earlier")


class Totals:
    """Totals in the making."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], dict[str, Figure]] = {}
        self._differences: dict[tuple[str, str], int] = {}

    def add(self, line: Line) -> None:
        """Count a line."""
        place = line.company, line.currency
        sums = self._sums.setdefault(place, {})
        self._differences[place] = self._differences.get(place, 0) + bool(line.difference)
        added = {name: getattr(line, name) for name in PLACED}
        if line.state:
            added |= dict.fromkeys(("read", STATES[State(line.state)]), Figure(1, line.amount))
        for name, figure in added.items():
            sums[name] = plus(sums.get(name, Figure()), figure)

    def made(self) -> tuple[Total, ...]:
        """All of them, by company and currency."""
        return tuple(self._total(place) for place in sorted(self._sums))

    def _total(self, place: tuple[str, str]) -> Total:
        found = msgspec.structs.replace(Total(*place, differences=self._differences[place]), **self._sums[place])
        return msgspec.structs.replace(found, unexplained=money.total(_left(found)))


def _left(total: Total) -> tuple[Decimal, ...]:
    there = (total.ledger.amount, total.hold.amount, total.later.amount)
    wanted = (total.posted.amount, total.already_there.amount, total.earlier.amount)
    return (*wanted, *(one.copy_negate() for one in there))
