"""The text of a file of external vouchers: one transaction a line, one column a field.

Rule: no value can end its field or its line.
Must not know: folders, what became of the file.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ml_connector.systems.ifs.vouchers import compose, texts
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing

_COLUMN_OF = {
    "voucher_type": "type",
    "dated_on": "date",
    "reference_serie": "serie",
}


def text(postings: Iterable[Posting], landing: Landing) -> str:
    """All transactions of these vouchers."""
    width = max(landing.columns.values()) + 1
    return "".join(_line(fields, landing, width) for posting in postings for fields in _fields(posting, landing))


def _fields(posting: Posting, landing: Landing) -> Iterable[Mapping[str, Any]]:
    year = str(posting.on.year)
    return ({**row, "year": year} for row in compose.transactions(posting, landing))


def _line(fields: Mapping[str, Any], landing: Landing, width: int) -> str:
    cells = [""] * width
    for name, value in fields.items():
        column = landing.columns.get(_COLUMN_OF.get(name, name))
        if column is not None:
            cells[column] = texts.clean(value.isoformat() if isinstance(value, date) else value, landing.separator)
    return landing.separator.join(cells) + "\n"
