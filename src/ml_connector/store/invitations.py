"""Invitations: links with which somebody chooses their password, the first person their name too.

Rule: only a digest is kept; a link works once, for two days; the first person can be made only while there is nobody.
Must not know: addresses.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select

from ml_connector.errors import SettingsError
from ml_connector.store import passwords, sessions, users
from ml_connector.store.access_log import AccessLog
from ml_connector.store.api_tokens import digest
from ml_connector.store.db import Database, one_at_a_time
from ml_connector.store.rights import Role
from ml_connector.store.schema import stamp
from ml_connector.store.schema_people import invitations
from ml_connector.store.schema_people import users as people
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

LASTS = timedelta(hours=48)
LENGTH = 43  # of 32 bytes in base64url
FIRST = (Role.ADMINISTRATOR, Role.APPROVER)
TURN = 0x6D6C_636F_6E71  # the advisory lock under which the first person is made
OVER = "this link was used already or is older than two days; ask for a new one"


class Invited(msgspec.Struct, frozen=True):
    """Whom a link is for; `name` "": the first person, who chooses it."""

    name: str


class Invitations:
    """The links of a store."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock
        self._log = AccessLog(db, vault, clock)

    def set_up(self, person: str) -> str | None:
        """What a link carries with which the first person is made; None: there is somebody already."""
        with self._db.write() as connection:
            if not users.is_empty(connection):
                return None
            return begin(connection, None, person, self._clock())

    def find(self, token: str) -> Invited | None:
        """Whom this link is for, while it works."""
        with self._db.read() as connection:
            row = self._found(connection, token)
        return Invited(row.name or "") if row else None

    def accept(self, token: str, name: str, password: str) -> str:
        """Choose the password, and be signed in; what the browser has to show.

        Raises: SettingsError when the link, the name or the password will not do.
        """
        invited = self.find(token)
        if invited is None:
            raise SettingsError(OVER)
        name = invited.name or users.login_name(name)
        passwords.check(password, name)
        kept = passwords.kept(password)
        with self._db.write() as connection:
            one_at_a_time(connection, TURN)
            row = self._found(connection, token)
            if row is None:
                raise SettingsError(OVER)
            user_id = row.user_id or users.add(connection, name, name, self._clock(), roles=users.written(FIRST))
            return self._accept(connection, user_id, name, kept, "password_chosen" if row.user_id else "set_up")

    def _accept(self, connection: Connection, user_id: int, name: str, kept: str, event: str) -> str:
        now = self._clock()
        users.change(connection, user_id, now, password=kept, wrong=0, locked_until=None, last_at=stamp(now))
        end(connection, user_id)
        sessions.end_all(connection, user_id)
        session = sessions.begin(connection, user_id, now)
        self._log.note(connection, event, name, name)
        return session

    def _found(self, connection: Connection, token: str) -> Any:
        if len(token) != LENGTH or not token.isascii():
            return None
        query = select(invitations.c.user_id, people.c.name, people.c.disabled_at)
        query = query.select_from(invitations.outerjoin(people, people.c.id == invitations.c.user_id))
        query = query.where(invitations.c.digest == digest(token))
        row = connection.execute(query.where(invitations.c.expires_at > stamp(self._clock()))).one_or_none()
        if row is None or row.disabled_at:
            return None
        return row if row.user_id or users.is_empty(connection) else None


def begin(connection: Connection, user_id: int | None, person: str, now: datetime) -> str:
    """A new link for somebody, whose earlier ones end; None: for the first person."""
    token = secrets.token_urlsafe(32)
    row = {"digest": digest(token), "user_id": user_id, "created_at": stamp(now), "created_by": person}
    old = or_(invitations.c.expires_at <= stamp(now), invitations.c.user_id == (user_id or 0))
    connection.execute(delete(invitations).where(old))
    connection.execute(insert(invitations).values(row | {"expires_at": stamp(now + LASTS)}))
    return token


def end(connection: Connection, user_id: int) -> None:
    """Let no link of somebody work any longer, nor one for the first person."""
    mine = or_(invitations.c.user_id == user_id, invitations.c.user_id.is_(None))
    connection.execute(delete(invitations).where(mine))
