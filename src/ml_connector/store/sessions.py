"""Sessions of people who have signed in.

Rule: only a digest of what the browser shows is kept; a session ends when it is idle or old, when its person is
disabled, or when it is ended.
Must not know: cookies.
"""

import secrets
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update

from ml_connector.errors import BusyError
from ml_connector.store import schema
from ml_connector.store.api_tokens import digest
from ml_connector.store.db import Database
from ml_connector.store.schema_people import sessions, users
from ml_connector.store.scope import Clock
from ml_connector.store.users import User, user

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)
SESSIONS_MAX = 500
LENGTH = 43  # of 32 bytes in base64url


class Session(msgspec.Struct, frozen=True):
    """A session in force, and whose it is."""

    digest: str
    user: User


class Seen(msgspec.Struct, frozen=True):
    """A session as it is listed. `last_at`: last used, to the minute."""

    digest: str
    name: str
    created_at: datetime
    last_at: datetime


class Sessions:
    """The sessions of a store."""

    def __init__(self, db: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock

    def begin(self, user_id: int) -> str:
        """Begin a session; what the browser has to show, told this once."""
        with self._db.write() as connection:
            return begin(connection, user_id, self._clock())

    def in_force(self, user_id: int | None = None) -> list[Seen]:
        """The sessions of everybody, or of one person, last used first."""
        now = self._clock()
        query = select(sessions.c.digest, users.c.name, sessions.c.created_at, sessions.c.last_at)
        query = query.select_from(sessions.join(users, users.c.id == sessions.c.user_id))
        lasting = (sessions.c.expires_at > schema.stamp(now), sessions.c.last_at > schema.stamp(now - IDLE))
        query = query.where(*lasting, users.c.disabled_at.is_(None))
        query = query if user_id is None else query.where(sessions.c.user_id == user_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(sessions.c.last_at.desc()).limit(SESSIONS_MAX)).all()
        return [Seen(*row[:2], schema.instant(row.created_at), schema.instant(row.last_at)) for row in rows]

    def find(self, token: str) -> Session | None:
        """The session in force that this is; it is noted that it is used. Raises: StoreError."""
        if len(token) != LENGTH or not token.isascii():
            return None
        shown, now = digest(token), self._clock()
        both = sessions.join(users, users.c.id == sessions.c.user_id)
        query = select(users, sessions.c.last_at.label("seen_at"), sessions.c.expires_at).select_from(both)
        with self._db.read() as connection:
            row = connection.execute(query.where(sessions.c.digest == shown)).one_or_none()
        if row is None or row.disabled_at or now >= schema.instant(row.expires_at):
            return None
        seen_at = schema.instant(row.seen_at)
        if now - seen_at >= IDLE:
            return None
        self._note(shown, seen_at, now)
        return Session(shown, user(row))

    def end(self, shown: str) -> None:
        """End a session, by its digest."""
        with self._db.write() as connection:
            end(connection, shown)

    def end_all(self, user_id: int, but: str = "") -> None:
        """End all sessions of a person, but one."""
        with self._db.write() as connection:
            end_all(connection, user_id, but)

    def _note(self, shown: str, seen_at: datetime, now: datetime) -> None:
        if now - seen_at < NOTED_EVERY:
            return
        try:
            with self._db.write() as connection:
                noted = update(sessions).where(sessions.c.digest == shown)
                connection.execute(noted.values(last_at=schema.stamp(now)))
        except BusyError:  # what is asked for matters more
            return


def begin(connection: Connection, user_id: int, now: datetime, instead_of: str = "") -> str:
    """Begin a session within a transaction; `instead_of`: the digest of one that ends."""
    token = secrets.token_urlsafe(32)
    row = {"digest": digest(token), "user_id": user_id, "created_at": schema.stamp(now)}
    row |= {"last_at": schema.stamp(now), "expires_at": schema.stamp(now + LONGEST)}
    over = or_(sessions.c.expires_at <= schema.stamp(now), sessions.c.digest == instead_of)
    connection.execute(delete(sessions).where(over))
    connection.execute(insert(sessions).values(row))
    return token


def end(connection: Connection, shown: str) -> None:
    """End a session within a transaction, by its digest."""
    connection.execute(delete(sessions).where(sessions.c.digest == shown))


def end_all(connection: Connection, user_id: int, but: str = "") -> None:
    """End all sessions of a person, but one, within a transaction."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != but))
