"""What was to be reached, and whether it is.

Rule: a target says what was wanted, what was measured, and nothing else; what was not measured is not reached.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import plots


class Target(NamedTuple):
    """One target; `reached` None: not measured."""

    name: str
    wanted: str
    measured: str
    reached: bool | None


def at_least(name: str, wanted: float, ratio: float | None, of: str) -> Target:
    """So many times as fast as something."""
    return _ratio(name, f"≥ {wanted:g} ×", ratio, of, reached=ratio is not None and ratio >= wanted)


def at_most(name: str, wanted: float, ratio: float | None, of: str) -> Target:
    """No more than so many times what something takes."""
    return _ratio(name, f"≤ {wanted:g} ×", ratio, of, reached=ratio is not None and ratio <= wanted)


def _ratio(name: str, wanted: str, ratio: float | None, of: str, *, reached: bool) -> Target:
    if ratio is None:
        return Target(name, wanted, "not measured", None)
    return Target(name, wanted, f"{plots.number(ratio)} × ({of})", reached)


def table(targets: Iterable[Target]) -> str:
    """As a table."""
    said = {True: "**reached**", False: "**not reached**", None: "not measured"}
    rows = [(one.name, one.wanted, one.measured, said[one.reached]) for one in targets]
    return grid(("Target", "Wanted", "Measured", ""), rows)


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; columns of figures stand to the right."""
    listed = [tuple(row) for row in rows]
    right = [place > 0 and all(_is_figure(row[place]) for row in listed) for place in range(len(head))]
    rule = ["--:" if one else "---" for one in right]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *listed)) + "\n"


def _is_figure(said: str) -> bool:
    return said in ("", "–") or said.strip("*")[:1].isdigit()
