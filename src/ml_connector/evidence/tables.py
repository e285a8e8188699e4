"""What evidence has as tables for people, made from what it has exactly.

Rule: a table follows from the exact form alone, so that a check makes it again and compares; amounts are exact text.
Must not know: where lines come from.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import Figure, Line, Total
from ml_connector.evidence.entries import Entry
from ml_connector.records import keys, money, sheet

DOCUMENT_COLUMNS = Line.__struct_fields__
TOTAL_COLUMNS = Total.__struct_fields__
ACCESS_COLUMNS = ("entry", "at", "event", "person", "about", "facts")
COMING_AND_GOING = ("signed_in", "signed_out", "sign_in_failed")


def head(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return sheet.line(columns).encode()


def document(line: Line, columns: Sequence[str]) -> bytes:
    """A document's line. Raises: AttributeError for a column that there is none of."""
    return sheet.line([_cell(name, getattr(line, name)) for name in columns]).encode()


def total_columns(columns: Sequence[str] = TOTAL_COLUMNS) -> list[str]:
    """The columns of totals; those of figures are two, count and amount."""
    usual = Total("", "")
    pairs = ((name, f"{name}_amount") if isinstance(getattr(usual, name), Figure) else (name,) for name in columns)
    return [one for pair in pairs for one in pair]


def total(one: Total) -> bytes:
    """A total's line."""
    cells: list[Any] = []
    for name in TOTAL_COLUMNS:
        value = getattr(one, name)
        cells.extend((value.count, plain(value.amount)) if isinstance(value, Figure) else (_cell(name, value),))
    return sheet.line(cells).encode()


def access(entry: Entry) -> bytes:
    """The line of an entry that tells of access; b"" for any other."""
    facts = msgspec.json.decode(entry.facts, type=dict[str, Any])
    event = str(facts.pop("event", ""))
    if entry.kind != "access" or event in COMING_AND_GOING:
        return b""
    who, about = (str(facts.pop(name, "")) for name in ("person", "about"))
    more = msgspec.json.encode(facts, order="sorted").decode() if facts else ""
    return sheet.line((entry.seq, entry.at, event, who, about, more)).encode()


def plain(number: Decimal) -> str:
    """A number as it is, never with an exponent. Raises: ValueError when it is none that is usable."""
    return format(money.exact(number), "f")


def _cell(name: str, value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if name == "key":
        return keys.shown(value)
    return "" if value is None else str(value)
