"""Carrying out an order: one run of one flow, with both systems at hand.

Rule: whatever happens comes back as an ending; nothing is raised. What was out of reach is tried again, what a person
has to mend is not.
Must not know: where orders come from, or when.
"""

import threading
from collections.abc import Callable

import structlog

from ml_connector.errors import (
    BusyError,
    ConnectorError,
    StoppedError,
    StoreError,
    ThrottledError,
    UnreachableError,
)
from ml_connector.store.leases import ATTEMPTS_MAX
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Ending, Order, State, figures
from ml_connector.sync.report import Report
from ml_connector.systems.tracing import span
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.pacing import Pacing

BUSY_S = 2.0
AGAIN_S = 15.0  # doubled with each attempt
_LOG = structlog.get_logger("ml_connector.order")


class Performing:
    """Carries out orders of a store; connections stay joined from order to order, as long as they are not changed."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._guard = threading.Lock()
        self._idle: dict[tuple[str, str], list[Joined]] = {}

    def __call__(self, order: Order, stop: Callable[[], bool]) -> Ending:
        """Carry out an order; `stop` tells whether to stop at the next safe point."""
        with structlog.contextvars.bound_contextvars(order=order.id, flow=order.flow, cause=str(order.cause)):
            try:
                with span("order", order=order.id, connection=order.connection_id, flow=order.flow):
                    return self._performed(order, stop)
            except ConnectorError as error:
                return ending_of(order, error)
            except Exception as error:
                _LOG.exception("failed")
                return Ending(State.FAILED, error=f"{type(error).__name__}; the log of the worker says where")

    def close(self) -> None:
        """Let go of the network connections."""
        with self._guard:
            for idle in self._idle.values():
                for both in idle:
                    both.close()
            self._idle.clear()

    def _performed(self, order: Order, stop: Callable[[], bool]) -> Ending:
        place = self._opened.connections.versions().get(order.connection_id)
        if place is None:
            return Ending(State.FAILED, error="the connection was removed")
        with structlog.contextvars.bound_contextvars(connection=place[0]):
            both = self._taken(place)
            try:
                return _run(both, order, stop, Pacing(Orders(self._opened.database), order.id))
            finally:
                self._given_back(place, both)

    def _taken(self, place: tuple[str, str]) -> Joined:
        with self._guard:
            for old in [key for key in self._idle if key[0] == place[0] and key != place]:
                for both in self._idle.pop(old):
                    both.close()
            idle = self._idle.get(place)
            if idle:
                return idle.pop()
        return Joined(self._opened, place[0])

    def _given_back(self, place: tuple[str, str], both: Joined) -> None:
        with self._guard:
            self._idle.setdefault(place, []).append(both)


def _run(both: Joined, order: Order, stop: Callable[[], bool], tell: Pacing) -> Ending:
    def watch(_flow: str, stage: str, done: int) -> None:
        if stop():
            raise StoppedError("asked to stop")
        tell(stage, done)

    (report, error), *_ = both.run([order.flow], extent=order.extent, watch=watch, ordered_by=order.person)
    return ending_of(order, error, report) if error else _ended(report)


def _ended(report: Report) -> Ending:
    state = State.BLOCKED if report.state == "blocked" else State.DONE
    return _told(Ending(state, error="; ".join(report.objections)), report)


def ending_of(order: Order, error: ConnectorError, report: Report | None = None) -> Ending:
    """What becomes of an order that met this error."""
    if isinstance(error, BusyError):
        ending = Ending(State.QUEUED, error=str(error), wait_s=BUSY_S)
    elif isinstance(error, StoppedError):
        ending = Ending(State.QUEUED)
    elif _passes(error) and order.attempts < ATTEMPTS_MAX:
        ending = Ending(State.QUEUED, error=str(error), wait_s=_again_s(order, error), counts=True)
    else:
        ending = Ending(State.FAILED, error=str(error))
    return _told(ending, report) if report else ending


def _again_s(order: Order, error: ConnectorError) -> float:
    """How long to let it rest; once this is recorded, the store is back."""
    return BUSY_S if isinstance(error, StoreError) else AGAIN_S * 2 ** (order.attempts - 1)


def _passes(error: ConnectorError) -> bool:
    """Whether it may go away by itself."""
    return isinstance(error, UnreachableError | ThrottledError | StoreError)


def _told(ending: Ending, report: Report) -> Ending:
    return Ending(
        ending.state,
        figures(report),
        report.run_id,
        ending.error,
        ending.wait_s,
        ending.counts,
        report.requests,
        report.throttled,
        report.seconds,
    )
