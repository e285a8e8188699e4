"""Placing orders: one that waits already and covers a new one does it, and is hurried where that one is.

Rule: it is one of the statements of whoever asks, so that an order is placed exactly when what asks for it is kept.
Must not know: who carries orders out.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store.db import epoch
from ml_connector.store.schema_work import IS_QUEUED_OR_RUNNING, orders
from ml_connector.sync.orders import Cause, Order, State

OPEN = (State.QUEUED, State.RUNNING)
UNHURRIED = (Cause.SCHEDULE, Cause.CATCH_UP)


def place(connection: Connection, order: Order, at: str, wait_s: float = 0.0) -> str:
    """Place an order within a transaction; the id of the one that does it.

    One that waits to be tried again is not waited for when it is a person who asks.
    """
    what = msgspec.json.encode(order.extent).decode()
    if not order.extent.partial:
        alike = select(orders.c.id).where(orders.c.state == State.QUEUED)
        alike = alike.where(of_flow(order.connection_id, order.flow), orders.c.what == what)
        if same := connection.execute(alike.limit(1)).scalar():
            if order.cause not in UNHURRIED:
                _hurry(connection, same, order.rank, wait_s)
            return same
    kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row: dict[str, Any] = msgspec.structs.asdict(order)
    row = {name: row[name] for name in ("id", "connection_id", "flow", "rank")}
    row |= {"what": what, "cause": order.cause.value, "person": order.person, "state": State.QUEUED.value}
    row |= {"placed_at": at, "not_before": epoch(connection) + wait_s, "attempts": 0}
    row |= {"run_id": "", "figures": "{}", "error": ""}
    connection.execute(kind(orders).values(row).on_conflict_do_nothing())
    return order.id


def of_flow(connection_id: int, flow: str) -> ColumnElement[bool]:
    """The condition that an open order is of this flow."""
    # The sum keeps SQLite from the index of the flow, which leads through all that ever were.
    return and_(IS_QUEUED_OR_RUNNING, orders.c.connection_id + 0 == connection_id, orders.c.flow == flow)


def _hurry(connection: Connection, order_id: str, rank: int, wait_s: float) -> None:
    at = epoch(connection) + wait_s
    sooner = {"not_before": case((orders.c.not_before > at, at), else_=orders.c.not_before)}
    sooner |= {"rank": case((orders.c.rank > rank, rank), else_=orders.c.rank)}
    mine = update(orders).where(orders.c.id == order_id, orders.c.state == State.QUEUED)
    connection.execute(mine.values(sooner))
