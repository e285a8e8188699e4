"""Calls to a system: delivered, not delivered, or unknown.

Rule: a call that may have taken effect is never made again; it ends as `UnconfirmedError`. One that certainly was not
delivered, or that may safely be repeated, is tried again within bounds of number and time.
Must not know: what is read or written. Bodies, tokens and headers stay out of errors and logs.
"""

import random
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol, cast

import msgspec
import structlog

from ml_connector.errors import (
    AuthError,
    MalformedError,
    RemoteError,
    ThrottledError,
    UnconfirmedError,
    UnreachableError,
)
from ml_connector.systems import verdict
from ml_connector.systems.address import clean_origin, clean_target
from ml_connector.systems.exchange import (
    REACH,
    Answer,
    Exchange,
    LateError,
    LostError,
    NotSentError,
    OversizeError,
    Reach,
)
from ml_connector.systems.limits import Limiter
from ml_connector.systems.redacting import UNREADABLE
from ml_connector.systems.taping import Tape
from ml_connector.systems.tracing import span
from ml_connector.systems.verdict import Explain, GarbledError, OverdueError

__all__ = ["Anonymous", "Answer", "Authorise", "Explain", "OverdueError", "Patience", "Reach", "Wire", "json_object"]

GARBLED_MAX = 2  # times that an answer which is no JSON is asked for again
_LOG = structlog.get_logger("ml_connector.http")
_RANDOM = random.SystemRandom()
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Authorise(Protocol):
    """Gives and renews the Authorization header."""

    def header(self) -> str:
        """The value to send; "" for none. Raises: RemoteError."""
        ...

    def renew(self, refused: str) -> bool:
        """Whether a header other than the refused one is available now. Raises: RemoteError."""
        ...


class Anonymous:
    """No credentials."""

    def header(self) -> str:
        """Nothing to send."""
        return ""

    def renew(self, refused: str) -> bool:
        """There is nothing else."""
        del refused
        return False


class Call(msgspec.Struct, frozen=True):
    """A request as asked for."""

    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    repeatable: bool
    expect_json: bool
    total_s: float
    overdue_once: bool


class Patience(msgspec.Struct, frozen=True):
    """How long a call is tried again: for `patience_s` in all, `attempts_max` times, with pauses that double."""

    patience_s: float = 300.0
    attempts_max: int = 5
    pause_s: float = 0.5
    pause_max_s: float = 20.0


PATIENCE = Patience()


class Wire:
    """The way to one system. Units: total_s is for one attempt."""

    def __init__(
        self,
        system: str,
        origin: str,
        authorise: Authorise,
        limiter: Limiter,
        *,
        explain: Explain = verdict.unexplained,
        total_s: float = 120.0,
        patience: Patience | None = None,
        reach: Reach = REACH,
        plain_http: bool = False,
        tape: Tape | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self.origin = clean_origin(origin, plain_http=plain_http)
        self._authorise = authorise
        self._limiter = limiter
        self._explain = explain
        self._total_s = total_s
        self._patience = patience or PATIENCE
        self._sleep = sleep
        self._tape = tape
        self._exchange = Exchange(self.origin, reach)
        self._closed = False
        self._counted = threading.Lock()
        self.requests = 0
        self.throttled = 0

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        repeatable: bool,
        expect_json: bool = True,
        total_s: float | None = None,
        overdue_once: bool = False,
    ) -> Answer:
        """Make a call and give back its answer, whose status is 2xx.

        `query` is encoded already. `repeatable`: doing it twice does what doing it once does. `expect_json`: a 2xx body
        must be JSON (204 excepted). `total_s` bounds one attempt. `overdue_once`: the first 504 or timeout is final.
        Raises: UnreachableError (OverdueError for 504 and timeouts), ThrottledError, MalformedError, AuthError,
        NotFoundError, ConflictError, RefusedError: it did not take effect, or is repeatable; UnconfirmedError: it is
        not repeatable and may have taken effect.
        """
        made = Call(
            operation,
            method,
            clean_target(path, query),
            headers or {},
            body,
            repeatable,
            expect_json,
            total_s or self._total_s,
            overdue_once,
        )
        tries = _Tries(time.monotonic() + self._patience.patience_s)
        while True:
            token = self._authorise.header()
            try:
                return self._attempt(made, token, tries)
            except RemoteError as error:
                pause_s = self._pause(error, made, token, tries)
                if pause_s is None:
                    raise
            self._sleep(pause_s)

    def close(self) -> None:
        """Close all connections; calls under way in other threads are not tried again."""
        self._closed = True
        self._exchange.close()

    def _attempt(self, made: Call, token: str, tries: "_Tries") -> Answer:
        self._limiter.wait()
        tries.made += 1
        self._count(requests=1)
        started = time.monotonic()
        outcome = "ok"
        status = 0
        try:
            with span(f"{self.system} {made.operation}", attempt=tries.made):
                answer = self._send(made, token)
                status = answer.status
                return self._judged(made, answer, tries)
        except RemoteError as error:
            outcome = type(error).__name__
            raise
        finally:
            log = _LOG.debug if outcome == "ok" else _LOG.warning
            log(
                "http",
                system=self.system,
                operation=made.operation,
                status=status,
                outcome=outcome,
                attempt=tries.made,
                seconds=round(time.monotonic() - started, 3),
            )

    def _send(self, made: Call, token: str) -> Answer:
        headers = {"Accept": "application/json", **made.headers}
        if token:
            headers["Authorization"] = token
        try:
            answer = self._exchange.send(made.method, made.target, headers, made.body, made.total_s)
        except NotSentError as error:
            raise UnreachableError(self.system, made.operation, str(error)) from None
        except LostError as error:
            self._hear(made, None)
            raise self._lost(made, error) from None
        self._hear(made, answer)
        return answer

    def _hear(self, made: Call, answer: Answer | None) -> None:
        if self._tape:
            said = (answer.status, answer.headers, answer.body) if answer else None
            self._tape.hear(self.system, made.method, made.target, made.body, said)

    def _lost(self, made: Call, error: LostError) -> RemoteError:
        if not made.repeatable:
            return UnconfirmedError(self.system, made.operation, str(error))
        if isinstance(error, OversizeError):
            return MalformedError(self.system, made.operation, str(error))
        if isinstance(error, LateError):
            return OverdueError(self.system, made.operation, str(error))
        return UnreachableError(self.system, made.operation, str(error))

    def _judged(self, made: Call, answer: Answer, tries: "_Tries") -> Answer:
        wait_s = verdict.asked_to_wait(answer, tries.made)
        url = self.origin + made.target
        asked = verdict.Asked(self.system, made.operation, url, made.repeatable, made.expect_json, wait_s)
        error = verdict.judge(asked, answer, self._explain)
        if wait_s:
            self._limiter.defer(wait_s)
            self._count(throttled=1)
        if error is not None:
            raise error
        return answer

    def _pause(self, error: RemoteError, made: Call, token: str, tries: "_Tries") -> float | None:
        """How long to wait before the next attempt; None: there is none."""
        left_s = tries.until - time.monotonic()
        if isinstance(error, AuthError) and error.status == 401 and not tries.renewed:
            tries.renewed = True
            return 0.0 if self._authorise.renew(token) else None
        if tries.made >= self._patience.attempts_max or left_s <= 0 or self._closed:
            return None
        if isinstance(error, ThrottledError):
            return 0.0 if error.wait_s < left_s else None  # the limiter does the waiting, for everybody
        if isinstance(error, OverdueError) and made.overdue_once:
            return None
        if isinstance(error, GarbledError):
            tries.garbled += 1
            return self._backoff(tries) if tries.garbled <= GARBLED_MAX else None
        return self._backoff(tries) if isinstance(error, UnreachableError) else None

    def _backoff(self, tries: "_Tries") -> float:
        longest = self._patience.pause_s * 2 ** min(tries.made - 1, 16)
        return _RANDOM.uniform(0, min(self._patience.pause_max_s, longest))

    def _count(self, requests: int = 0, throttled: int = 0) -> None:
        with self._counted:
            self.requests += requests
            self.throttled += throttled


class _Tries(msgspec.Struct):
    """What a call has used up."""

    until: float
    made: int = 0
    garbled: int = 0
    renewed: bool = False


def json_object(answer: Answer, system: str, operation: str) -> dict[str, Any]:
    """The JSON object that an answer holds; numbers are exact: int, or Decimal where written with point or exponent.

    Raises: MalformedError.
    """
    try:
        decoded = _DECODER.decode(answer.body)
    except UNREADABLE:
        raise MalformedError(system, operation, "the answer is not JSON") from None
    if not isinstance(decoded, dict):
        raise MalformedError(system, operation, "the answer is not a JSON object")
    return cast("dict[str, Any]", decoded)
