"""Answers: pages of rows, and what an error says.

Rule: a page that is not exactly a page is refused; numbers stay exact.
Must not know: which set was read.
"""

from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.systems.http import Answer
from ml_connector.systems.redacting import UNREADABLE

ETAG = "@odata.etag"


class RowPage(msgspec.Struct, frozen=True):
    """A page as it came; `next_link` "" when there was none."""

    rows: list[dict[str, Any]] = msgspec.field(name="value")
    next_link: str = msgspec.field(name="@odata.nextLink", default="")


class _Detail(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None
    details: list[_Detail] | None = None


class _Failure(msgspec.Struct):
    error: _Error


_PAGE = msgspec.json.Decoder(RowPage, float_hook=Decimal)
_ROW = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_FAILURE = msgspec.json.Decoder(_Failure)


def page(body: bytes) -> RowPage:
    """The page in a body.

    Raises: ValueError when it is none.
    """
    try:
        return _PAGE.decode(body)
    except UNREADABLE as error:
        raise ValueError(f"not a page of rows: {str(error)[:120]}") from None


def row(body: bytes) -> dict[str, Any]:
    """The row in a body.

    Raises: ValueError when it is none.
    """
    try:
        return _ROW.decode(body)
    except UNREADABLE as error:
        raise ValueError(f"not a row: {str(error)[:120]}") from None


def explain(answer: Answer) -> tuple[str, str]:
    """Code and message of an error body; the first detail says more than the error itself."""
    try:
        error = _FAILURE.decode(answer.body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "", ""
    detail = next((item for item in error.details or () if item.message), _Detail())
    return detail.code or error.code or "", detail.message or error.message or ""
