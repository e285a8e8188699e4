"""What an answer means: fine, or exactly one error.

Rule: decided from status, headers and body alone. An error says in words what the system said, cut and cleaned.
Must not know: sockets, retries. The request's payload and headers never get into an error.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from ml_connector.errors import (
    AuthError,
    ConflictError,
    MalformedError,
    NotFoundError,
    RefusedError,
    RemoteError,
    ThrottledError,
    UnconfirmedError,
    UnreachableError,
)
from ml_connector.systems.exchange import Answer
from ml_connector.systems.redacting import UNREADABLE

DETAIL_MAX = 500
WAIT_MAX_S = 300.0
CROWDED_MIN, VALUES_MAX = 16 * 2**20, 4_000_000  # bytes from which on values are counted, and how many there may be
_REFUSALS = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    428: ConflictError,
}
_UNSUPPORTED = (501, 505)
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id")

Explain = Callable[[Answer], tuple[str, str]]


class OverdueError(UnreachableError):
    """The system, or our time limit, gave up on a request that takes too long: asking for less may help.

    `status` is 504 when the system said so, 0 when our own limit was reached.
    """

    def __init__(self, system: str, operation: str, detail: str = "", status: int = 0, request_id: str = "") -> None:
        super().__init__(system, operation, detail, request_id)
        self.args = (system, operation, detail, status, request_id)
        self.status = status


class GarbledError(MalformedError):
    """A 2xx answer whose body is not the JSON it should be; it may be whole the next time."""


def unexplained(_: Answer) -> tuple[str, str]:
    """For a system whose error bodies are not known: no code, no message."""
    return "", ""


class Asked(msgspec.Struct, frozen=True):
    """What an answer is judged against; `wait_s` is what `asked_to_wait` made of it."""

    system: str
    operation: str
    url: str
    repeatable: bool
    expect_json: bool
    wait_s: float = 0.0


def judge(asked: Asked, answer: Answer, explain: Explain) -> RemoteError | None:
    """The error that an answer stands for; None when it is fine."""
    if answer.status >= 400 or answer.status < 200:
        return _failed(asked, answer, *_explained(answer, explain))
    if answer.status >= 300:
        return _redirected(asked, answer)
    if not asked.expect_json or answer.status == 204:
        return None
    if _crowded(answer.body):
        kind, said = MalformedError, f"the answer holds more than {VALUES_MAX:,} values"
    elif not _whole(answer.body):
        kind, said = GarbledError, "the answer is not JSON"
    else:
        return None
    return (kind if asked.repeatable else UnconfirmedError)(
        asked.system, asked.operation, said, request_id(answer.headers)
    )


def _failed(asked: Asked, answer: Answer, code: str, detail: str) -> RemoteError:
    who = (asked.system, asked.operation)
    trace = request_id(answer.headers)
    if _broken(answer.status) and not asked.repeatable:
        return UnconfirmedError(*who, detail, trace)
    if asked.wait_s:
        return ThrottledError(*who, asked.wait_s, trace)
    if answer.status == 504:
        return OverdueError(*who, detail, 504, trace)
    if _broken(answer.status) and answer.status not in _UNSUPPORTED:
        return UnreachableError(*who, detail, trace)
    return _REFUSALS.get(answer.status, RefusedError)(*who, detail, answer.status, code, trace)


def _broken(status: int) -> bool:
    return status >= 500 or status < 200 or status == 408


def _crowded(body: bytes) -> bool:
    """Whether there are so many values in it that reading them takes thirty times its own memory."""
    return len(body) > CROWDED_MIN and body.count(b",") > VALUES_MAX


def _whole(body: bytes) -> bool:
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE:
        return False
    return True


def _redirected(asked: Asked, answer: Answer) -> RemoteError:
    """Never followed: a redirect may lead credentials elsewhere, or turn a POST into a GET."""
    who = (asked.system, asked.operation)
    trace = request_id(answer.headers)
    here = urlsplit(asked.url)
    there = _place(asked.url, answer.headers.get("location", ""))
    own = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    if own and here.path.rstrip("/") == there.path.rstrip("/"):
        detail = "the path differs in its trailing slash from what the system has"
        return RefusedError(*who, detail, answer.status, "", trace)
    if not asked.repeatable and answer.status not in (307, 308):
        return UnconfirmedError(*who, f"answered {answer.status}, a redirect", trace)
    where = "another path" if own else f"another host ({cleaned(there.netloc)})"
    return MalformedError(*who, f"redirect to {where} refused", trace)


def _place(url: str, location: str) -> SplitResult:
    """Where a redirect leads; what is no address leads nowhere."""
    try:
        return urlsplit(urljoin(url, location))
    except ValueError:
        return urlsplit("//no address")


def _explained(answer: Answer, explain: Explain) -> tuple[str, str]:
    try:
        code, message = explain(answer)
    except Exception:  # an odd error body must not hide what the status says
        code, message = "", ""
    message = cleaned(message)
    return cleaned(code)[:80], f"answered {answer.status}: {message}" if message else f"answered {answer.status}"


def cleaned(text: str) -> str:
    """Text of a system made fit for errors and logs: one line, no control characters, cut."""
    kept = "".join(character if character.isprintable() else " " for character in text[: 4 * DETAIL_MAX])
    return " ".join(kept.split())[:DETAIL_MAX]


def asked_to_wait(answer: Answer, attempt: int) -> float:
    """How long the system wants us to wait. Units: seconds, at most `WAIT_MAX_S`; 0: it does not."""
    said = answer.headers.get("retry-after", "").strip()
    if answer.status != 429 and (answer.status != 503 or not said):
        return 0.0
    wait_s = float(said) if said.isascii() and said.isdigit() else _until(said, answer)
    if wait_s is None:
        wait_s = float(2 ** min(attempt - 1, 8))
    return min(max(wait_s, 0.1), WAIT_MAX_S)


def _until(said: str, answer: Answer) -> float | None:
    then = _instant(said)
    now = _instant(answer.headers.get("date", "")) or datetime.fromtimestamp(answer.received_at, UTC)
    return (then - now).total_seconds() if then else None


def _instant(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def request_id(headers: Mapping[str, str]) -> str:
    """By what the system knows a request; "" when it does not say."""
    found = (headers[name] for name in _REQUEST_IDS if headers.get(name))
    return cleaned(next(found, ""))[:100]
