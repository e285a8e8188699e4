"""The group committer: events that arrive together are committed together, each before it is answered.

Rule: who gives an event gets a receipt after the commit, or an error; nothing is acknowledged that is not on disk.
What does not fit in the queue is turned away at once.
Must not know: how events arrive, how they are kept.
"""

import asyncio
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from ml_connector.errors import BusyError, StoreError
from ml_connector.store.inbox import Event, Place, Receipt

BATCH_MAX = 500
QUEUE_MAX = 5000
BYTES_MAX = 64 * 1024 * 1024  # of bodies that wait
GATHER_S = 0.02  # between commits: each costs about as much as thirty events in it
COUNT_EVERY_S = 2.0
CLOSE_S = 20.0
APART_S = 5.0
_LOG = structlog.get_logger("ml_connector.hooks")
Answer = Receipt | StoreError
Keep = Callable[[Sequence[Event], Mapping[Place, int]], Sequence[Receipt]]


class FullError(Exception):
    """More waits than may wait: come again later."""


class _Waiting(NamedTuple):
    event: Event
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Receipt]"


class Committer:
    """One thread that writes; `give` is used from event loops."""

    def __init__(self, keep: Keep, queue_max: int = QUEUE_MAX) -> None:
        self._keep = keep
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(queue_max)
        self._guard = threading.Lock()
        self._bytes = 0
        self._refused: Counter[Place] = Counter()
        self._thread: threading.Thread | None = None

    def give(self, event: Event) -> "asyncio.Future[Receipt]":
        """Have an event committed; StoreError is set when it could not be. Raises: FullError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._start()
        with self._guard:
            if self._bytes + len(event.body) > BYTES_MAX:
                raise FullError
            try:
                self._queue.put_nowait(_Waiting(event, loop, future))
            except queue.Full:
                raise FullError from None
            self._bytes += len(event.body)
        return future

    def refused(self, place: Place) -> None:
        """Count one that was turned away."""
        with self._guard:
            self._refused[place] += 1
        self._start()

    def close(self) -> None:
        """Commit what waits, then end."""
        with self._guard:
            thread, self._thread = self._thread, None
        if thread:
            self._queue.put(None)
            thread.join(CLOSE_S)

    def _start(self) -> None:
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_open, ended_at = True, 0.0
        while is_open:
            batch, is_open = self._next(ended_at + GATHER_S)
            counted = self._counted()
            if batch or counted:
                self._commit(batch, counted)
                ended_at = time.monotonic()

    def _next(self, not_before: float) -> tuple[list[_Waiting], bool]:
        """What waits, as much as is committed together; False when it is the last."""
        batch: list[_Waiting] = []
        with suppress(queue.Empty):
            one = self._queue.get(timeout=COUNT_EVERY_S)
            if one is not None:
                time.sleep(max(0.0, not_before - time.monotonic()))
            while one is not None:
                batch.append(one)
                if len(batch) == BATCH_MAX:
                    return batch, True
                one = self._queue.get_nowait()
            return batch, False
        return batch, True

    def _counted(self) -> dict[Place, int]:
        with self._guard:
            counted, self._refused = dict(self._refused), Counter()
        return counted

    def _commit(self, batch: Sequence[_Waiting], counted: Mapping[Place, int]) -> None:
        self._answer(batch, self._kept([one.event for one in batch], counted, time.monotonic() + APART_S))

    def _kept(self, events: Sequence[Event], counted: Mapping[Place, int], until: float) -> Sequence[Answer]:
        """What is told to each: a receipt, or an error. Events that fail together are tried apart, until then."""
        try:
            return self._keep(events, counted)
        except Exception as error:  # whatever it is, those who wait are told, and the next batch is tried
            if len(events) > 1 and not isinstance(error, BusyError) and time.monotonic() < until:
                half = len(events) // 2
                return [*self._kept(events[:half], counted, until), *self._kept(events[half:], {}, until)]
            _LOG.warning("events were not kept", number=len(events), error=type(error).__name__)
            with self._guard:
                self._refused.update(counted)
            told = error if isinstance(error, StoreError) else StoreError(f"not kept: {type(error).__name__}")
            return [told] * len(events)

    def _answer(self, batch: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
        with self._guard:
            self._bytes -= sum(len(one.event.body) for one in batch)
        of_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Answer]]] = {}
        for one, answer in zip(batch, answers, strict=True):
            of_loop.setdefault(one.loop, []).append((one.future, answer))
        for loop, pairs in of_loop.items():
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: "Sequence[tuple[asyncio.Future[Receipt], Answer]]") -> None:
    for future, answer in pairs:
        if future.done():  # who waited has given up
            continue
        if isinstance(answer, Receipt):
            future.set_result(answer)
        else:
            future.set_exception(answer)
