"""Orders as the engine sees them, with the leases under which they are carried out: placed, claimed, ended, listed.

Rule: each step is one transaction; an order belongs to the worker that claimed it for as long as that one's lease is
in force.
Must not know: how an order is carried out.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select, update

from ml_connector.store import leases, schema, tallies
from ml_connector.store.db import Database, epoch, one_at_a_time
from ml_connector.store.placing import place
from ml_connector.store.schema import IS_STOPPED
from ml_connector.store.schema_work import IS_QUEUED_OR_RUNNING, orders
from ml_connector.store.scope import Clock, clean
from ml_connector.sync.orders import Cause, Ending, Extent, Order, State, following

SHOWN_MAX = 2000  # open orders that are listed
LATE = timedelta(minutes=10)  # who has waited for so long goes first, whatever the rank
AHEAD_MAX = timedelta(minutes=1)  # that the clocks of workers may differ
_CLAIMS = 0x6D6C_636F_6E6E  # the advisory lock under which orders are claimed


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: at which stage, with how many records."""

    stage: str
    done: int


class Placed(msgspec.Struct, frozen=True):
    """An order as recorded; `progress`: of the run that it is at, as far as it was told."""

    order: Order
    started_at: datetime | None
    finished_at: datetime | None
    worker: str
    run_id: str
    figures: dict[str, int]
    error: str
    progress: Progress | None = None


class Orders:
    """The orders of all connections of a store."""

    def __init__(self, db: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock

    def place(self, order: Order, wait_s: float = 0.0) -> str:
        """Place an order; the id of the one that does it: this, or one that waits already and covers it."""
        with self._db.write() as connection:
            return place(connection, order, schema.stamp(self._clock()), wait_s)

    def claim(
        self,
        worker: str,
        needs: Mapping[str, Collection[str]],
        held: Collection[str] | None = None,
        *,
        last: bool = False,
    ) -> Order | None:
        """Take the next order.

        `held`: the orders that the worker knows it has; what else it has by our rows is handed on, as the answer to
        its claim was lost. `last`: the worker has one thread left. Raises: StoreError when the worker's lease is gone.
        """
        forgotten = None if held is None else leases.held_by(worker) & orders.c.id.not_in(held)
        if not self._any_due(forgotten):
            return None
        with self._db.write() as connection:
            one_at_a_time(connection, _CLAIMS)
            leases.check(connection, worker)
            if forgotten is not None:
                leases.hand_on(connection, forgotten)
            spare = last and _several(connection)
            chosen = following(_in_view(connection, self._clock()), needs, spare=spare)
            if chosen is None:
                return None
            taken = update(orders).where(orders.c.id == chosen.id, orders.c.state == State.QUEUED)
            values = {"state": State.RUNNING.value, "worker": worker, "started_at": schema.stamp(self._clock())}
            values |= {"progress": ""}
            connection.execute(taken.values(values | {"attempts": orders.c.attempts + 1}))
        return msgspec.structs.replace(chosen, state=State.RUNNING, attempts=chosen.attempts + 1)

    def end(self, worker: str, order: Order, ending: Ending) -> bool:
        """Record what became of an order; False when it is no longer this worker's."""
        back = ending.state is State.QUEUED
        values: dict[str, Any] = {"state": ending.state.value, "error": clean(ending.error), "run_id": ending.run_id}
        values |= {"figures": msgspec.json.encode(ending.figures).decode()}
        with self._db.write() as connection:
            if back:
                values |= {"worker": None, "not_before": epoch(connection) + ending.wait_s}
                values |= {"attempts": order.attempts - (not ending.counts)}
            else:
                values |= {"finished_at": schema.stamp(self._clock())}
            mine = update(orders).where(orders.c.id == order.id, orders.c.worker == worker)
            done = connection.execute(mine.where(orders.c.state == State.RUNNING).values(values)).rowcount == 1
            if done and not back:
                tallies.add(connection, _tallied(order, ending))
        return done

    def tell(self, order_id: str, progress: Progress) -> None:
        """Record how far the run of an order is."""
        mine = update(orders).where(orders.c.id == order_id, orders.c.state == State.RUNNING)
        with self._db.write() as connection:
            connection.execute(mine.values(progress=msgspec.json.encode(progress).decode()))

    def cancel(self, order_id: str, person: str) -> bool:
        """Take back an order that nobody has begun."""
        statement = update(orders).where(orders.c.id == order_id, orders.c.state == State.QUEUED)
        values = {"state": State.CANCELLED.value, "finished_at": schema.stamp(self._clock())}
        values |= {"error": clean(f"taken back by {person}")}
        with self._db.write() as connection:
            return connection.execute(statement.values(values)).rowcount == 1

    def get(self, order_id: str) -> Placed | None:
        """One order."""
        with self._db.read() as connection:
            row = connection.execute(select(orders).where(orders.c.id == order_id)).one_or_none()
        return _placed(row) if row else None

    def recent(
        self,
        connection_id: int | None = None,
        flow: str | None = None,
        limit: int = 100,
        state: State | None = None,
        after: tuple[datetime, str] | None = None,
    ) -> list[Placed]:
        """The latest orders, newest first; `after`: those that follow one placed then, with this id."""
        query = select(orders)
        query = query if connection_id is None else query.where(orders.c.connection_id == connection_id)
        query = query if flow is None else query.where(orders.c.flow == flow)
        query = query if state is None else query.where(orders.c.state == state)
        query = query if after is None else query.where(_follows(schema.stamp(after[0]), after[1]))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(orders.c.placed_at.desc(), orders.c.id).limit(limit)).all()
        return [_placed(row) for row in rows]

    def stopped(self, connection_id: int, limit: int) -> list[Placed]:
        """Orders whose plans a gate stopped, newest first."""
        query = select(orders).where(orders.c.connection_id == connection_id, IS_STOPPED)
        with self._db.read() as connection:
            return [_placed(row) for row in connection.execute(query.order_by(orders.c.placed_at.desc()).limit(limit))]

    def open(self) -> list[Order]:
        """Orders that wait or are carried out, the first of them, in the order in which they would be claimed."""
        with self._db.read() as connection:
            return _open(connection)

    def join(self, worker: str, host: str, pid: int, version: str, threads: int, lease_s: float) -> None:
        """Take a lease."""
        row = {"id": worker, "host": host, "pid": pid, "version": version, "threads": threads}
        with self._db.write() as connection:
            leases.take(connection, row | {"started_at": schema.stamp(self._clock())}, lease_s)

    def beat(self, worker: str, lease_s: float) -> bool:
        """Renew a lease; False when somebody has ended it."""
        with self._db.write() as connection:
            return leases.renew(connection, worker, lease_s)

    def leave(self, worker: str) -> None:
        """Give a lease back, and whatever is still held under it."""
        with self._db.write() as connection:
            leases.give_back(connection, worker)

    def workers(self) -> list[leases.WorkerRow]:
        """The workers that have a lease."""
        with self._db.read() as connection:
            return leases.there(connection)

    def take_over(self, but: str) -> list[leases.Lapsed]:
        """End the leases that ran out, and hand on what was held under them; nothing while one's own is out, too."""
        with self._db.read() as connection:
            if not leases.any_to_end(connection, but):
                return []
        with self._db.write() as connection:
            return leases.end_lapsed(connection, but)

    def clean(self, days: int) -> int:
        """Forget what ended longer ago; how many."""
        before = schema.stamp(self._clock() - timedelta(days=days))
        with self._db.write() as connection:
            return connection.execute(delete(orders).where(orders.c.finished_at < before)).rowcount

    def _any_due(self, forgotten: ColumnElement[bool] | None) -> bool:
        with self._db.read() as connection:
            due = and_(orders.c.state == State.QUEUED, _come(connection, self._clock()))
            due = due if forgotten is None else or_(due, forgotten)
            query = select(orders.c.id).where(IS_QUEUED_OR_RUNNING, due).limit(1)
            return connection.execute(query).first() is not None


def _follows(placed_at: str, order_id: str) -> ColumnElement[bool]:
    return (orders.c.placed_at < placed_at) | ((orders.c.placed_at == placed_at) & (orders.c.id > order_id))


def _open(connection: Connection) -> list[Order]:
    waits = (orders.c.not_before > epoch(connection)).label("waits")
    query = select(orders, waits).where(IS_QUEUED_OR_RUNNING)
    rows = connection.execute(query.order_by(orders.c.rank, orders.c.placed_at, orders.c.id).limit(SHOWN_MAX)).all()
    return [_order(row, waits=row.waits) for row in rows]


def _in_view(connection: Connection, now: datetime) -> list[Order]:
    """What a claim looks at: what runs, and the first of each connection and flow that may begin.

    However many wait, nothing that runs and no other flow is out of sight.
    """
    rank = case((orders.c.placed_at < schema.stamp(now - LATE), 0), else_=orders.c.rank).label("going")
    age = (rank, orders.c.placed_at, orders.c.id)
    alike = (orders.c.connection_id + 0, orders.c.flow, orders.c.state)  # the sum: see `of_flow`
    nth = func.row_number().over(partition_by=alike, order_by=age).label("nth")
    timely = or_(orders.c.state == State.RUNNING, _come(connection, now))
    seen = select(orders, rank, nth).where(IS_QUEUED_OR_RUNNING, timely).subquery()
    query = select(seen).where(seen.c.nth == 1).order_by(seen.c.going, seen.c.placed_at, seen.c.id)
    return [_order(row) for row in connection.execute(query)]


def _come(connection: Connection, now: datetime) -> ColumnElement[bool]:
    """The condition that an order's time has come; what was placed in the future was, as the clock went back."""
    return or_(orders.c.not_before <= epoch(connection), orders.c.placed_at > schema.stamp(now + AHEAD_MAX))


def _several(connection: Connection) -> bool:
    there = select(schema.connections.c.id).where(schema.connections.c.removed_at.is_(None)).limit(2)
    return len(connection.execute(there).all()) > 1


def _order(row: Any, *, waits: bool = False) -> Order:
    extent = msgspec.json.decode(row.what, type=Extent)
    told = (Cause(row.cause), row.person, row.rank, State(row.state), row.attempts)
    return Order(row.id, row.connection_id, row.flow, extent, *told, bool(waits), schema.instant(row.placed_at))


def _placed(row: Any) -> Placed:
    times = [schema.instant(at) if at else None for at in (row.started_at, row.finished_at)]
    figures = msgspec.json.decode(row.figures)
    told = row.progress if row.state == State.RUNNING else ""
    progress = msgspec.json.decode(told, type=Progress) if told else None
    return Placed(_order(row), times[0], times[1], row.worker or "", row.run_id, figures, row.error, progress)


def _tallied(order: Order, ending: Ending) -> dict[tallies.Key, float]:
    flow = (("connection", str(order.connection_id)), ("flow", order.flow))
    added: dict[tallies.Key, float] = {
        ("runs", (*flow, ("cause", order.cause.value), ("state", ending.state.value))): 1.0,
        ("run_seconds", flow): ending.seconds,
    }
    added |= {("records", (*flow, ("outcome", name))): float(n) for name, n in ending.figures.items() if n}
    own = flow[:1]
    for name, counts in (("requests", ending.requests), ("throttled", ending.throttled)):
        added |= {(name, (*own, ("system", system))): float(n) for system, n in counts.items() if n}
    return added
