"""Tables as files that spreadsheets open.

Rule: no cell is taken for a formula by whatever opens it, also where cells end at a semicolon, as they do in Excel in
most of Europe.
Must not know: what is in a table.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

_INNER = re.compile(r"([;\t\r\n] *)(?=[=+\-@|%])")  # where a cell would begin for who takes another sign for the comma
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
    text = _INNER.sub(r"\1'", text)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) and not (number.isascii() and number.isdigit()) else text
