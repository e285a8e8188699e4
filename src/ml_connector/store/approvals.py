"""Approvals: which person let which plan through.

Rule: an approval is for exactly one plan and lets it through once; it never goes, and is journalled when it is given.
Must not know: what the plan would do, or who may approve.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import insert, select, update

from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema import approvals
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

VALID_DAYS = 7  # a plan that comes back later should be looked at again


class Approval(msgspec.Struct, frozen=True):
    """Who approved a plan, and when."""

    plan_id: str
    person: str
    at: datetime


class Approvals:
    """The approvals of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._connection_id = connection_id
        self._journal = Journal(db, vault, connection_id, clock)
        self._clock = clock
        self._unused = (approvals.c.connection_id == connection_id) & approvals.c.used_at.is_(None)

    def give(self, plan_id: str, person: str) -> None:
        """Record that this person approves this plan; a second time changes nothing."""
        row = {"connection_id": self._connection_id, "plan_id": plan_id, "person": person}
        with self._db.write() as connection:
            same = (approvals.c[name] == value for name, value in row.items())
            known = select(approvals.c.id).where(*same, approvals.c.used_at.is_(None))
            if connection.execute(known).first():
                return
            connection.execute(insert(approvals).values(row | {"at": schema.stamp(self._clock())}))
            self._journal.append(connection, [Line(Kind.APPROVED, {"plan_id": plan_id, "person": person})])

    def use(self, plan_id: str) -> None:
        """Say that a plan was let through: the same one would have to be approved anew."""
        statement = update(approvals).where(self._unused, approvals.c.plan_id == plan_id)
        with self._db.write() as connection:
            connection.execute(statement.values(used_at=schema.stamp(self._clock())))

    def of(self, plan_id: str) -> list[Approval]:
        """Who approved a plan, oldest first, whether it let anything through or not."""
        mine = (approvals.c.connection_id == self._connection_id) & (approvals.c.plan_id == plan_id)
        with self._db.read() as connection:
            rows = connection.execute(select(approvals).where(mine).order_by(approvals.c.id)).all()
        return [Approval(row.plan_id, row.person, schema.instant(row.at)) for row in rows]

    def used(self, since: datetime) -> dict[str, datetime]:
        """Plans that were let through since then, and when last."""
        mine = (approvals.c.connection_id == self._connection_id) & (approvals.c.used_at >= schema.stamp(since))
        query = select(approvals.c.plan_id, approvals.c.used_at).where(mine).order_by(approvals.c.used_at)
        with self._db.read() as connection:
            return {row.plan_id: schema.instant(row.used_at) for row in connection.execute(query)}

    def given(self) -> list[Approval]:
        """Approvals that have let nothing through yet and have not lapsed, oldest first."""
        since = schema.stamp(self._clock() - timedelta(days=VALID_DAYS))
        query = select(approvals).where(self._unused, approvals.c.at >= since).order_by(approvals.c.id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [Approval(row.plan_id, row.person, schema.instant(row.at)) for row in rows]
