"""Webhooks of the stand-in Airbase: what is sent when, again and again until it is taken.

One rule: one thread sends one event at a time, so that the order is exactly what was ordered; it ends with `close`.
It must not know what a receiver does with an event.
"""

import heapq
import http.client
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ml_connector.sandbox.airbase import events
from ml_connector.sandbox.airbase.events import TYPES, Event
from ml_connector.sandbox.airbase.options import HookOptions

WAITING_MAX = 10_000
DELIVERIES_MAX = 20_000
ANSWER_MAX = 65_536
_WRONGS = ("tampered", "missigned", "duplicated", "delayed", "reordered", "dropped")


class Delivery(msgspec.Struct, frozen=True):
    """One attempt to deliver an event; number 0 for one that was not made."""

    event_id: str
    type: str
    attempt: int
    status: int  # 0 when there was no answer
    ms: int
    wrong: str = ""  # what was ordered to go wrong
    outcome: str = "taken"  # or again, given up, dropped, overflowed


class _Due(msgspec.Struct, frozen=True, order=True):
    """An attempt to be made; earlier ones first, then in the order they were queued."""

    at: float
    number: int
    event: Event
    options: HookOptions
    wrong: str
    attempt: int = 1


class Hooks:
    """The webhooks of one tenant; every method may be called on any thread."""

    def __init__(self, options: Callable[[], HookOptions], seed: int = 1) -> None:
        self._options = options
        self._random = random.Random(seed)  # noqa: S311 - made-up trouble
        self._changed = threading.Condition()
        self._waiting: list[_Due] = []
        self._held: _Due | None = None  # to be overtaken by the next event
        self._busy = False
        self._closed = False
        self._number = 0
        self._deliveries: deque[Delivery] = deque(maxlen=DELIVERIES_MAX)
        self._thread: threading.Thread | None = None
        self._line: http.client.HTTPConnection | None = None

    def noticed(self, kind: str, before: str | None, row: Mapping[str, Any] | None) -> None:
        """Send what there is to tell about a row that had another status before."""
        options = self._options()
        status = str(row.get("status")) if row else None
        name = TYPES.get((kind, status)) if status and status != before else None
        if row is None or name not in options.types or not options.url:
            return
        event = events.event_of(name, row, zoned=options.zoned)
        with self._changed:
            self._take(event, options, self._wrong(options))

    def deliveries(self) -> list[Delivery]:
        """List the latest attempts, oldest first."""
        with self._changed:
            return list(self._deliveries)

    @property
    def waiting(self) -> int:
        """Count the attempts that are still to be made, the one under way included."""
        with self._changed:
            return len(self._waiting) + self._busy

    def settle(self, timeout_s: float = 10) -> bool:
        """Wait until nothing is left to be sent, and say whether that came."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout_s)

    def close(self) -> None:
        """Stop sending, whatever still waits, and cut the connection."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            if self._line is not None and self._line.sock:
                _quietly_shut(self._line.sock)
        if self._thread is not None:
            self._thread.join(10)

    def _wrong(self, options: HookOptions) -> str:
        drawn = self._random.random()
        for name in _WRONGS:
            if drawn < (share := getattr(options, name)):
                return name
            drawn -= share
        return ""

    def _take(self, event: Event, options: HookOptions, wrong: str) -> None:
        if wrong == "dropped" or self._closed or len(self._waiting) >= WAITING_MAX:
            outcome = "dropped" if wrong == "dropped" else "overflowed"
            self._deliveries.append(Delivery(event.id, event.type, 0, 0, 0, wrong, outcome))
            return
        held, self._held = self._still_held(), None
        waits = wrong == "delayed" or (wrong == "reordered" and held is None)
        made = self._push(options.delay_s if waits else 0, event, options, wrong)
        if wrong == "duplicated":
            self._push(0, event, options, wrong)
        self._held = made if wrong == "reordered" and waits else None
        if held is not None:
            self._waiting.remove(held)
            heapq.heapify(self._waiting)
            self._push(0, held.event, held.options, held.wrong)
        self._start()
        self._changed.notify_all()

    def _still_held(self) -> _Due | None:
        return self._held if self._held in self._waiting else None

    def _push(self, late_s: float, event: Event, options: HookOptions, wrong: str, attempt: int = 1) -> _Due:
        self._number += 1
        made = _Due(time.monotonic() + late_s, self._number, event, options, wrong, attempt)
        heapq.heappush(self._waiting, made)
        return made

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, name="sandbox-airbase-hooks", daemon=True)
            self._thread.start()

    def _send(self) -> None:
        while (due := self._next()) is not None:
            began = time.monotonic()
            status = self._attempt(due)
            self._settled(due, status, round((time.monotonic() - began) * 1000))

    def _next(self) -> _Due | None:
        with self._changed:
            while not self._closed:
                left_s = self._waiting[0].at - time.monotonic() if self._waiting else None
                if left_s is not None and left_s <= 0:
                    self._busy = True
                    return heapq.heappop(self._waiting)
                self._changed.wait(left_s)
            return None

    def _attempt(self, due: _Due) -> int:
        """Post an event; 0 when no answer came."""
        url = urlsplit(due.options.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        line = kind(url.hostname or "", url.port, timeout=due.options.timeout_s)
        body = events.tampered(due.event.body) if due.wrong == "tampered" else due.event.body
        headers = events.headers_of(due.options, due.event, int(time.time()), missigned=due.wrong == "missigned")
        try:
            line.connect()
            with self._changed:
                self._line = line
                if self._closed:
                    return 0
            line.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers)
            answer = line.getresponse()
            answer.read(ANSWER_MAX)
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()

    def _settled(self, due: _Due, status: int, ms: int) -> None:
        options = due.options
        is_taken = 200 <= status < 300
        is_last = due.attempt >= options.attempts
        outcome = "taken" if is_taken else "given up" if is_last else "again"
        with self._changed:
            self._line = None
            self._busy = False
            self._deliveries.append(Delivery(due.event.id, due.event.type, due.attempt, status, ms, due.wrong, outcome))
            if outcome == "again" and not self._closed:
                late_s = options.backoff_s * 2 ** (due.attempt - 1)
                self._push(late_s, due.event, options, due.wrong, due.attempt + 1)
            self._changed.notify_all()


def _quietly_shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
