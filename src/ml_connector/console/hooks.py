"""The receiver of webhooks.

Rule: an event is answered with 2xx only when it is on disk. Who does not know a hook's address learns nothing; what is
sent is limited in size, time and number before it is read, and checked before it is understood.
Must not know: SQL, what an event leads to.
"""

import asyncio
import ipaddress
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ml_connector.console.buckets import Buckets
from ml_connector.console.committing import Committer, FullError
from ml_connector.console.refusals import answer
from ml_connector.errors import StoreError
from ml_connector.store.hooks import Hook, Hooks, digest
from ml_connector.store.inbox import Inbox
from ml_connector.systems import signature
from ml_connector.wiring import Opened
from ml_connector.wiring.receiving import PONG, TELLERS, Refusal, received, verifies

BODY_MAX = 256 * 1024
BODY_S = 10.0
COMMIT_S = 20.0
KEPT_S = 2.0  # for how long a hook that was removed may still be answered
TROUBLED_S = 1.0
AGAIN_S = 5
READING_MAX = 500  # bodies at a time
RATE, BURST = 1000.0, 3000.0  # webhooks of one hook
UNVERIFIED_RATE, UNVERIFIED_BURST = 20.0, 500.0  # of one that anybody can use who knows its address
FAILED_RATE, FAILED_BURST = 1.0, 60.0  # of one address: unknown tokens, wrong signatures
TOKEN_MAX = 100
_LOG = structlog.get_logger("ml_connector.hooks")


class Refused(Exception):
    """A webhook is not taken."""

    def __init__(self, status: int, code: str, sentence: str, wait_s: float = 0.0) -> None:
        super().__init__(status, code)
        self.status, self.code, self.sentence, self.wait_s = status, code, sentence, wait_s

    def answer(self) -> Response:
        """What is sent."""
        headers = {"Retry-After": str(int(self.wait_s) + 1)} if self.wait_s else {}
        return answer(self.status, self.code, self.sentence, headers)


class Known:
    """The hooks that are answered, read anew when what is known is too old."""

    def __init__(self, read: Callable[[], dict[str, Hook]], now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._hooks: dict[str, Hook] = {}
        self._until = 0.0
        self._trouble: StoreError | None = None
        self._guard = asyncio.Lock()

    async def find(self, system: str, token: str) -> Hook | None:
        """The hook at an address. Raises: StoreError."""
        if self._now() >= self._until:
            async with self._guard:
                if self._now() >= self._until:
                    await self._renew()
        if self._trouble:
            raise StoreError(str(self._trouble))
        hook = self._hooks.get(digest(token)) if len(token) <= TOKEN_MAX else None
        return hook if hook and hook.system == system else None

    async def _renew(self) -> None:
        try:
            self._hooks, self._trouble = await asyncio.to_thread(self._read), None
        except StoreError as error:
            self._trouble = error  # for all who wait, so that they don't try one after the other
        self._until = self._now() + (TROUBLED_S if self._trouble else KEPT_S)


class Receiver:
    """Takes webhooks of all connections."""

    def __init__(
        self,
        known: Known,
        committer: Committer,
        rate: Buckets | None = None,
        unverified: Buckets | None = None,
        failed: Buckets | None = None,
        body_s: float = BODY_S,
    ) -> None:
        self._known = known
        self._committer = committer
        self._rate = Buckets(RATE, BURST) if rate is None else rate
        self._unverified = Buckets(UNVERIFIED_RATE, UNVERIFIED_BURST) if unverified is None else unverified
        self._failed = Buckets(FAILED_RATE, FAILED_BURST) if failed is None else failed
        self._body_s = body_s
        self._reading = 0

    async def take(self, system: str, request: Request) -> Response:
        """Answer a webhook."""
        try:
            return await self._taken(system, request)
        except Refused as refused:
            return refused.answer()
        except (FullError, TimeoutError):
            return Refused(503, "busy", "too much comes at once; send it again", AGAIN_S).answer()
        except StoreError:
            return Refused(503, "store", "the store is out of reach; send it again", AGAIN_S).answer()
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:  # told here, as elsewhere the address would be logged, and it is a secret
            _LOG.error("failed", system=system, error=type(error).__name__)
            return answer(500, "internal", "something went wrong here; the log of this process says what")

    async def _taken(self, system: str, request: Request) -> Response:
        source = source_of(request)
        hook = await self._known.find(system, request.path_params["token"])
        if hook is None:
            self._fail(source)
            raise Refused(404, "not_found", "there is no such hook")
        place = (hook.connection_id, hook.system)
        self._admit(place, source, self._rate if verifies(hook) else self._unverified)
        body = await self._body(request)
        event = received(hook, signature.folded(request.scope["headers"]), body, datetime.now(UTC))
        if event is PONG:
            return JSONResponse({"received": 0, "duplicate": False})
        if isinstance(event, Refusal):
            self._committer.refused(place)
            if event.status == 401:
                self._fail((source, *place))
            raise Refused(event.status, event.code, event.sentence)
        async with asyncio.timeout(COMMIT_S):
            receipt = await self._committer.give(event)
        return JSONResponse({"received": receipt.number, "duplicate": not receipt.is_new})

    def _admit(self, place: tuple[int, str], source: str, rate: Buckets) -> None:
        """Have what comes too often wait. Raises: Refused."""
        if wait_s := self._failed.wait_s((source, *place)) or rate.wait_s(place):
            raise Refused(429, "slow_down", "too many at once; send it again later", wait_s)
        rate.take(place)

    def _fail(self, source: Any) -> None:
        if wait_s := self._failed.wait_s(source):
            raise Refused(429, "slow_down", "too many wrong ones from this address; wait a minute", wait_s)
        self._failed.take(source)

    async def _body(self, request: Request) -> bytes:
        """The body, as long as it is not too long and does not take too long. Raises: Refused."""
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "encoding", "send the body as it is, without Content-Encoding")
        told = request.headers.get("content-length", "0")
        if told.isdigit() and int(told) > BODY_MAX:
            raise _too_large()
        if self._reading >= READING_MAX:
            raise FullError
        self._reading += 1
        try:
            async with asyncio.timeout(self._body_s):
                return await _read(request)
        except TimeoutError:
            raise Refused(408, "too_slow", f"the body did not come within {self._body_s:g} s") from None
        finally:
            self._reading -= 1


def _too_large() -> Refused:
    return Refused(413, "too_large", f"an event may have {BODY_MAX:,} bytes at most")


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            raise _too_large()
    return bytes(body)


def source_of(request: Request) -> str:
    """Where a request comes from: an address, or the network of one that has many."""
    host = request.client.host if request.client else ""
    with suppress(ValueError):
        if ipaddress.ip_address(host).version == 6:
            return str(ipaddress.ip_network(f"{host}/64", strict=False))
    return host


def router(opened: Opened) -> APIRouter:
    """The addresses of all hooks."""
    inbox = Inbox(opened.database, opened.vault)
    committer = Committer(inbox.receive)
    receiver = Receiver(Known(Hooks(opened.database, opened.vault).live), committer)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await asyncio.to_thread(committer.close)

    routes = APIRouter(lifespan=lifespan)
    for system in TELLERS:
        routes.add_route(f"/hooks/{system}/{{token}}", _taking(receiver, system), ["POST"], include_in_schema=False)
    return routes


def _taking(receiver: Receiver, system: str) -> Callable[[Request], Any]:
    async def take(request: Request) -> Response:
        return await receiver.take(system, request)

    return take
