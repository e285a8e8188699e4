"""Hooks: the addresses at which a connection's systems tell what happened, one for each system.

Rule: an address is an unguessable token, found by its digest; token and secrets are sealed to connection and system.
After a rotation the former secret stays valid for a while. Every change is journalled by names only.
Must not know: how a webhook is checked, or how it arrives.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from ml_connector.errors import VaultError
from ml_connector.store import schema
from ml_connector.store.db import Database, upsert
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema_work import hooks
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

TOKEN_BYTES = 32
OVERLAP_S = 86_400.0


class Kept(msgspec.Struct, frozen=True):
    """What is sealed of a hook; its text form shows none of it. `previous` is valid until then."""

    token: str
    current: str = ""
    previous: str = ""
    previous_until: str = ""

    def __repr__(self) -> str:
        return "Kept(…)"

    def rotated(self, secret: str, until: datetime) -> "Kept":
        """With another secret."""
        return Kept(self.token, secret, self.current, schema.stamp(until))

    def valid(self, now: datetime) -> tuple[str, ...]:
        """The secrets that are valid now."""
        former = self.previous if schema.stamp(now) < self.previous_until else ""
        return tuple(secret for secret in (self.current, former) if secret)


class Hook(msgspec.Struct, frozen=True):
    """A hook as set; `scheme` is the JSON that says how it is checked. `last_at`: last used, to the minute."""

    connection_id: int
    system: str
    scheme: str
    kept: Kept
    created_at: datetime
    changed_at: datetime
    last_at: datetime | None


class Hooks:
    """The hooks of all connections of a store."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def set(
        self,
        connection_id: int,
        system: str,
        scheme: str,
        person: str,
        secret: str | None = None,
        overlap_s: float = 0.0,
    ) -> Hook:
        """Set a hook, or change the one there is; None keeps the secret.

        Units: overlap_s is how long the former secret stays valid.
        """
        now = self._clock()
        with self._db.write() as connection:
            before = self._find(connection, connection_id, system)
            kept = before.kept if before else Kept(secrets.token_urlsafe(TOKEN_BYTES))
            if secret is not None:
                kept = kept.rotated(secret, now + timedelta(seconds=overlap_s))
            created_at = before.created_at if before else now
            hook = Hook(connection_id, system, scheme, kept, created_at, now, before.last_at if before else None)
            self._keep(connection, hook)
            facts = {"secrets": ["current"] if secret else [], "overlap_s": int(overlap_s)}
            self._note(connection, hook, person, "hook changed" if before else "hook set", **facts)
        return hook

    def remove(self, connection_id: int, system: str, person: str) -> bool:
        """Remove a hook; whether there was one. Its address will never be valid again."""
        with self._db.write() as connection:
            there = self._find(connection, connection_id, system)
            if there:
                connection.execute(delete(hooks).where(_is(connection_id, system)))
                self._note(connection, there, person, "hook removed")
        return there is not None

    def get(self, connection_id: int, system: str) -> Hook | None:
        """A hook. Raises: VaultError."""
        with self._db.read() as connection:
            return self._find(connection, connection_id, system)

    def of(self, connection_id: int) -> list[Hook]:
        """The hooks of a connection. Raises: VaultError."""
        query = select(hooks).where(hooks.c.connection_id == connection_id).order_by(hooks.c.system)
        with self._db.read() as connection:
            return [self._hook(row) for row in connection.execute(query)]

    def live(self) -> dict[str, Hook]:
        """All hooks that are to be answered, by the digest of their token; without one that does not open."""
        query = select(hooks).join(schema.connections, schema.connections.c.id == hooks.c.connection_id)
        with self._db.read() as connection:
            rows = connection.execute(query.where(schema.connections.c.removed_at.is_(None))).all()
        found: dict[str, Hook] = {}
        for row in rows:
            try:
                found[row.path_digest] = self._hook(row)
            except VaultError:  # the others are not to suffer; whoever looks at this one is told
                continue
        return found

    def _find(self, connection: Connection, connection_id: int, system: str) -> Hook | None:
        row = connection.execute(select(hooks).where(_is(connection_id, system)).with_for_update()).one_or_none()
        return self._hook(row) if row else None

    def _keep(self, connection: Connection, hook: Hook) -> None:
        sealed = self._vault.seal(msgspec.json.encode(hook.kept), *_place(hook.connection_id, hook.system))
        row: dict[str, Any] = {"connection_id": hook.connection_id, "system": hook.system, "sealed": sealed}
        row |= {"path_digest": digest(hook.kept.token), "scheme": hook.scheme}
        row |= {"created_at": schema.stamp(hook.created_at), "changed_at": schema.stamp(hook.changed_at)}
        upsert(connection, hooks, [row], ([hooks.c.connection_id, hooks.c.system], None))

    def _hook(self, row: Any) -> Hook:
        plain = self._vault.unseal(row.sealed, *_place(row.connection_id, row.system))
        kept = msgspec.json.decode(plain, type=Kept)
        times = (schema.instant(row.created_at), schema.instant(row.changed_at))
        last_at = schema.instant(row.last_at) if row.last_at else None
        return Hook(row.connection_id, row.system, row.scheme, kept, *times, last_at)

    def _note(self, connection: Connection, hook: Hook, person: str, event: str, **facts: Any) -> None:
        told = {"event": event, "system": hook.system, "person": person, **facts}
        line = Line(Kind.CONNECTION, told)
        Journal(self._db, self._vault, hook.connection_id, self._clock).append(connection, [line])


def digest(token: str) -> str:
    """What a token is found by; 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _is(connection_id: int, system: str) -> Any:
    return (hooks.c.connection_id == connection_id) & (hooks.c.system == system)


def _place(connection_id: int, system: str) -> tuple[str, str, str]:
    return str(connection_id), "hooks", system
