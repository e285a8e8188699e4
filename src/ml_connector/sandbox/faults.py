"""Faults to order: which requests are spoilt, how often, and in what way.

One rule: a fault says exactly whether the request took effect. Those that act before the site sees the
request (`status`, `reset_before`, `redirect_foreign`, `token_revoked`, `stale_etag`) leave the site as it
was; all others spoil the answer to a request that did its work. `status` with the option `effect` is the
gateway that times out while the work gets done.
It must not know what a site serves; the spoiling itself is in `spoil`.
"""

import random
import threading
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Literal, get_args
from urllib.parse import unquote

import msgspec

from ml_connector.sandbox import spoil
from ml_connector.sandbox.web import Delivery, Opening, Request, Response

Kind = Literal[
    "status",
    "reset_before",
    "reset_after",
    "slow_body",
    "stalled_body",
    "truncated",
    "truncated_json",
    "malformed_json",
    "html",
    "next_link_loop",
    "next_link_foreign",
    "duplicate_rows",
    "token_revoked",
    "stale_etag",
    "wrong_shape",
    "huge_body",
    "redirect_foreign",
]
KINDS: tuple[str, ...] = get_args(Kind)
_OPTIONS: dict[str, set[str]] = {
    "status": {"status", "retry_after", "effect", "body", "content_type"},
    "slow_body": {"chunk", "pause_s"},
    "stalled_body": {"stop_at", "hold_s"},
    "truncated": {"stop_at"},
    "next_link_foreign": {"host"},
    "redirect_foreign": {"host", "status"},
    "huge_body": {"size"},
}
_BEFORE = {"status", "reset_before", "redirect_foreign", "token_revoked", "stale_etag"}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of trouble and the requests it befalls."""

    kind: Kind
    site: Literal["ifs", "airbase", "*"] = "*"
    method: str = "*"
    path: str = ""  # a glob when it has a * or ?, else what the path begins with
    query: str = ""  # text that the query has to contain
    body: str = ""  # text that the body has to contain
    count: int | None = None  # how often it strikes, None for always
    percent: float = 100
    after: int = 0  # how many matching requests it lets by first
    options: dict[str, spoil.Option] = {}

    def acts_before(self) -> bool:
        """Say whether it strikes before the site sees the request."""
        return self.kind in _BEFORE and not self.options.get("effect")

    def befalls(self, site: str, request: Request) -> bool:
        """Say whether this is one of the requests it is meant for."""
        return (
            self.site in ("*", site)
            and self.method in ("*", request.method)
            and _fits(self.path, request.path)
            and self.query in request.query
            and self.body.encode() in request.body
            and spoil.applies_to_request(self.kind, request)
        )


class _Standing:
    """A fault that was ordered, and what became of it."""

    def __init__(self, number: int, fault: Fault, seed: int) -> None:
        self.number = number
        self.fault = fault
        self.matched = 0
        self.fired = 0
        self._random = random.Random(f"{seed}/{number}")  # noqa: S311

    def strikes(self) -> bool:
        """Count one matching request and say whether it is struck."""
        fault = self.fault
        self.matched += 1
        if self.matched <= fault.after or (fault.count is not None and self.fired >= fault.count):
            return False
        if fault.percent < 100 and self._random.uniform(0, 100) >= fault.percent:
            return False
        self.fired += 1
        return True

    def told(self) -> dict[str, object]:
        fault: dict[str, object] = msgspec.to_builtins(self.fault)
        return {"id": self.number, **fault, "matched": self.matched, "fired": self.fired}


class Faults:
    """The faults in force, shared by all sites; every method may be called on any thread."""

    def __init__(self, seed: int = 1) -> None:
        self.revoke_tokens: Callable[[], object] = lambda: None
        self._seed = seed
        self._lock = threading.Lock()
        self._standing: dict[int, _Standing] = {}
        self._last = 0

    def add(self, fault: Fault) -> int:
        """Put a fault in force and give its number."""
        _check(fault)
        with self._lock:
            self._last += 1
            self._standing[self._last] = _Standing(self._last, fault, self._seed)
            return self._last

    def remove(self, number: int) -> bool:
        """Lift one fault."""
        with self._lock:
            return self._standing.pop(number, None) is not None

    def clear(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._standing.clear()

    def fired(self, number: int) -> int:
        """Count how often a fault struck."""
        with self._lock:
            return self._standing[number].fired

    def told(self) -> list[dict[str, object]]:
        """List the faults in force with their counts, as JSON shows them."""
        with self._lock:
            return [standing.told() for standing in self._standing.values()]

    def before(self, site: str, request: Request) -> Opening:
        """Decide what becomes of a request before the site sees it; the first fault that answers ends it."""
        opening = Opening(request)
        for fault in self._candidates(site, request, before=True):
            if self._strikes(fault):
                opening = spoil.opening(fault.fault.kind, fault.fault.options, site, opening)
                if fault.fault.kind == "token_revoked":
                    self.revoke_tokens()
                if opening.reset or opening.answer is not None:
                    break
        return opening

    def after(self, site: str, request: Request, answer: Response) -> Delivery:
        """Decide how the site's answer is delivered; several faults may spoil the same answer."""
        delivery = Delivery(answer)
        for fault in self._candidates(site, request, before=False):
            kind = fault.fault.kind
            if spoil.applies_to_answer(kind, request, delivery.answer) and self._strikes(fault):
                delivery = spoil.delivery(kind, fault.fault.options, site, request, delivery)
        return delivery

    def _candidates(self, site: str, request: Request, *, before: bool) -> Iterable[_Standing]:
        with self._lock:
            standing = list(self._standing.values())
        return [s for s in standing if s.fault.acts_before() is before and s.fault.befalls(site, request)]

    def _strikes(self, standing: _Standing) -> bool:
        with self._lock:
            return standing.strikes()


def _fits(pattern: str, path: str) -> bool:
    if not ("*" in pattern or "?" in pattern):
        return path.startswith(pattern) or unquote(path).startswith(pattern)
    literal = pattern.replace("[", "[[]")
    return fnmatchcase(path, literal) or fnmatchcase(unquote(path), literal)


def _check(fault: Fault) -> None:
    if unknown := set(fault.options) - _OPTIONS.get(fault.kind, set()):
        raise ValueError(f"{fault.kind} has no option {', '.join(sorted(unknown))}")
    if fault.kind not in KINDS:
        raise ValueError(f"there is no fault {fault.kind}")
