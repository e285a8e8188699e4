"""What events lead to: orders, and what became of them.

Rule: an order is placed and its events are marked in one transaction, by one at a time; an event whose order came to
nothing waits again, longer each time and a limited number of times.
Must not know: why a flow is off or held back.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, text, update

from ml_connector.store import placing, schema
from ml_connector.store.db import Database, among, epoch, one_at_a_time
from ml_connector.store.inbox import State
from ml_connector.store.schema_work import inbox, orders
from ml_connector.store.scope import Clock, clean
from ml_connector.sync import orders as kinds
from ml_connector.sync.orders import Cause, Extent, Order

EVENTS_MAX = 1000  # that one order is placed for
ORDERS_MAX = 500  # ended ones that are looked at together
TRIES_MAX = 8
AGAIN_S, AGAIN_MAX_S = 30.0, 3600.0
NOTE_MAX = 500
RANK = 0
_PLACING = 0x6D6C_636F_6E6F  # the advisory lock under which orders are placed
Group = tuple[int, str]  # a connection and a flow


class Leading:
    """The events of a store that orders are placed for."""

    def __init__(self, db: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock

    def groups(self) -> list[Group]:
        """Of which flows events wait whose time has come."""
        with self._db.read() as connection:
            query = select(inbox.c.connection_id, inbox.c.flow).where(_due(connection)).distinct()
            return sorted((row.connection_id, row.flow) for row in connection.execute(query))

    def place(self, group: Group, wait_s: float = 0.0) -> int:
        """Place an order for events of a flow, unless one waits already; for how many events."""
        if self._is_ordered(group):
            return 0
        with self._db.write() as connection:
            one_at_a_time(connection, _PLACING)
            if connection.execute(_ordered(group)).first():
                return 0
            query = select(inbox.c.id, inbox.c.key, inbox.c.tries).where(_of(group), _due(connection))
            rows = connection.execute(query.order_by(inbox.c.not_before, inbox.c.id).limit(EVENTS_MAX)).all()
            rows = together(rows)
            self._place(connection, group, [row for row in rows if row.key], wait_s)
            self._place(connection, group, [row for row in rows if not row.key], wait_s)
        return len(rows)

    def turn_off(self, group: Group, sentence: str) -> int:
        """Put the events of a flow aside; how many."""
        values = {"state": State.OFF.value, "note": clean(sentence)}
        with self._db.write() as connection:
            return connection.execute(update(inbox).where(_of(group), _waiting()).values(values)).rowcount

    def settle(self) -> bool:
        """Mark the events whose orders are over; whether there were any."""
        ended = self._ended()
        if not ended:
            return False
        with self._db.write() as connection:
            good = [row for row in ended if row.state in (kinds.State.DONE, kinds.State.BLOCKED)]
            for state, note in ((kinds.State.DONE, ""), (kinds.State.BLOCKED, "its plan waits for an approval")):
                _finish(connection, sorted({row.order_id for row in good if row.state == state}), note)
            for row in ended:
                if row not in good:
                    _put_back(connection, row)
        return True

    def _is_ordered(self, group: Group) -> bool:
        with self._db.read() as connection:
            return connection.execute(_ordered(group)).first() is not None

    def _place(self, connection: Connection, group: Group, rows: Sequence[Any], wait_s: float) -> None:
        if not rows:
            return
        # A row is placed once with each number of tries, so this can't be the id of another order.
        first = min(rows, key=lambda row: row.id)
        extent = Extent(keys=tuple(sorted({row.key for row in rows if row.key})))
        order = Order(f"inbox/{first.id}/{first.tries}", *group, extent, Cause.WEBHOOK, rank=RANK)
        order_id = placing.place(connection, order, schema.stamp(self._clock()), wait_s)
        mine = update(inbox).where(among(connection, inbox.c.id, [row.id for row in rows]))
        values = {"state": State.PLACED.value, "order_id": order_id, "tries": inbox.c.tries + 1, "note": ""}
        connection.execute(mine.values(values))

    def _ended(self) -> Sequence[Any]:
        columns = (inbox.c.order_id, inbox.c.tries, orders.c.state, orders.c.error)
        joined = select(*columns).join(orders, orders.c.id == inbox.c.order_id, isouter=True).distinct()
        over = or_(orders.c.id.is_(None), orders.c.state.not_in(placing.OPEN))
        with self._db.read() as connection:
            return connection.execute(joined.where(_placed(), over).limit(ORDERS_MAX)).all()


def _waiting() -> ColumnElement[bool]:
    return inbox.c.state == text("'waiting'")  # as in the condition of the index


def _placed() -> ColumnElement[bool]:
    return inbox.c.state == text("'placed'")


def _due(connection: Connection) -> ColumnElement[bool]:
    return and_(_waiting(), inbox.c.not_before <= epoch(connection))


def _of(group: Group) -> ColumnElement[bool]:
    return and_(inbox.c.connection_id == group[0], inbox.c.flow == group[1])


def _ordered(group: Group) -> Any:
    waits = and_(orders.c.cause == Cause.WEBHOOK.value, orders.c.state == kinds.State.QUEUED.value)
    return select(orders.c.id).where(placing.of_flow(*group), waits).limit(1)


def together(rows: Sequence[Any]) -> Sequence[Any]:
    """The events for one order: the more often they failed the fewer, so that one that always fails is alone in the end
    and takes no others with it.
    """
    tries = rows[0].tries if rows else 0
    most = max(1, EVENTS_MAX >> 3 * max(0, tries - 1))
    return [row for row in rows if row.tries == tries][:most]


def _finish(connection: Connection, ids: Sequence[str], note: str) -> None:
    ended_at = select(orders.c.finished_at).where(orders.c.id == inbox.c.order_id).scalar_subquery()
    mine = update(inbox).where(_placed(), among(connection, inbox.c.order_id, ids))
    if ids:
        connection.execute(mine.values(state=State.DONE.value, note=note, done_at=ended_at))


def _put_back(connection: Connection, ended: Any) -> None:
    """Have the events of an order that came to nothing wait again, or leave them to a person."""
    why = (
        "was cancelled"
        if ended.state == kinds.State.CANCELLED
        else f"failed: {ended.error}"
        if ended.state
        else "is gone"
    )
    note = clean(f"its order {why}"[:NOTE_MAX])
    values: dict[str, Any] = {"state": State.FAILED.value, "note": note}
    if ended.tries < TRIES_MAX:
        later = epoch(connection) + min(AGAIN_MAX_S, AGAIN_S * 2 ** (ended.tries - 1))
        values |= {"state": State.WAITING.value, "order_id": "", "not_before": later}
    mine = update(inbox).where(_placed(), inbox.c.order_id == ended.order_id, inbox.c.tries == ended.tries)
    connection.execute(mine.values(values))
