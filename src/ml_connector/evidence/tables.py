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

AMOUNT = "_amount"  # what the second column of a figure has behind its name
ACCESS_COLUMNS = ("entry", "at", "event", "person", "about", "facts")
COMING_AND_GOING = ("signed_in", "signed_out", "sign_in_failed")


def _columns(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The columns of a table of these; a figure has two, count and amount."""
    fields = ((one.name, one.default) for one in msgspec.structs.fields(kind))
    pairs = ((name, f"{name}{AMOUNT}") if isinstance(usual, Figure) else (name,) for name, usual in fields)
    return tuple(one for pair in pairs for one in pair)


DOCUMENT_COLUMNS, TOTAL_COLUMNS = _columns(Line), _columns(Total)


def head(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return sheet.line(columns).encode()


def row(one: Line | Total, columns: Sequence[str]) -> bytes:
    """The line of a document or total. Raises: ValueError for what is no usable amount."""
    return sheet.line([_cell(one, column) for column in columns]).encode()


def access(entry: Entry) -> bytes:
    """The line of an entry that tells of access; b"" for any other. Raises: ValueError."""
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


def _cell(one: Line | Total, column: str) -> str:
    figure = getattr(one, column.removesuffix(AMOUNT), None)
    value = figure.amount if isinstance(figure, Figure) and column.endswith(AMOUNT) else getattr(one, column)
    if isinstance(value, Figure):
        return str(value.count)
    if isinstance(value, Decimal):
        return plain(value)
    return "" if value is None else keys.shown(value) if column == "key" else str(value)
