"""How things are: runs, orders, exceptions, workers, events, counts, read at one moment for whoever watches.

Rule: a fixed number of statements, however many connections, records or exceptions there are; nothing is written.
Must not know: how it is shown, what is alarming.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, case, func, literal, literal_column, select, text, true, union_all

from ml_connector.errors import VaultError
from ml_connector.store import schema, stakes, tallies
from ml_connector.store.db import Database, among, epoch
from ml_connector.store.leases import WorkerRow
from ml_connector.store.runs import RUNNING
from ml_connector.store.schema import IS_DONE, IS_UNRESOLVED, IS_WHOLE, connections, exceptions, runs, tokens
from ml_connector.store.schema_work import IS_QUEUED_OR_RUNNING, IS_WAITING, inbox, orders, workers
from ml_connector.store.vault import Vault

EVENTS_BACK = 200  # the latest events, from which the lag is told
NEW_WITHIN = timedelta(days=1)
_ENDED = text("state IN ('done', 'blocked', 'failed')")


class Run(msgspec.Struct, frozen=True):
    """How a run stands."""

    id: str
    state: str
    started_at: datetime
    finished_at: datetime | None


class Ended(msgspec.Struct, frozen=True):
    """How the latest order that is over ended."""

    state: str
    run_id: str
    error: str
    finished_at: datetime


class FlowState(msgspec.Struct, frozen=True):
    """A flow of a connection.

    `succeeded_at`, `whole`: of runs that covered all that changed. `last`: of any run. `ended`: of orders. A run
    that is under way is none of them, as nobody knows yet how it ends.
    """

    connection_id: int
    flow: str
    succeeded_at: datetime | None
    whole: Run | None
    last: Run | None
    ended: Ended | None


class Queue(msgspec.Struct, frozen=True):
    """Open orders of a flow."""

    connection_id: int
    flow: str
    queued: int
    running: int
    oldest_at: datetime | None


class Held(msgspec.Struct, frozen=True):
    """Open exceptions of one cause; `new`: opened within a day."""

    connection_id: int
    flow: str
    cause: str
    count: int
    new: int
    oldest_at: datetime
    stakes: dict[str, Decimal]


class Waiting(msgspec.Struct, frozen=True):
    """Events that no order was placed for yet."""

    connection_id: int
    system: str
    count: int
    oldest_at: datetime


class Snapshot(msgspec.Struct, frozen=True):
    """How things are at one moment.

    Units: lags_s from the arrival of an event to the end of its order, ascending; tokens_s until a token is renewed.
    """

    at: datetime
    connections: dict[int, str]
    created: dict[int, datetime] = {}
    flows: tuple[FlowState, ...] = ()
    queues: tuple[Queue, ...] = ()
    held: tuple[Held, ...] = ()
    workers: tuple[WorkerRow, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    lags_s: dict[int, list[float]] = {}
    tokens_s: dict[int, float] = {}
    counted: dict[tallies.Key, float] = {}


def snapshot(db: Database, vault: Vault | None, flows: Collection[str], now: datetime) -> Snapshot:
    """How things are; without a vault nothing is told of tokens. Raises: StoreError."""
    with db.read() as connection:
        there = _there(connection)
        names = {row.id: row.name for row in there}
        return Snapshot(
            now,
            names,
            {row.id: schema.instant(row.created_at) for row in there},
            _flows(connection, sorted(flows)),
            _queues(connection, names),
            _held(connection, names, now),
            leases(connection),
            _waiting(connection, names),
            _lags(connection, names),
            _tokens(connection, vault, names, now) if vault else {},
            tallies.read(connection),
        )


def at_work(db: Database, flows: Collection[str], now: datetime) -> Snapshot:
    """The part of how things are that tells of runs, orders and workers. Raises: StoreError."""
    with db.read() as connection:
        names = {row.id: row.name for row in _there(connection)}
        found, queues = _flows(connection, sorted(flows)), _queues(connection, names)
        return Snapshot(now, names, flows=found, queues=queues, workers=leases(connection))


def leases(connection: Connection) -> tuple[WorkerRow, ...]:
    """The workers, with what is left of their leases."""
    left = (workers.c.lease_until - epoch(connection)).label("left")
    rows = connection.execute(select(workers, left).order_by(workers.c.started_at))
    told = ((r.id, r.host, r.pid, r.version, r.threads, schema.instant(r.started_at), r.left) for r in rows)
    return tuple(WorkerRow(*one) for one in told)


def _there(connection: Connection) -> Sequence[Any]:
    query = select(connections.c.id, connections.c.name, connections.c.created_at)
    return connection.execute(query.where(connections.c.removed_at.is_(None)).order_by(connections.c.name)).all()


def _flows(connection: Connection, flows: Sequence[str]) -> tuple[FlowState, ...]:
    found = connection.execute(_latest(connection, flows)).all()
    known = {one.id: one for one in _runs(connection, {i for row in found for i in (row.last_id, row.whole_id) if i})}
    ended = _ended(connection, {row.order_id for row in found if row.order_id})
    return tuple(
        FlowState(
            row.id,
            row.flow,
            _at(row.succeeded_at),
            known.get(row.whole_id),
            known.get(row.last_id),
            ended.get(row.order_id),
        )
        for row in found
        if row.last_id or row.order_id
    )


def _latest(connection: Connection, flows: Sequence[str]) -> Any:
    """Of each connection and flow the latest runs and order, each by one step into an index."""
    named = union_all(*(select(_name(connection, flow).label("flow")) for flow in flows)).subquery("flows")
    mine = (runs.c.connection_id == connections.c.id, runs.c.flow == named.c.flow)
    run = select(runs.c.id).where(*mine, runs.c.state != RUNNING).order_by(runs.c.started_at.desc()).limit(1)
    done = select(runs.c.finished_at).where(*mine, IS_DONE).order_by(runs.c.finished_at.desc()).limit(1)
    order = select(orders.c.id).where(orders.c.connection_id == connections.c.id, orders.c.flow == named.c.flow)
    order = order.where(_ENDED).order_by(orders.c.placed_at.desc()).limit(1)
    columns = {
        "last_id": run.where(runs.c.kind != "plan"),
        "whole_id": run.where(IS_WHOLE),
        "succeeded_at": done,
        "order_id": order,
    }
    found = (query.correlate(connections, named).scalar_subquery().label(column) for column, query in columns.items())
    there = select(connections.c.id, named.c.flow, *found).select_from(connections.join(named, true()))
    return there.where(connections.c.removed_at.is_(None)).order_by(connections.c.id, named.c.flow)


def _name(connection: Connection, flow: str) -> Any:
    # PostgreSQL refuses to compare two columns that sort differently.
    return literal(flow).collate("C") if connection.dialect.name == "postgresql" else literal(flow)


def _runs(connection: Connection, ids: set[str]) -> list[Run]:
    query = select(runs.c.id, runs.c.state, runs.c.started_at, runs.c.finished_at)
    rows = connection.execute(query.where(among(connection, runs.c.id, sorted(ids))))
    return [Run(row.id, row.state, schema.instant(row.started_at), _at(row.finished_at)) for row in rows]


def _ended(connection: Connection, ids: set[str]) -> dict[str, Ended]:
    query = select(orders.c.id, orders.c.state, orders.c.run_id, orders.c.error, orders.c.finished_at)
    rows = connection.execute(query.where(among(connection, orders.c.id, sorted(ids))))
    return {row.id: Ended(row.state, row.run_id, row.error, schema.instant(row.finished_at)) for row in rows}


def _queues(connection: Connection, names: Collection[int]) -> tuple[Queue, ...]:
    table, queued = orders.c, orders.c.state == "queued"
    query = select(
        table.connection_id,
        table.flow,
        func.sum(case((queued, 1), else_=0)).label("queued"),
        func.count().label("number"),
        func.min(case((queued, table.placed_at))).label("oldest"),
    )
    rows = connection.execute(_grouped(query.where(IS_QUEUED_OR_RUNNING), table.connection_id, table.flow))
    return tuple(
        Queue(row.connection_id, row.flow, row.queued, row.number - row.queued, _at(row.oldest))
        for row in rows
        if row.connection_id in names
    )


def _held(connection: Connection, names: Collection[int], now: datetime) -> tuple[Held, ...]:
    table = exceptions.c
    new = func.sum(case((table.opened_at >= schema.stamp(now - NEW_WITHIN), 1), else_=0)).label("new")
    columns, counted = (table.connection_id, table.flow, table.cause), (func.count(), new, func.min(table.opened_at))
    found = sorted(stakes.summed(connection, columns, counted, IS_UNRESOLVED), key=lambda one: one[0])
    return tuple(_sum_of(*one) for one in found if one[0][0] in names)


def _sum_of(place: tuple[Any, ...], parts: Sequence[stakes.Counted], sums: stakes.Stakes) -> Held:
    number, new = (sum(part[at] for part in parts) for at in (0, 1))
    return Held(place[0], place[1], place[2], number, new, schema.instant(min(part[2] for part in parts)), sums)


def _waiting(connection: Connection, names: Collection[int]) -> tuple[Waiting, ...]:
    table = inbox.c
    query = select(
        table.connection_id, table.system, func.count().label("number"), func.min(table.received_at).label("oldest")
    )
    rows = connection.execute(_grouped(query.where(IS_WAITING), table.connection_id, table.system))
    return tuple(
        Waiting(row.connection_id, row.system, row.number, schema.instant(row.oldest))
        for row in rows
        if row.connection_id in names
    )


def _grouped(query: Any, owner: Any, more: Any) -> Any:
    # By the columns alone, SQLite would rather read all rows there ever were, as an index has them in this order.
    first = owner + literal_column("0")
    return query.group_by(first, owner, more).order_by(owner, more)


def _lags(connection: Connection, names: Collection[int]) -> dict[int, list[float]]:
    query = select(inbox.c.connection_id, inbox.c.received_at, inbox.c.done_at).order_by(inbox.c.id.desc())
    lags: dict[int, list[float]] = {}
    for connection_id, received, done in connection.execute(query.limit(EVENTS_BACK)):
        if done and connection_id in names:
            took = schema.instant(done) - schema.instant(received)
            lags.setdefault(connection_id, []).append(max(0.0, took.total_seconds()))
    return {number: sorted(took) for number, took in lags.items()}


def _tokens(connection: Connection, vault: Vault, names: Collection[int], now: datetime) -> dict[int, float]:
    rows = connection.execute(select(tokens).where(tokens.c.name == "ifs").order_by(tokens.c.connection_id)).all()
    left: dict[int, float] = {}
    for row in (one for one in rows if one.connection_id in names):
        try:
            plain = vault.unseal(row.sealed, str(row.connection_id), "tokens", row.name)
        except VaultError:  # the run that needs the token says so
            continue
        left[row.connection_id] = msgspec.json.decode(plain, type=tuple[str, float])[1] - now.timestamp()
    return left


def _at(stored: str | None) -> datetime | None:
    return schema.instant(stored) if stored else None
