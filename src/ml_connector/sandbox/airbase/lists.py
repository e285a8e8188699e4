"""Lists: which rows a query asks for, and one page of them.

One rule: a page past the end is an empty page, not an error, because that is what was seen.
It must not know how a row is written.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from ml_connector.sandbox.airbase.books import Books, Refused
from ml_connector.sandbox.airbase.kinds import Kind
from ml_connector.sandbox.web import Request

_PAGE_SIZE = 50


class NoSuchPage(Exception):
    """A page number that DRF would answer with 404."""


def page_of(books: Books, kind: Kind, request: Request) -> dict[str, Any]:
    """List one page of the rows that a request asks for."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    number, size = _number(query), _size(query, books.options.page_size_max)
    wanted = _wanted(books, kind, query)
    table = books.tables[kind.name]
    start = (number - 1) * size
    rows = [books.shown(kind, row) for row in table.page(wanted, start, size)]
    more = start + size < table.count(wanted)
    pagination = {
        "next": _link(request, query, number + 1) if more else None,
        "previous": _link(request, query, number - 1) if number > 1 else None,
        "page": number,
        "page_size": size,
    }
    return {"data": rows, "pagination": pagination}


def _wanted(books: Books, kind: Kind, query: dict[str, str]) -> dict[str, str]:
    names = [name for name in kind.filters if name == "status" or books.options.honour_filters]
    wanted = {name: query[name] for name in names if name in query}
    if "status" in kind.filters:
        wanted["status"] = _status(books, query)
    return wanted


def _status(books: Books, query: dict[str, str]) -> str:
    status = query.get("status") or "sync_ready"
    if status not in ("sync_ready", "sync_complete", books.options.failure_status):
        text = f"Select a valid choice. {status} is not one of the available choices."
        raise Refused({"status": [text]})
    return status


def _number(query: dict[str, str]) -> int:
    text = query.get("page") or "1"
    if not text.isdecimal() or int(text) < 1:
        raise NoSuchPage
    return int(text)


def _size(query: dict[str, str], largest: int) -> int:
    text = query.get("page_size", "")
    asked = int(text) if text.isdecimal() and int(text) > 0 else _PAGE_SIZE
    return min(asked, largest)


def _link(request: Request, query: dict[str, str], number: int) -> str:
    return f"http://{request.host}{request.path}?{urlencode({**query, 'page': str(number)})}"
