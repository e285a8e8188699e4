"""What is answered when something can't be done: one shape, a sentence and a code.

Rule: a sentence says what to do and repeats no body; what goes wrong unforeseen is told to the log alone.
Must not know: what was asked.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ml_connector.errors import BusyError, ConnectorError, RemoteError, SettingsError, StoreError

_LOG = structlog.get_logger("ml_connector.console")
TOLD_MAX = 3
PLACES_MAX = 8
BY_KIND = (
    (SettingsError, 422, "invalid"),
    (BusyError, 409, "busy"),
    (StoreError, 503, "store"),
    (RemoteError, 502, "remote"),
)
BY_STATUS = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method", 413: "too_large"}
SENTENCES = {
    404: "there is nothing at this address",
    405: "this address takes only what its form or program sends; begin at the page or endpoint that leads here",
}


class Refusal(BaseModel):
    """Why something was not done."""

    error: str = Field(description="What is the matter and what to do, in a sentence.")
    code: str = Field(description="The same in a word, for programs.")


class Refused(Exception):
    """An endpoint says no."""

    def __init__(self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, sentence)
        self.status, self.code, self.sentence, self.headers = status, code, sentence, headers

    def answer(self) -> JSONResponse:
        """The refusal as data."""
        return answer(self.status, self.code, self.sentence, self.headers)


KINDS = (Refused, ConnectorError, RequestValidationError, HTTPException)
MISTAKES = {
    "extra_forbidden": "nothing of this name can be given here",
    "missing": "is missing",
    "int_parsing": "is no whole number",
    "date_from_datetime_parsing": "is no day; it looks like 2026-10-01",
    "datetime_from_date_parsing": "is no time; it looks like 2026-10-01 or 2026-10-01T14:30",
    "bool_parsing": "is neither true nor false",
    "string_pattern_mismatch": "has a form or signs that it can't have",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
}


def absent(sentence: str) -> Refused:
    """What was addressed is not there."""
    return Refused(404, "not_found", sentence)


def answer(status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A refusal as it is sent."""
    tidy = sentence.encode("utf-8", "replace").decode()
    return JSONResponse({"error": tidy, "code": code}, status, dict(headers or {}))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals as the API's description tells of them."""
    return {status: {"model": Refusal, "description": HTTPStatus(status).phrase} for status in statuses}


def install(app: FastAPI, show: Callable[[Request, int, str], Response]) -> None:
    """Have the app answer in this way; `show` makes a page of it, for who looks at pages."""

    async def told(request: Request, error: Exception) -> Response:
        said = _said(error)
        if not _is_page(request):
            return said.answer()
        try:
            return await run_in_threadpool(show, request, said.status, said.sentence)
        except Exception as worse:  # such as a store that can't be read: what is around a page comes from there
            own(worse)
            return said.answer()

    for kind in KINDS:
        app.exception_handler(kind)(told)


def _is_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _said(error: Exception) -> Refused:
    """What is the matter, as it is told."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        sentence = SENTENCES.get(error.status_code) or str(error.detail)
        return Refused(error.status_code, BY_STATUS.get(error.status_code, "refused"), sentence, error.headers)
    return next(
        (Refused(status, code, str(error)) for kind, status, code in BY_KIND if isinstance(error, kind)), None
    ) or own(error)


def _invalid(error: RequestValidationError) -> Refused:
    found: Sequence[Any] = error.errors()
    return Refused(422, "invalid", "; ".join(map(_mistake, found[:TOLD_MAX]))[:1000])


def _mistake(one: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in one["loc"][1:] or one["loc"])
    said = MISTAKES.get(one["type"]) or one["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place}: {said}"


def _where(error: Exception) -> str:
    """The innermost places of a traceback: no message and no values, as these may be secrets."""
    found = traceback.extract_tb(error.__traceback__)[-PLACES_MAX:]
    return " < ".join(f"{place.filename}:{place.lineno} {place.name}" for place in reversed(found))


def failed(error: Exception) -> JSONResponse:
    """The answer where the connector itself is at fault."""
    return own(error).answer()


def own(error: Exception) -> Refused:
    """What somebody is told of an error that nobody foresaw."""
    _LOG.error("failed", error=type(error).__name__, where=_where(error))
    return Refused(500, "internal", "something went wrong here; the log of this process says what")
