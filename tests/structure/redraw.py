"""Writes what `docs/explanation/architecture.md` says of the tree anew: the table of figures and the picture.

Rule: what is written is measured; the figures of the models stay as they were until they are measured again.
Must not know: what the figures mean.

    python tests/structure/redraw.py                        this project
    python tests/structure/redraw.py octodns-1.22.0=FOLDER  and models, each from the folder of its package
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import layers
import measure

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ml_connector"
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
MODELS = Path(__file__).with_name("models.json")
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"
OWN = "**ml-connector**"
HEADINGS = (
    "",
    "Modules",
    "Lines",
    "Lines of a module",
    "Lines of a function",
    "Parameters",
    "Modules in import circles",
    "Public docstrings",
    "Typed returns",
    "Repeated lines",
)


def row(name: str, figures: measure.Figures) -> list[str]:
    """A row of the table."""
    circled, loose = (sum(map(len, found)) for found in (figures.circles, figures.loose))
    spreads = map(str, (figures.module_lines, figures.function_lines, figures.parameters))
    sizes = [f"{figures.modules:,}", f"{figures.lines:,}"]
    shares = [f"{figures.documented} %", f"{figures.typed} %", f"{figures.repeated} %"]
    return [name, *sizes, *spreads, f"{circled} ({loose})", *shares]


def table(rows: Sequence[Sequence[str]]) -> str:
    """The table as Markdown."""
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def written(page: str) -> list[list[str]]:
    """The rows that a page shows."""
    lines = page.partition(BEGIN)[2].partition(END)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def main(models: Sequence[str]) -> None:
    """Measure, and write."""
    known: dict[str, Any] = json.loads(MODELS.read_text("utf-8")) if MODELS.exists() else {}
    for given in models:
        name, _, folder = given.partition("=")
        known[name] = row(name, measure.measured(Path(folder)))
    MODELS.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    rows = [row(OWN, measure.measured(SOURCE)), *known.values()]
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table(rows)}{END}{rest.partition(END)[2]}", "utf-8")
    PICTURE.write_text(layers.drawn(ROOT / "pyproject.toml", SOURCE), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
