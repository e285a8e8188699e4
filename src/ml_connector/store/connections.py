"""Connections: one IFS tenant, one Airbase tenant, their settings and secrets.

Rule: settings are plain, secrets are sealed; what is saved together waits together; every change is journalled by names
only.
Must not know: which settings there are, or what they mean.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlalchemy import Connection as Transaction
from sqlalchemy import Row, delete, exists, insert, or_, select, update

from ml_connector.errors import SettingsError
from ml_connector.store import credentials, schema, versions
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema import links
from ml_connector.store.schema_people import findings, tie_outs
from ml_connector.store.schema_people import versions as versions_table
from ml_connector.store.schema_work import blackouts, hooks, schedules
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault
from ml_connector.store.versions import Authored, State, Version
from ml_connector.sync.change import OPEN
from ml_connector.sync.change import State as Change

KEYS_MAX = 10


class Connection(msgspec.Struct, frozen=True):
    """A connection as saved; `made`: the version that saving it made, if any."""

    id: int
    name: str
    settings: dict[str, Any]
    made: Version | None = None


class Connections:
    """All connections of a store."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def save(
        self, name: str, settings: dict[str, Any], secrets: dict[str, str], how: Authored | None = None
    ) -> Connection:
        """Save a connection or a version of its settings; secrets that are not given stay, an empty one is removed.

        Where a second person has to agree, secrets wait with the version that they make. Raises: SettingsError.
        """
        _check_name(name)
        how, now = how or Authored(), self._clock()
        wait = how.waits and bool(secrets)
        with self._db.write() as transaction:
            connection_id = self._place(transaction, name, schema.stamp(now))
            made = versions.keep(transaction, connection_id, settings, how, now, anyhow=wait)
            self._touch(transaction, connection_id, schema.stamp(now))
            where = transaction, self._vault, connection_id
            if made and wait:
                credentials.lay_by(*where, made.number, secrets, schema.stamp(now))
            elif secrets:
                credentials.keep(*where, secrets, schema.stamp(now))
            self._tell(transaction, connection_id, made, how.person, secrets)
            kept = versions.in_force(transaction, connection_id)
        return Connection(connection_id, name, kept.settings if kept else settings, made)

    def keys_of(self, name: str, target_id: str) -> list[str]:
        """The keys of what is linked to a target's record, named in full or by the last part of its id."""
        owner = self.get(name).id
        whole = links.c.target_id == target_id
        last = links.c.target_id.endswith(f"/{target_id}", autoescape=True)
        query = select(links.c.key).where(links.c.connection_id == owner, or_(whole, last)).order_by(links.c.key)
        with self._db.read() as transaction:
            return list(transaction.execute(query.limit(KEYS_MAX)).scalars())

    def get(self, name: str) -> Connection:
        """A connection by its name.

        Raises: SettingsError when there is none, naming those that there are.
        """
        with self._db.read() as transaction:
            row = self._find(transaction, name)
        return Connection(row.id, row.name, msgspec.json.decode(row.settings))

    def versions(self) -> dict[int, tuple[str, str]]:
        """Of each connection by its id, its name and when it was last changed."""
        table = schema.connections
        query = select(table.c.id, table.c.name, table.c.changed_at).where(table.c.removed_at.is_(None))
        with self._db.read() as transaction:
            return {row.id: (row.name, row.changed_at) for row in transaction.execute(query)}

    def secret(self, name: str, field: str) -> str:
        """A secret in the clear.

        Raises: SettingsError when it was not given, VaultError.
        """
        with self._db.read() as transaction:
            found = credentials.read(transaction, self._vault, self._find(transaction, name).id, field)
        if found is None:
            raise SettingsError(f"connection {name} has no secret {field}; save it with the connection")
        return found

    def secrets_since(self, name: str) -> dict[str, datetime]:
        """Which secrets count, and when each was last given."""
        with self._db.read() as transaction:
            found = credentials.since(transaction, self._find(transaction, name).id)
        return {field: schema.instant(at) for field, at in found.items()}

    def names(self) -> list[str]:
        """The names of all connections."""
        with self._db.read() as transaction:
            return _names(transaction)

    def in_use(self, name: str, flows: Collection[str] = ()) -> bool:
        """Whether there is such a connection and it has linked records or changes without a known outcome.

        `flows`: only of these.
        """
        with self._db.read() as transaction:
            return name in _names(transaction) and _in_use(transaction, self._find(transaction, name).id, flows)

    def remove(self, name: str, person: str) -> None:
        """Remove a connection that has linked nothing; its journal stays, and the installation's tells of it.

        Raises: SettingsError when it has links, open changes or a tie-out that is signed off.
        """
        with self._db.write() as transaction:
            row = self._find(transaction, name)
            if _in_use(transaction, row.id):
                raise SettingsError(f"connection {name} has linked records; removing it would make duplicates later")
            if _signed_off(transaction, row.id):
                raise SettingsError(f"connection {name} has a tie-out that is signed off; nobody would find it then")
            own = [schema.secrets, schema.tokens, hooks, schema.marks, schema.cursors, schema.exceptions]
            own += [versions_table, findings, schedules, blackouts]
            for table in own:
                transaction.execute(delete(table).where(table.c.connection_id == row.id))
            now = schema.stamp(self._clock())
            table = schema.connections
            transaction.execute(update(table).where(table.c.id == row.id).values(removed_at=now, settings="{}"))
            self._note(transaction, row.id, {"event": "removed", "person": person})
            log = AccessLog(self._db, self._vault, self._clock)
            log.note(transaction, "connection_removed", person, name, number=row.id)

    def _place(self, transaction: Transaction, name: str, now: str) -> int:
        """The connection of this name, made where there is none; nobody else changes it until the commit."""
        table = schema.connections
        query = select(table.c.id).where(table.c.name == name, table.c.removed_at.is_(None)).with_for_update()
        known: int | None = transaction.execute(query).scalar_one_or_none()
        if known is not None:
            return known
        row = {"name": name, "settings": "{}", "created_at": now, "changed_at": now}
        return transaction.execute(insert(table).values(row).returning(table.c.id)).scalar_one()

    def _touch(self, transaction: Transaction, connection_id: int, now: str) -> None:
        """Have whoever works with a connection take it up anew: its secrets may be others."""
        table = schema.connections
        transaction.execute(update(table).where(table.c.id == connection_id).values(changed_at=now))

    def _tell(
        self, transaction: Transaction, connection_id: int, made: Version | None, person: str, secrets: dict[str, str]
    ) -> None:
        """Journal what was saved; of secrets by their names."""
        events: dict[State, str] = {State.PROPOSED: "proposed", State.APPROVED: "scheduled"}
        named: dict[str, Any] = {"secrets": sorted(secrets), "person": person}
        if made is None:
            self._note(transaction, connection_id, {"event": "saved", **named})
            return
        told = versions.line(made, events.get(made.state, "saved"), person)
        told = msgspec.structs.replace(told, facts=told.facts | named)
        Journal(self._db, self._vault, connection_id, self._clock).append(transaction, [told])

    def _note(self, transaction: Transaction, connection_id: int, facts: dict[str, Any]) -> None:
        Journal(self._db, self._vault, connection_id, self._clock).append(transaction, [Line(Kind.CONNECTION, facts)])

    def _find(self, transaction: Transaction, name: str) -> Row[Any]:
        table = schema.connections
        query = select(table).where(table.c.name == name, table.c.removed_at.is_(None))
        row = transaction.execute(query).one_or_none()
        if row is None:
            raise SettingsError(_unknown(name, _names(transaction)))
        return row


def _names(transaction: Transaction) -> list[str]:
    table = schema.connections
    query = select(table.c.name).where(table.c.removed_at.is_(None)).order_by(table.c.name)
    return list(transaction.execute(query).scalars())


def _unknown(name: str, names: list[str]) -> str:
    if not names:
        return f"no connection called {name!r}; there are none yet"
    near = get_close_matches(name, names, 1)
    hint = f"; nearest: {near[0]}" if near else ""
    return f"no connection called {name!r}; there are: {', '.join(names)}{hint}"


def _check_name(name: str) -> None:
    if not name or len(name) > 64 or not all(character.isalnum() or character in "-_." for character in name):
        raise SettingsError(f"{name[:80]!r} can't name a connection; use letters, digits, - _ . (64 at most)")


def _in_use(transaction: Transaction, connection_id: int, flows: Collection[str] = ()) -> bool:
    links, changes = schema.links, schema.changes
    linked = [links.c.connection_id == connection_id]
    opened = [changes.c.connection_id == connection_id, changes.c.state.in_((*OPEN, Change.HANDED))]
    if flows:
        linked.append(links.c.flow.in_(flows))
        opened.append(changes.c.flow.in_(flows))
    return bool(transaction.execute(select(or_(exists().where(*linked), exists().where(*opened)))).scalar())


def _signed_off(transaction: Transaction, connection_id: int) -> bool:
    signed = exists().where(tie_outs.c.connection_id == connection_id, tie_outs.c.signed_at.is_not(None))
    return bool(transaction.execute(select(signed)).scalar())
