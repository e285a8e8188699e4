"""A tie-out in the making: lines come in one by one, totals and what needs a look come out.

Rule: every line is told and counted; of each list only so many are kept, and the rest is counted.
Must not know: where lines come from.
"""

from collections.abc import Callable

import msgspec

from ml_connector.compare.tieout.lines import WAITING
from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.compare.tieout.totals import Totals

LINES_MAX = 1000


class Tying:
    """A tie-out in the making; `each` is told every line."""

    def __init__(self, each: Callable[[Line], None]) -> None:
        self._each = each
        self._totals = Totals()
        self._lists: dict[str, list[Line]] = {"differences": [], "timing": [], "waiting": []}
        self._cut: dict[str, int] = {}

    def add(self, line: Line) -> None:
        """Count a line."""
        self._each(line)
        self._totals.add(line)
        if line.difference:
            self._keep("differences", line)
        elif line.timing:
            self._keep("timing", line)
        if line.state in WAITING:
            self._keep("waiting", line)

    def _keep(self, name: str, line: Line) -> None:
        if len(self._lists[name]) < LINES_MAX:
            self._lists[name].append(line)
        else:
            self._cut[name] = self._cut.get(name, 0) + 1

    def onto(self, begun: TieOut) -> TieOut:
        """A tie-out with what came in."""
        lists = {name: tuple(lines) for name, lines in self._lists.items()}
        return msgspec.structs.replace(begun, totals=self._totals.made(), cut=self._cut, **lists)
