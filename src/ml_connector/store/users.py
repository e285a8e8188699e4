"""People who use the console: their names, their roles, and whether they may sign in.

Rule: a person is disabled, never removed, and a name is never given twice, so that the journal stays true.
Must not know: how somebody proves who they are.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from ml_connector.errors import SettingsError
from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.rights import May, Role, granted
from ml_connector.store.schema_people import users
from ml_connector.store.scope import Clock

NAME_MAX = 64
USERS_MAX = 2000
_NAME = re.compile(rf"[a-z0-9][a-z0-9._@+-]{{0,{NAME_MAX - 1}}}")


class User(msgspec.Struct, frozen=True):
    """A person as recorded. `subject`: who they are to the single sign-on; "": they have a password. `wanted`: roles
    that wait for a second administrator, as `wanted_by` asked for them. `able`: they have a way to sign in.
    """

    id: int
    name: str
    roles: tuple[Role, ...]
    subject: str
    created_at: datetime
    created_by: str
    last_at: datetime | None
    disabled_at: datetime | None
    locked_until: datetime | None
    wanted: tuple[Role, ...] = ()
    wanted_by: str = ""
    able: bool = False

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
        with self._db.write() as connection:
            return add(connection, name, person, self._clock(), roles=written(roles))

    def all(self) -> list[User]:
        """Everybody there ever was, by name."""
        with self._db.read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name).limit(USERS_MAX))
            return [user(row) for row in rows]

    def empty(self) -> bool:
        """Whether there is nobody yet."""
        with self._db.read() as connection:
            return is_empty(connection)


def login_name(text: str) -> str:
    """A name as it is kept. Raises: SettingsError."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{text[:80]!r} can't be a name; use letters a to z, digits and . _ @ + - ({NAME_MAX} at most)"
        )
    return name


def written(roles: Iterable[Role]) -> str:
    """Roles as stored."""
    return ",".join(sorted(set(roles)))


def read(stored: str) -> tuple[Role, ...]:
    """Roles as they were given to `written`."""
    return tuple(Role(one) for one in stored.split(",") if one)


def add(connection: Connection, name: str, person: str, at: datetime, **more: str) -> int:
    """Record a person, with more of the columns; the number."""
    now = schema.stamp(at)
    row: dict[str, Any] = {"name": name, "roles": "", "password": "", "subject": "", "wrong": 0}
    row |= {"created_at": now, "created_by": person, "changed_at": now} | more
    return connection.execute(insert(users).values(row).returning(users.c.id)).scalar_one()


def change(connection: Connection, user_id: int, at: datetime, **values: Any) -> None:
    """Set columns of a person."""
    values["changed_at"] = schema.stamp(at)
    connection.execute(update(users).where(users.c.id == user_id).values(values))


def is_empty(connection: Connection) -> bool:
    """Whether there is nobody yet."""
    return connection.execute(select(func.count()).select_from(select(users.c.id).limit(1).subquery())).scalar() == 0


def user(row: Any) -> User:
    """A person from their row."""
    last_at, disabled_at, locked_until = (
        schema.instant(at) if at else None for at in (row.last_at, row.disabled_at, row.locked_until)
    )
    return User(
        id=row.id,
        name=row.name,
        roles=read(row.roles),
        subject=row.subject,
        created_at=schema.instant(row.created_at),
        created_by=row.created_by,
        last_at=last_at,
        disabled_at=disabled_at,
        locked_until=locked_until,
        wanted=read(row.wanted),
        wanted_by=row.wanted_by,
        able=bool(row.password or row.subject),
    )


def row_of(connection: Connection, name: str) -> Any:
    """The row of a person, theirs alone until the commit; None: there is nobody of this name."""
    if not name.isprintable():  # which not every database could compare
        return None
    return connection.execute(select(users).where(users.c.name == name).with_for_update()).one_or_none()
