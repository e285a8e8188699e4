"""The outermost layer: how long an address and a body may be, which headers go with every answer, no traceback ever.

Rule: works on any request, before anything is read of it.
Must not know: what is asked for.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_connector.console.refusals import answer, failed

ADDRESS_MAX = 4096
BODY_MAX = 1024 * 1024
TOO_LARGE = f"a body may have {BODY_MAX:,} bytes at most"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Bounds:
    """The layer around an app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send)
        try:
            if refusal := _refusal(scope):
                await refusal(scope, receive, sending)
            else:
                await self._app(scope, _counted(receive), sending)
        except Exception as error:
            if sending.begun:
                raise
            await failed(error)(scope, receive, sending)


class _Sending:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            _complete(message)
        await self._send(message)


def _complete(message: MutableMapping[str, Any]) -> None:
    """Add the headers that are not set yet."""
    there = {name.lower() for name, _ in message.get("headers", ())}
    more = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in there]
    message["headers"] = [*message.get("headers", ()), *more]


def _refusal(scope: Scope) -> Any:
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > ADDRESS_MAX:
        return answer(414, "too_large", f"an address may have {ADDRESS_MAX:,} characters at most")
    told = dict(scope["headers"]).get(b"content-length", b"0")
    return answer(413, "too_large", TOO_LARGE) if told.isdigit() and int(told) > BODY_MAX else None


def _counted(receive: Receive) -> Receive:
    """What is received, until it is too much."""
    count = 0

    async def counting() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > BODY_MAX:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counting
