"""Brings the figures in docs/reference/dependencies.md up to date: versions, sizes, what comes with each, licences.

Rule: figures come from the lock and from what is installed here; the words beside them are people's and stay.
Must not know: why a package is there.
"""

import importlib.metadata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from licences import licence
from locked import PACKAGES, ROOT, Needs, below, closure, gone, needs

PAGE = ROOT / "docs" / "reference" / "dependencies.md"
HEADINGS = {
    "## Runtime": "runtime",
    "## Extra `otel`": "otel",
    "## Development": "dev",
    "## Docs site": "docs",
    "## Mutants": "mutants",
}
UNSEEN = "–"  # of what is not installed
BASE = ["runtime"]  # what is there anyway, when an extra or a group is added


@dataclass(frozen=True)
class Row:
    """A package in the table: figures as they are shown, then words."""

    name: str
    figures: tuple[str, ...]
    words: tuple[str, ...]

    def line(self) -> str:
        """As it stands in the page."""
        return f"| {' | '.join([f'`{self.name}`', *self.figures, *self.words])} |"


def rows() -> dict[str, list[Row]]:
    """What the page tells, by what for."""
    found: dict[str, list[Row]] = {}
    for why, line in _lines():
        if why and line.startswith("| `"):
            found.setdefault(why, []).append(_row(line))
    return found


def measured(why: str, name: str) -> Row:
    """A package with today's figures and no words."""
    of: Needs = needs(why)
    wider = of if why in BASE else [*needs("runtime"), *of]
    lost = gone(name, of=wider)
    figures = (
        PACKAGES[name]["version"],
        megabytes([name]),
        str(len(below(name, of=of))),
        megabytes(lost),
        licence(name),
    )
    return Row(name, figures, ())


def megabytes(names: Iterable[str]) -> str:
    """How much these take here; a dash if one of them is not installed."""
    try:
        size = sum(_bytes(name) for name in names) / 1e6
    except importlib.metadata.PackageNotFoundError:
        return UNSEEN
    return f"{size:.2g}" if size < 1 else f"{size:.1f}"


def _bytes(name: str) -> int:
    return sum(file.size or 0 for file in importlib.metadata.files(name) or [] if file.suffix != ".pyc")


def _row(line: str) -> Row:
    name, *cells = (cell.strip() for cell in line.strip("| ").split(" | "))
    return Row(name.strip("`"), tuple(cells[:5]), tuple(cells[5:]))


def main() -> None:
    """Write the figures, and how much all of it is."""
    PAGE.write_text("\n".join([_measured(why, line) for why, line in _lines()]) + "\n")


def _measured(why: str, line: str) -> str:
    if why and line.startswith("| `"):
        row = _row(line)
        return Row(row.name, measured(why, row.name).figures, row.words).line()
    return whole(why) if line.startswith("All of it: ") else line


def _lines() -> Iterator[tuple[str, str]]:
    why = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            why = HEADINGS.get(line, "")
        yield why, line


def whole(why: str) -> str:
    """How much an extra or a group brings, beside what is there anyway."""
    more = closure(needs(why), here=True)
    if why not in BASE:
        more -= closure(needs("runtime"), here=True)
    return f"All of it: {len(more)} packages, {megabytes(more)} MB."


if __name__ == "__main__":
    main()
