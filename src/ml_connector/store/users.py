"""People who use the console: their names, their roles, and whether they may sign in.

Rule: a person is disabled, never removed, and a name is never given twice, so that the journal stays true.
Must not know: how somebody proves who they are.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select

from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.rights import May, Role, granted
from ml_connector.store.schema_people import users
from ml_connector.store.scope import Clock


class User(msgspec.Struct, frozen=True):
    """A person as recorded. `subject`: who they are to the single sign-on; "": they have a password."""

    id: int
    name: str
    roles: tuple[Role, ...]
    subject: str
    created_at: datetime
    created_by: str
    last_at: datetime | None
    disabled_at: datetime | None
    locked_until: datetime | None

    @property
    def may(self) -> frozenset[May]:
        """What they may do."""
        return granted(self.roles)


class Users:
    """The people of a store."""

    def __init__(self, db: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock

    def create(self, name: str, roles: Collection[Role], person: str) -> int:
        """Record a person; the number."""
        now = schema.stamp(self._clock())
        row = {"name": name, "roles": ",".join(sorted(roles)), "password": "", "subject": "", "wrong": 0}
        row |= {"created_at": now, "created_by": person, "changed_at": now}
        with self._db.write() as connection:
            return connection.execute(insert(users).values(row).returning(users.c.id)).scalar_one()

    def all(self) -> list[User]:
        """Everybody there ever was, by name."""
        with self._db.read() as connection:
            return [user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def user(row: Any) -> User:
    """A person from their row."""
    times = [schema.instant(at) if at else None for at in (row.last_at, row.disabled_at, row.locked_until)]
    roles = tuple(Role(one) for one in row.roles.split(",") if one)
    return User(row.id, row.name, roles, row.subject, schema.instant(row.created_at), row.created_by, *times)
