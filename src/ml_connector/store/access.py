"""Access as administrators grant it: who is there, with which roles.

Rule: what is done is told in the installation's journal in the same transaction; there is always an administrator left
who can sign in; where two persons are needed, roles that are gained wait for another administrator.
Must not know: how somebody proves who they are.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from ml_connector.errors import SettingsError
from ml_connector.store import invitations, sessions, users
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database, one_at_a_time
from ml_connector.store.rights import Role
from ml_connector.store.schema import stamp
from ml_connector.store.schema_people import users as table
from ml_connector.store.scope import Clock
from ml_connector.store.users import change, read, row_of, written
from ml_connector.store.vault import Vault

TURN = 0x6D6C_636F_6E70  # the advisory lock under which access is changed


class Access:
    """Who has access to an installation; `two_persons`: nobody gets a role by one administrator alone."""

    def __init__(
        self, db: Database, vault: Vault, *, two_persons: bool = False, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._clock = clock
        self._two_persons = two_persons
        self._log = AccessLog(db, vault, clock)

    def invite(self, name: str, roles: Collection[Role], person: str) -> str:
        """Record a person; what the link with which they choose a password carries. Raises: SettingsError."""
        name = users.login_name(name)
        with self._changing() as connection:
            if row_of(connection, name) is not None:
                raise SettingsError(f"there is somebody called {name} already; give them a new link instead")
            user_id = users.add(connection, name, person, self._clock())
            self._grant(connection, row_of(connection, name), roles, person)
            token = invitations.begin(connection, user_id, person, self._clock())
            self._log.note(connection, "invited", person, name, **self._asked(roles))
        return token

    def link(self, name: str, person: str) -> str:
        """A new link with which somebody chooses a password; earlier ones end. Raises: SettingsError."""
        with self._changing() as connection:
            row = self._row(connection, name)
            if row.subject:
                raise SettingsError(f"{name} signs in by the single sign-on, where passwords are changed")
            if self._two_persons:
                self._regrant(connection, row, person)
            token = invitations.begin(connection, row.id, person, self._clock())
            self._log.note(connection, "link", person, name)
        return token

    def set_roles(self, name: str, roles: Collection[Role], person: str) -> bool:
        """Give somebody these roles instead of theirs; whether some wait for another administrator.

        Raises: SettingsError.
        """
        with self._changing() as connection:
            row = self._row(connection, name)
            if row.subject:
                raise SettingsError(f"{name} signs in by the single sign-on, whose groups say which roles they have")
            if set(roles) == set(read(row.roles)) and not row.wanted:
                return False
            waits = self._grant(connection, row, roles, person)
            self._log.note(connection, "roles", person, name, **self._asked(roles))
        return waits

    def decide(self, name: str, person: str, *, approved: bool) -> None:
        """Let somebody have the roles that wait, or not. Raises: SettingsError when another has to."""
        with self._changing() as connection:
            row = self._row(connection, name)
            if not row.wanted:
                raise SettingsError(f"no roles wait for {name}")
            if approved and person in (row.wanted_by, row.name):
                raise SettingsError("another administrator has to confirm this: neither who asked nor who gains by it")
            gained = {"roles": row.wanted} if approved else {}
            change(connection, row.id, self._clock(), wanted="", wanted_by="", **gained)
            sessions.end_all(connection, row.id)
            event = "roles_confirmed" if approved else "roles_rejected"
            self._log.note(connection, event, person, name, roles=list(read(row.wanted)))

    def disable(self, name: str, person: str) -> None:
        """Let somebody in no longer; their sessions and links end. Raises: SettingsError."""
        with self._changing() as connection:
            row = self._row(connection, name)
            if row.disabled_at:
                return
            _check_not_last(connection, row, ())
            change(connection, row.id, self._clock(), disabled_at=stamp(self._clock()))
            sessions.end_all(connection, row.id)
            invitations.end(connection, row.id)
            self._log.note(connection, "disabled", person, name)

    def enable(self, name: str, person: str) -> None:
        """Let somebody in again, and end a lock-out. Raises: SettingsError."""
        with self._changing() as connection:
            row = self._row(connection, name)
            if row.disabled_at and self._two_persons:
                self._regrant(connection, row, person)
            change(connection, row.id, self._clock(), disabled_at=None, locked_until=None, wrong=0)
            self._log.note(connection, "enabled", person, name)

    def sign_out(self, name: str, person: str) -> None:
        """End all sessions of somebody. Raises: SettingsError."""
        with self._changing() as connection:
            sessions.end_all(connection, self._row(connection, name).id)
            self._log.note(connection, "signed_out", person, name)

    @contextmanager
    def _changing(self) -> Generator[Connection]:
        with self._db.write() as connection:
            one_at_a_time(connection, TURN)
            yield connection

    def _row(self, connection: Connection, name: str) -> Any:
        row = row_of(connection, name)
        if row is None:
            raise SettingsError(f"there is nobody called {name[:80]!r}; ml-connector user list shows who there is")
        return row

    def _grant(self, connection: Connection, row: Any, roles: Collection[Role], person: str) -> bool:
        """Set roles; whether those that are gained wait."""
        waits = self._two_persons and not set(roles) <= set(read(row.roles))
        now = [one for one in roles if one in read(row.roles)] if waits else roles
        wanted = {"wanted": written(roles), "wanted_by": person} if waits else {"wanted": "", "wanted_by": ""}
        _check_not_last(connection, row, now)
        change(connection, row.id, self._clock(), roles=written(now), **wanted)
        sessions.end_all(connection, row.id)
        return waits

    def _regrant(self, connection: Connection, row: Any, person: str) -> None:
        """Let all roles of somebody wait, as who has their link could be somebody else."""
        _check_not_last(connection, row, ())
        roles = written([*read(row.roles), *read(row.wanted)])
        change(connection, row.id, self._clock(), roles="", wanted=roles, wanted_by=person if roles else "")
        sessions.end_all(connection, row.id)

    def _asked(self, roles: Collection[Role]) -> dict[str, Any]:
        return {"roles": sorted(roles)} | ({"waits": True} if self._two_persons else {})


def _check_not_last(connection: Connection, row: Any, roles: Collection[Role]) -> None:
    """Make sure that an administrator is left who can sign in. Raises: SettingsError."""
    if Role.ADMINISTRATOR in roles or Role.ADMINISTRATOR not in read(row.roles) or row.disabled_at:
        return
    others = select(table.c.roles).where(table.c.id != row.id, table.c.disabled_at.is_(None))
    able = others.where(or_(table.c.password != "", table.c.subject != ""))
    if not any(Role.ADMINISTRATOR in read(one) for one in connection.execute(able).scalars()):
        raise SettingsError(f"{row.name} is the last administrator who can sign in; let there be another one first")
