"""What is answered when something can't be done: one shape, a sentence and a code.

Rule: a sentence says what to do and repeats no body; what goes wrong unforeseen is told to the log alone.
Must not know: what was asked.
"""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
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


class Refusal(BaseModel):
    """Why something was not done."""

    error: str = Field(description="What is the matter and what to do, in a sentence.")
    code: str = Field(description="The same in a word, for programs.")


class Refused(Exception):
    """An endpoint says no."""

    def __init__(self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, sentence)
        self.status, self.code, self.sentence, self.headers = status, code, sentence, headers


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


def install(app: FastAPI) -> None:
    """Have the app answer in this way."""
    app.exception_handler(Refused)(_refused)
    app.exception_handler(ConnectorError)(_connector)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    refused = cast(Refused, error)
    return answer(refused.status, refused.code, refused.sentence, refused.headers)


async def _connector(_request: Request, error: Exception) -> JSONResponse:
    for kind, status, code in BY_KIND:
        if isinstance(error, kind):
            return answer(status, code, str(error))
    return failed(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = cast(RequestValidationError, error).errors()
    told = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:TOLD_MAX]]
    return answer(422, "invalid", "; ".join(told)[:1000])


async def _http(_request: Request, error: Exception) -> JSONResponse:
    said = cast(HTTPException, error)
    sentence = "there is nothing at this address" if said.status_code == 404 else str(said.detail)
    return answer(said.status_code, BY_STATUS.get(said.status_code, "refused"), sentence, said.headers)


def _where(error: Exception) -> str:
    """The innermost places of a traceback: no message and no values, as these may be secrets."""
    found = traceback.extract_tb(error.__traceback__)[-PLACES_MAX:]
    return " < ".join(f"{place.filename}:{place.lineno} {place.name}" for place in reversed(found))


def failed(error: Exception) -> JSONResponse:
    """The answer where the connector itself is at fault."""
    _LOG.error("failed", error=type(error).__name__, where=_where(error))
    return answer(500, "internal", "something went wrong here; the log of this process says what")
