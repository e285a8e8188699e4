"""Texts of a voucher: made fit for their fields, with what has to be read back from them.

Rule: a text comes back as it was trimmed, and the document's own date with it.
Must not know: property names, requests.
"""

import re
from datetime import date

TEXT_MAX = 200
_DATED = re.compile(r" \(dated (\d{4}-\d{2}-\d{2})\)")
_DATED_SIZE = len(" (dated 2026-07-01)")
_PREFIX_SIZE = 51  # a reference and a space


def clean(text: str, separator: str = "") -> str:
    """A text on one line, without what a file would take for the end of a field."""
    seen = "".join(c if c.isprintable() and c != separator else " " for c in text)
    return " ".join(seen.split())


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text[:most].rstrip()


def row_max(*, prefixed: bool) -> int:
    """How long the text of a row may be."""
    return TEXT_MAX - _PREFIX_SIZE if prefixed else TEXT_MAX


def head_max(*, prefixed: bool) -> int:
    """How long the text of a voucher may be, so that a date always fits behind it."""
    return row_max(prefixed=prefixed) - _DATED_SIZE


def joined(text: str, more: str, most: int, mark: str = " · ") -> str:
    """A text and what else it should say, unless it says so already; the addition is kept when it has to be cut."""
    if not more or more in text:
        return cut(text, most)
    if not text or text in more:
        return cut(more, most)
    more = cut(more, most // 2)
    return cut(text, most - len(mark) - len(more)) + mark + more


def dated(text: str, dated_on: date, effective_on: date) -> str:
    """The text of a voucher that takes effect on another day than the document's."""
    told = effective_on != dated_on or _split(text) is not None
    return f"{text} (dated {dated_on.isoformat()})" if told else text


def undated(text: str, effective_on: date) -> tuple[str, date]:
    """The text and the document's day."""
    return _split(text) or (text, effective_on)


def _split(text: str) -> tuple[str, date] | None:
    found = _DATED.fullmatch(text, max(0, len(text) - _DATED_SIZE))
    try:
        return (text[: found.start()], date.fromisoformat(found[1])) if found else None
    except ValueError:
        return None
