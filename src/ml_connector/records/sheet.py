"""Tables as files that spreadsheets open.

Rule: no cell is taken for a formula by whatever opens it.
Must not know: what is in a table.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")  # what makes a spreadsheet compute a cell


def sheet(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The whole table as CSV."""
    return line(headings) + "".join(line(row) for row in rows)


def line(cells: Sequence[Any]) -> str:
    """One line of CSV."""
    out = io.StringIO()
    csv.writer(out).writerow([_cell(one) for one in cells])
    return out.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    number = text.removeprefix("-").replace(".", "", 1)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) and not (number.isascii() and number.isdigit()) else text
