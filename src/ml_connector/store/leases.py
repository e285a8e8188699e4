"""Workers, and the leases under which they hold orders: taken, renewed, given back, ended.

Rule: a lease runs on the database's clock; what was held under one that ends is handed on in the same transaction.
Must not know: what an order is for, how it is carried out.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, exc, insert, select, text, update

from ml_connector.errors import StoreError
from ml_connector.store import schema, tallies
from ml_connector.store.db import epoch, session_name
from ml_connector.store.schema_work import IS_RUNNING, orders, workers
from ml_connector.sync.orders import State

ATTEMPTS_MAX = 5  # times that an order may die with its worker before a person looks at it


class WorkerRow(msgspec.Struct, frozen=True):
    """A worker with a lease. Units: lease_s is what is left of it."""

    id: str
    host: str
    pid: int
    version: str
    threads: int
    started_at: datetime
    lease_s: float


class Lapsed(msgspec.Struct, frozen=True):
    """A worker whose lease ran out, and how many orders it left."""

    worker: str
    orders: int
    silent_s: float


def take(connection: Connection, worker: dict[str, Any], lease_s: float) -> None:
    """Take a lease for a worker."""
    connection.execute(delete(workers).where(workers.c.id == worker["id"]))  # a first answer may have been lost
    connection.execute(insert(workers).values(worker | {"lease_until": epoch(connection) + lease_s}))


def renew(connection: Connection, worker: str, lease_s: float) -> bool:
    """Renew a lease; False when somebody has ended it.

    Whose own had lapsed was away, or the store was, for all: the others get time to come back, too.
    """
    late = workers.c.lease_until < epoch(connection)
    if connection.execute(select(workers.c.id).where(workers.c.id == worker, late)).first():
        connection.execute(update(workers).where(late).values(lease_until=epoch(connection) + lease_s / 2))
    mine = update(workers).where(workers.c.id == worker)
    return connection.execute(mine.values(lease_until=epoch(connection) + lease_s)).rowcount == 1


def give_back(connection: Connection, worker: str) -> None:
    """Give a lease back, and whatever is still held under it."""
    mine = update(orders).where(held_by(worker))
    connection.execute(mine.values(attempts=orders.c.attempts - 1))  # it did not die of them
    hand_on(connection, held_by(worker))
    connection.execute(delete(workers).where(workers.c.id == worker))


def there(connection: Connection) -> list[WorkerRow]:
    """The workers that have a lease."""
    left = (workers.c.lease_until - epoch(connection)).label("left")
    rows = connection.execute(select(workers, left).order_by(workers.c.started_at)).all()
    return [WorkerRow(r.id, r.host, r.pid, r.version, r.threads, schema.instant(r.started_at), r.left) for r in rows]


def any_to_end(connection: Connection, but: str) -> bool:
    """Whether a lease ran out, or an order is held under none; no lease of others while one's own is out, too."""
    orphaned = select(orders.c.id).where(_orphaned())
    return bool(_lapsed(connection, but) or connection.execute(orphaned).first())


def end_lapsed(connection: Connection, but: str) -> list[Lapsed]:
    """End the leases that ran out, and hand on what was held under them, or under none."""
    ended: list[Lapsed] = []
    for row in _lapsed(connection, but, locked=True):
        _end_sessions(connection, row.id)
        ended.append(Lapsed(row.id, hand_on(connection, held_by(row.id)), row.silent))
        connection.execute(delete(workers).where(workers.c.id == row.id))
    hand_on(connection, _orphaned())
    tallies.add(connection, {("lease_takeovers", ()): float(len(ended))})
    return ended


def check(connection: Connection, worker: str) -> None:
    """Make sure that a worker has a lease. Raises: StoreError."""
    if connection.execute(select(workers.c.id).where(workers.c.id == worker)).first() is None:
        raise StoreError("this worker's lease has ended; another one has taken over what it held")


def held_by(worker: str) -> ColumnElement[bool]:
    """The condition that an order is held by a worker."""
    return and_(IS_RUNNING, orders.c.worker == worker)


def hand_on(connection: Connection, which: ColumnElement[bool]) -> int:
    """Let orders be claimed by others; how many. One whose workers keep dying of it ends, for a person to look at."""
    mine = update(orders).where(which)
    died = mine.where(orders.c.attempts >= ATTEMPTS_MAX)
    said = f"its worker died {ATTEMPTS_MAX} times while at it; see the log of the last one"
    connection.execute(died.values(state=State.FAILED.value, error=said, finished_at=schema.stamp(datetime.now(UTC))))
    return connection.execute(mine.values(state=State.QUEUED.value, worker=None)).rowcount


def _lapsed(connection: Connection, but: str, *, locked: bool = False) -> Sequence[Any]:
    silent = (epoch(connection) - workers.c.lease_until).label("silent")
    own = workers.alias()
    away = select(own.c.id).where(own.c.id == but, own.c.lease_until < epoch(connection)).exists()
    query = select(workers.c.id, silent).where(workers.c.lease_until < epoch(connection), workers.c.id != but, ~away)
    return connection.execute(query.with_for_update(skip_locked=True) if locked else query).all()


def _orphaned() -> ColumnElement[bool]:
    # A claim may have been committed just after its worker's lease was ended.
    return and_(IS_RUNNING, orders.c.worker.not_in(select(workers.c.id)))


def _end_sessions(connection: Connection, worker: str) -> None:
    # A process that is only slow still holds its locks, and might still write.
    if connection.dialect.name == "postgresql":
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        # Under another login that is not ours to end; its locks then hold its flows until it ends by itself.
        with suppress(exc.ProgrammingError), connection.begin_nested():
            connection.execute(text(statement), {"name": session_name(worker)})
