"""API tokens: who may ask over HTTP, and how much.

Rule: only a digest of a token is kept, so that whoever reads the store can use none; a token is revoked, never removed.
Must not know: how a token arrives.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, or_, select, update

from ml_connector.errors import BusyError, SettingsError
from ml_connector.store import schema
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database
from ml_connector.store.schema_work import api_tokens
from ml_connector.store.scope import Clock

PREFIX = "mlc_"  # so that scanners for secrets in source code recognise one
SECRET_BYTES = 32
ASKING = "token:"  # before the name of a token where it stands for who asked
LENGTH = len(PREFIX) + 43  # of 32 bytes in base64url
NAME_MAX = 64
DAYS_MAX = 3650
TOLD_MAX = 5
NOTED_EVERY = timedelta(minutes=1)
WAIT_S = 5.0


class Right(StrEnum):
    """How much a token may do; each may do what those before it may."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def covers(self, other: "Right") -> bool:
        """Whether this is enough for what needs the other."""
        ranked = list(Right)
        return ranked.index(self) >= ranked.index(other)


class ApiToken(msgspec.Struct, frozen=True):
    """A token as recorded, without what makes it usable. `last_at`: last used, to the minute."""

    id: int
    name: str
    right: Right
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_at: datetime | None

    @property
    def person(self) -> str:
        """How whoever uses it is called in orders and the journal; no account of a person is called so."""
        return f"{ASKING}{self.name}"

    def in_force(self, now: datetime) -> bool:
        """Whether it is accepted."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiTokens:
    """The tokens of a store."""

    def __init__(self, db: Database, clock: Clock = lambda: datetime.now(UTC), log: AccessLog | None = None) -> None:
        self._db = db
        self._clock = clock
        self._log = log

    def create(self, name: str, right: Right, person: str, days: int | None = None) -> str:
        """Make a token; it is told this once.

        Raises: SettingsError when the name can't be used, or a token in force has it.
        """
        _check(name, days)
        token, now = PREFIX + secrets.token_urlsafe(SECRET_BYTES), self._clock()
        row = {"name": name, "scope": right.value, "digest": digest(token), "created_by": person}
        row |= {
            "created_at": schema.stamp(now),
            "expires_at": schema.stamp(now + timedelta(days=days)) if days else None,
        }
        with self._db.lock("api tokens", WAIT_S):
            if any(one.name == name and one.in_force(now) for one in self.all()):
                raise SettingsError(f"there is a token {name!r} already; revoke it first, or choose another name")
            with self._db.write() as connection:
                connection.execute(insert(api_tokens).values(row))
                self._tell(connection, "token_made", person, name, scope=right.value)
        return token

    def all(self) -> list[ApiToken]:
        """All tokens there ever were, oldest first."""
        with self._db.read() as connection:
            return [_token(row) for row in connection.execute(select(api_tokens).order_by(api_tokens.c.id))]

    def left_by(self, person: str) -> str:
        """What to say of the tokens in force that somebody made who leaves; "" when there are none."""
        now = self._clock()
        names = [one.name for one in self.all() if one.created_by == person and one.in_force(now)]
        more = f" and {len(names) - TOLD_MAX} more" if len(names) > TOLD_MAX else ""
        told = f"{', '.join(names[:TOLD_MAX])}{more}"
        return f" Tokens that they made go on working; revoke those that they may know: {told}." if names else ""

    def makers(self, names: Collection[str]) -> dict[str, set[str]]:
        """Who made the tokens that are called so in orders and the journal, by that name."""
        made: dict[str, set[str]] = {}
        for one in self.all() if any(name.startswith(ASKING) for name in names) else ():
            if one.person in names and one.created_by:
                made.setdefault(one.person, set()).add(one.created_by)
        return made

    def revoke(self, name: str, person: str = "") -> int:
        """Let the token of this name be accepted no longer; how many that were."""
        there = update(api_tokens).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))
        with self._db.write() as connection:
            revoked = connection.execute(there.values(revoked_at=schema.stamp(self._clock()))).rowcount
            if revoked:
                self._tell(connection, "token_revoked", person, name)
        return revoked

    def find(self, token: str) -> ApiToken | None:
        """The token in force that this is; it is noted that it was used. Raises: StoreError."""
        if not token.startswith(PREFIX) or len(token) != LENGTH or not token.isascii():
            return None
        # By the digest, so that how long it takes tells nothing of a token.
        query = select(api_tokens).where(api_tokens.c.digest == digest(token))
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        found = _token(row) if row else None
        if found is None or not found.in_force(self._clock()):
            return None
        self._note(found)
        return found

    def _tell(self, connection: Connection, event: str, person: str, name: str, **facts: str) -> None:
        if self._log:
            self._log.note(connection, event, person, f"{ASKING}{name}", **facts)

    def _note(self, token: ApiToken) -> None:
        now, table = self._clock(), api_tokens.c
        if token.last_at and now - token.last_at < NOTED_EVERY:
            return
        stale = or_(table.last_at.is_(None), table.last_at <= schema.stamp(now - NOTED_EVERY))
        try:
            with self._db.write() as connection:
                noted = update(api_tokens).where(table.id == token.id, stale)
                connection.execute(noted.values(last_at=schema.stamp(now)))
        except BusyError:  # what is asked for matters more
            return


def digest(token: str) -> str:
    """What is kept of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def _check(name: str, days: int | None) -> None:
    if not name or len(name) > NAME_MAX or not all(character.isalnum() or character in "-_." for character in name):
        raise SettingsError(f"{name[:80]!r} can't name a token; use letters, digits, - _ . ({NAME_MAX} at most)")
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise SettingsError(f"a token can be valid for 1 to {DAYS_MAX:,} days, or until it is revoked")


def _token(row: Any) -> ApiToken:
    times = [schema.instant(at) if at else None for at in (row.expires_at, row.revoked_at, row.last_at)]
    return ApiToken(row.id, row.name, Right(row.scope), schema.instant(row.created_at), row.created_by, *times)
