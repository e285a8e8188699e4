"""Everything that goes on by itself in one process: a worker and its chores.

Rule: chores may be done by any worker, by several at once; what must happen once is decided in the store.
Must not know: how anything is shown.
"""

from contextlib import ExitStack, suppress
from importlib.metadata import version
from typing import Any

import structlog

from ml_connector import flows
from ml_connector.engine.seam import Chore
from ml_connector.engine.worker import Pace, Worker
from ml_connector.errors import BusyError, ConnectorError
from ml_connector.settings import Installation
from ml_connector.store.db import PROCESS
from ml_connector.store.inbox import Inbox
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Ending, Order, State, needed_by
from ml_connector.systems import tracing
from ml_connector.wiring import alerting, dispatching, keeping, versions
from ml_connector.wiring.alerting import Alerting
from ml_connector.wiring.dispatching import Dispatching
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.ticking import Ticking

_LOG = structlog.get_logger("ml_connector.worker")
CLEAN_S = 3600.0
ORDERS_DAYS = 90
INBOX_DAYS = 90
NEEDS = needed_by({name: flow.needs for name, flow in flows.FLOWS.items()})


class Logged:
    """Tells the log how a worker fares."""

    def began(self, order: Order) -> None:
        """See `Watching`."""
        _LOG.info("order begun", **_about(order), cause=str(order.cause), attempt=order.attempts)

    def ended(self, order: Order, ending: Ending, *, kept: bool) -> None:
        """See `Watching`."""
        log = _LOG.info if ending.state in (State.DONE, State.QUEUED) else _LOG.warning
        told = {**_about(order), "state": str(ending.state), "run": ending.run_id}
        log("order ended", **told, kept=kept, error=ending.error, seconds=round(ending.seconds, 3), **ending.figures)

    def troubled(self, what: str, error: Exception) -> None:
        """See `Watching`."""
        said = str(error)[:500] if isinstance(error, ConnectorError) else ""  # other words may be a record's
        _LOG.warning("tried again", what=what, error=type(error).__name__, said=said)

    def lost(self) -> None:
        """See `Watching`."""
        _LOG.error("the lease of this worker was ended by another one; it stops")


def _about(order: Order) -> dict[str, Any]:
    return {"order": order.id, "connection_id": order.connection_id, "flow": order.flow}


def worker(opened: Opened, installation: Installation, stack: ExitStack, pace: Pace | None = None) -> Worker:
    """A worker of this process; `stack` closes what it used."""
    pace = pace or Pace()
    performing = Performing(opened)
    stack.callback(tracing.start())
    stack.callback(performing.close)
    chores = _chores(opened, installation, pace)
    orders = Orders(opened.database)
    return Worker(PROCESS, version("ml-connector"), orders, performing, NEEDS, Logged(), chores, pace)


def _chores(opened: Opened, installation: Installation, pace: Pace) -> tuple[Chore, ...]:
    orders, ticking = Orders(opened.database), Ticking(opened)
    return (
        Chore("take over", pace.lease_s / 5, lambda: _taken_over(orders)),
        Chore("schedules", 1.0, ticking.act),
        Chore("versions", versions.EVERY_S, lambda: versions.due(opened)),
        Chore("inbox", dispatching.EVERY_S, Dispatching(opened, ticking.places, ticking.held_until).act),
        Chore("alerts", alerting.EVERY_S, Alerting(opened, installation).act),
        Chore("cleaning", CLEAN_S, lambda: _cleaned(opened, installation)),
    )


def _cleaned(opened: Opened, installation: Installation) -> None:
    with suppress(BusyError):  # another worker is at it
        keeping.clean(opened, installation)
    Orders(opened.database).clean(ORDERS_DAYS)
    Inbox(opened.database, opened.vault).clean(INBOX_DAYS)


def _taken_over(orders: Orders) -> None:
    for lapsed in orders.take_over(PROCESS):
        _LOG.warning("took over", worker=lapsed.worker, orders=lapsed.orders, silent_s=round(lapsed.silent_s, 1))
