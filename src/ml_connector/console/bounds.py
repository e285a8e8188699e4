"""The outermost layer: how long an address and a body may be and take, which headers go with every answer, no traceback
ever.

Rule: works on any request, before anything is read of it.
Must not know: what is asked for.
"""

import asyncio
import math
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_connector.console.refusals import answer, failed

ADDRESS_MAX = 4096
BODY_MAX = 1024 * 1024
BODY_S = 60.0
TOO_SLOW = f"the body did not come within {BODY_S:g} s"
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
    """What is received, until it is too much, or takes too long; after it, that somebody has gone may take any time."""
    count, until = 0, time.monotonic() + BODY_S

    async def counting() -> Message:
        nonlocal count, until
        try:
            async with asyncio.timeout(until - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW) from None
        count += len(message.get("body", b""))
        until = until if message.get("more_body") else math.inf
        if count > BODY_MAX:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counting
