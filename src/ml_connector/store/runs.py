"""Runs: what was started, how it ended, and what it reported.

Rule: a run that a later one finds unfinished has died; from then on it may promise nothing.
Shape: a run's id sorts by its start.
Must not know: what a run does.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, exists, insert, select, tuple_, update

from ml_connector.errors import StoreError
from ml_connector.records import codec
from ml_connector.store import schema
from ml_connector.store.db import PROCESS, Database
from ml_connector.store.prepared import Prepared, mine
from ml_connector.store.schema import IS_STOPPED, runs
from ml_connector.store.scope import Scope, unpack
from ml_connector.store.vault import Vault

RUNNING = "running"
DIED = "died"
DONE, WHOLE = "done", "run"

_STATE = Prepared(
    lambda _: select(runs.c.state).where(runs.c.id == bindparam("run_id"), mine(runs)).with_for_update(read=True)
)


class Run(msgspec.Struct, frozen=True):
    """A run as recorded; `report` None: it has not ended, or died."""

    id: str
    flow: str
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    report: dict[str, Any] | None


class Runs:
    """The runs of one connection."""

    def __init__(self, db: Database, vault: Vault, connection_id: int) -> None:
        self._db = db
        self._vault = vault
        self._connection_id = connection_id

    def recent(self, limit: int, flow: str | None = None, after: tuple[datetime, str] | None = None) -> list[Run]:
        """The latest runs, newest first; `after`: those that follow one started then, with this id."""
        query = select(runs).where(runs.c.connection_id == self._connection_id)
        query = query if flow is None else query.where(runs.c.flow == flow)
        place = tuple_(runs.c.started_at, runs.c.id)
        query = query if after is None else query.where(place < (schema.stamp(after[0]), after[1]))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)).all()
        return [self._run(row) for row in rows]

    def get(self, run_id: str) -> Run | None:
        """One run."""
        query = select(runs).where(runs.c.connection_id == self._connection_id, runs.c.id == run_id)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        return self._run(row) if row else None

    def stopped(self, since: datetime, limit: int) -> list[Run]:
        """Runs that a gate stopped, newest first, without those that a whole one followed to its end."""
        later = runs.alias("later")
        same = (later.c.connection_id == runs.c.connection_id, later.c.flow == runs.c.flow)
        whole = (later.c.kind == WHOLE, later.c.state == DONE, later.c.started_at > runs.c.started_at)
        query = select(runs).where(runs.c.connection_id == self._connection_id, IS_STOPPED)
        query = query.where(runs.c.started_at >= schema.stamp(since), ~exists().where(*same, *whole))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(runs.c.started_at.desc()).limit(limit)).all()
        return [self._run(row) for row in rows]

    def _run(self, row: Any) -> Run:
        place = (str(row.connection_id), "runs", row.flow, row.id)
        report = None if row.report is None else msgspec.json.decode(unpack(self._vault.unseal(row.report, *place)))
        finished_at = schema.instant(row.finished_at) if row.finished_at else None
        return Run(row.id, row.flow, row.kind, row.state, schema.instant(row.started_at), finished_at, report)


def begin(connection: Connection, scope: Scope, kind: str) -> str:
    """Record a run as started; its id."""
    now = scope.clock()
    run_id = f"{int(now.timestamp() * 1000):012x}{uuid.uuid4().hex[:20]}"
    values = {"id": run_id, "kind": kind, "state": RUNNING, "process": PROCESS, "started_at": schema.stamp(now)}
    connection.execute(insert(runs).values(scope.owned() | values))
    return run_id


def bury(connection: Connection, scope: Scope) -> list[str]:
    """Declare dead what is unfinished; the ids."""
    statement = update(runs).where(scope.mine(runs), runs.c.state == RUNNING)
    done = connection.execute(statement.values(state=DIED, finished_at=scope.now()).returning(runs.c.id))
    return sorted(done.scalars())


def finish(connection: Connection, scope: Scope, run_id: str, state: str, report: Any) -> None:
    """Record a run as ended.

    Raises: StoreError when a later run declared it dead.
    """
    statement = update(runs).where(runs.c.id == run_id, scope.mine(runs), runs.c.state == RUNNING)
    values = {"state": state, "finished_at": scope.now(), "report": scope.seal(runs, run_id, report)}
    if connection.execute(statement.values(values)).rowcount != 1:
        raise StoreError(f"run {run_id} is not in progress; a later run took over")


def check_alive(connection: Connection, scope: Scope, run_id: str) -> None:
    """Make sure, until the transaction ends, that no later run has taken over.

    Raises: StoreError when one has.
    """
    if _STATE.on(connection, run_id=run_id, **scope.owned()).scalar() != RUNNING:
        raise StoreError(f"run {run_id} is not in progress; a later run took over, so nothing may be sent")


def planning(connection: Connection, scope: Scope, flow: str) -> list[str]:
    """Plans in progress of this or another flow, in this process."""
    query = select(runs.c.id).where(
        runs.c.connection_id == scope.connection_id,
        runs.c.flow == flow,
        runs.c.kind == "plan",
        runs.c.state == RUNNING,
        runs.c.process == PROCESS,
    )
    return list(connection.execute(query).scalars())


def report_digest(report: Any) -> str:
    """What identifies a report."""
    return codec.digest(report)
