"""Totals of a tie-out, added up anew from its documents.

Rule: each figure follows from the documents alone; sums are exact. It shares nothing with what made the totals.
Must not know: how a tie-out adds up.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from ml_connector.compare.tieout.shapes import Figure, Line, Total
from ml_connector.evidence.tables import plain
from ml_connector.records import money

STATES = ("posted", "already_there", "held", "refused", "not_due", "to_come")
PLACES = ("ledger", "hold", "later", "earlier")
FIGURES = ("read", *STATES, *PLACES)
ADDED, TAKEN = ("posted", "already_there", "earlier"), ("later", "ledger", "hold")


class _Sum:
    """One company and currency."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = dict.fromkeys(FIGURES, 0)
        self.amounts: dict[str, Decimal] = dict.fromkeys(FIGURES, Decimal(0))
        self.differences = 0

    def add(self, name: str, count: int, amount: Decimal) -> None:
        """Add to a figure."""
        self.counts[name] += count
        self.amounts[name] = money.total((self.amounts[name], amount))

    def figures(self) -> dict[str, Any]:
        """All of it, by the names that a total has."""
        signed = [self.amounts[name] for name in ADDED] + [self.amounts[name].copy_negate() for name in TAKEN]
        told: dict[str, Any] = {name: Figure(count, self.amounts[name]) for name, count in self.counts.items()}
        return {**told, "differences": self.differences, "unexplained": money.total(signed)}


class Sums:
    """The sums of documents by company and currency."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)

    def add(self, line: Line) -> None:
        """Take in a document."""
        one = self._sums[line.company, line.currency]
        for name in ("read", line.state) if line.state else ():
            one.add(name, 1, line.amount)
        for name in PLACES:
            figure = getattr(line, name)
            one.add(name, figure.count, figure.amount)
        one.differences += bool(line.difference)

    def differences(self, totals: Sequence[Total]) -> Iterator[str]:
        """Where totals are not what the documents come to."""
        told = {(one.company, one.currency): one for one in totals}
        for place in sorted({*told, *self._sums}):
            yield from _differing(" ".join(place), told.get(place, Total(*place)), self._sums[place].figures())


def _differing(where: str, told: Total, due: dict[str, Any]) -> Iterator[str]:
    for name, found in due.items():
        said = getattr(told, name)
        if said != found:
            yield f"says {name.replace('_', ' ')} {_shown(said)} for {where}; the documents come to {_shown(found)}"


def _shown(value: Figure | Decimal | int) -> str:
    if isinstance(value, Figure):
        return f"{value.count:,} with {plain(value.amount)}"
    return plain(Decimal(value))
