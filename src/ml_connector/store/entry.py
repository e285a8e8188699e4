"""Coming in: a session for who proves who they are, by password or by the single sign-on.

Rule: whether a name is known, disabled or locked can't be told from what comes back or how long it takes; a try counts
as wrong before its password is looked at, so that many at once don't count as one.
Must not know: cookies, addresses.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ml_connector.errors import SettingsError
from ml_connector.store import passwords, sessions, users
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database, one_at_a_time
from ml_connector.store.rights import Role
from ml_connector.store.schema import instant, stamp
from ml_connector.store.schema_people import users as table
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

WRONG_MAX = 5
LOCKED_FIRST, LOCKED_MAX = timedelta(minutes=1), timedelta(hours=1)
SINGLE_SIGN_ON = "single sign-on"
TURN = 0x6D6C_636F_6E72  # the advisory lock under which people of the single sign-on are made
NAMES_MAX = 1000


class Entry:
    """The way into an installation."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._clock = clock
        self._log = AccessLog(db, vault, clock)

    def sign_in(self, name: str, password: str, instead_of: str = "") -> str | None:
        """Begin a session; what the browser has to show. `instead_of`: the digest of a session that ends.

        None: the name or the password is wrong, or the account is disabled or rests.
        """
        row = self._counted(name.strip().lower())
        fits = passwords.fits(row.password if row else "", password)
        if row is None or not fits:
            self._failed(row)
            return None
        more = {"password": passwords.kept(password)} if passwords.is_stale(row.password) else {}
        with self._db.write() as connection:
            there = users.row_of(connection, row.name)
            if there.disabled_at or there.password != row.password:
                return None
            return self._begin(connection, row.id, row.name, instead_of, wrong=0, locked_until=None, **more)

    def change_password(self, name: str, old: str, new: str) -> str:
        """Set another password; a new session, all others end. Raises: SettingsError when it will not do."""
        passwords.check(new, name)
        row = self._counted(name)
        if row is None or not passwords.fits(row.password, old):
            self._failed(row)
            raise SettingsError("the present password is not right; after five wrong ones in a row wait a minute")
        kept = passwords.kept(new)
        with self._db.write() as connection:
            sessions.end_all(connection, row.id)
            users.change(connection, row.id, self._clock(), password=kept, wrong=0, locked_until=None)
            session = sessions.begin(connection, row.id, self._clock())
            self._log.note(connection, "password_changed", name, name)
        return session

    def sign_in_by(self, subject: str, name: str, roles: Collection[Role], instead_of: str = "") -> str | None:
        """Begin a session for whom the single sign-on names, with the roles that it gives; who is new is recorded.

        None: they have no role, or are disabled.
        """
        with self._db.write() as connection:
            one_at_a_time(connection, TURN)
            row = connection.execute(select(table).where(table.c.subject == subject).with_for_update()).one_or_none()
            if row is None and roles:
                row = self._added(connection, subject, name, roles)
            elif row is not None and set(users.read(row.roles)) != set(roles):
                self._changed(connection, row, roles)
            if row is None or row.disabled_at or not roles:
                return None
            return self._begin(connection, row.id, row.name, instead_of, by=SINGLE_SIGN_ON)

    def sign_out(self, shown: str, name: str) -> None:
        """End a session, by its digest."""
        with self._db.write() as connection:
            sessions.end(connection, shown)
            self._log.note(connection, "signed_out", name, name)

    def _counted(self, name: str) -> Any:
        """The row of who may try a password now, the try counted; None: nobody."""
        now = self._clock()
        with self._db.write() as connection:
            row = users.row_of(connection, name)
            if row is None or not row.password or row.disabled_at:
                return None
            if row.locked_until and now < instant(row.locked_until):
                return None
            wrong = row.wrong + 1
            users.change(connection, row.id, now, wrong=wrong, locked_until=_locked_until(wrong, now))
        return row

    def _failed(self, row: Any) -> None:
        if row is None:  # what was typed may be a password: it is not told
            return
        with self._db.write() as connection:
            locked = {"locked": True} if row.wrong + 1 >= WRONG_MAX else {}
            self._log.note(connection, "sign_in_failed", "", row.name, **locked)

    def _begin(
        self, connection: Connection, user_id: int, name: str, instead_of: str, by: str = "", **values: Any
    ) -> str:
        now = self._clock()
        users.change(connection, user_id, now, last_at=stamp(now), **values)
        session = sessions.begin(connection, user_id, now, instead_of)
        self._log.note(connection, "signed_in", name, name, **({"by": by} if by else {}))
        return session

    def _added(self, connection: Connection, subject: str, name: str, roles: Collection[Role]) -> Any:
        free = _free(connection, name)
        users.add(connection, free, SINGLE_SIGN_ON, self._clock(), subject=subject, roles=users.written(roles))
        self._log.note(connection, "added", SINGLE_SIGN_ON, free, roles=sorted(roles))
        return users.row_of(connection, free)

    def _changed(self, connection: Connection, row: Any, roles: Collection[Role]) -> None:
        users.change(connection, row.id, self._clock(), roles=users.written(roles))
        sessions.end_all(connection, row.id)
        self._log.note(connection, "roles", SINGLE_SIGN_ON, row.name, roles=sorted(roles))


def _locked_until(wrong: int, now: datetime) -> str | None:
    if wrong < WRONG_MAX:
        return None
    return stamp(now + min(LOCKED_FIRST * 2 ** min(wrong - WRONG_MAX, 16), LOCKED_MAX))


def _free(connection: Connection, name: str) -> str:
    """A name that nobody has, as close to this one as can be."""
    for number in range(1, NAMES_MAX):
        free = name if number == 1 else f"{name[: users.NAME_MAX - 5]}-{number}"
        if users.row_of(connection, free) is None:
            return free
    raise SettingsError(f"more than {NAMES_MAX:,} people are called {name}; this can't be right")
