"""Tables as one file of the kind that Excel opens.

Rule: written row by row, in bounded memory; text stays text, whatever it looks like, and an amount is a number with its
decimals.
Must not know: what is in a table.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import IO, Any

from xlsxwriter import Workbook  # pyright: ignore[reportMissingTypeStubs]

from ml_connector.compare.tieout.tables import Cell, Sheet

ROWS_MAX = 1_048_576  # of a sheet; what is more goes to another one
TEXT_MAX = 32_767
WIDTH = 16


def write(file: IO[bytes], sheets: Iterable[Sheet]) -> None:
    """Write tables, each on a sheet of its own."""
    with Workbook(file, {"constant_memory": True}) as book:
        _Book(book).write(sheets)


class _Book:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._money: dict[int, Any] = {}

    def write(self, sheets: Iterable[Sheet]) -> None:
        for sheet in sheets:
            place, at, part = self._begin(sheet, sheet.title), 0, 1
            for row in sheet.rows:
                at += 1
                if at >= ROWS_MAX:
                    part += 1
                    place, at = self._begin(sheet, f"{sheet.title} {part}"), 1
                for column, cell in enumerate(row):
                    self._cell(place, at, column, cell)

    def _begin(self, sheet: Sheet, title: str) -> Any:
        place = self._book.add_worksheet(title)
        place.set_column(0, len(sheet.headings) - 1, WIDTH)
        place.freeze_panes(1, 0)
        for column, name in enumerate(sheet.headings):
            place.write_string(0, column, name, self._bold)
        return place

    def _cell(self, place: Any, at: int, column: int, cell: Cell) -> None:
        if isinstance(cell, Decimal):
            place.write_number(at, column, cell, self._decimals(cell))
        elif isinstance(cell, int):
            place.write_number(at, column, cell)
        elif cell:
            place.write_string(at, column, cell[:TEXT_MAX])  # never `write`, which takes "=…" for a formula

    def _decimals(self, amount: Decimal) -> Any:
        """The format with as many decimals as there are, two at least."""
        places = max(2, -int(amount.as_tuple().exponent))
        if places not in self._money:
            self._money[places] = self._book.add_format({"num_format": f"#,##0.{'0' * min(places, 30)}"})
        return self._money[places]
