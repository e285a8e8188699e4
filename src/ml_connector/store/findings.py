"""Findings: what the latest look at a connection's systems came to, one of each kind.

Rule: sealed, as it may show names and amounts; a later one takes the place of the one before.
Must not know: what was looked at.
"""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Row, select

from ml_connector.store import schema
from ml_connector.store.db import Database, upsert
from ml_connector.store.schema_people import findings
from ml_connector.store.scope import Clock, pack, unpack
from ml_connector.store.vault import Vault


class Finding(msgspec.Struct, frozen=True):
    """What was found when, and on whose behalf; `content` is what was kept."""

    at: datetime
    person: str
    content: bytes


class Findings:
    """The findings of a connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._vault = vault
        self._connection_id = connection_id
        self._clock = clock

    def keep(self, kind: str, person: str, content: bytes) -> None:
        """Keep what was found."""
        sealed = self._vault.seal(pack(content), *self._place(kind))
        row = {"connection_id": self._connection_id, "kind": kind, "at": schema.stamp(self._clock())}
        with self._db.write() as connection:
            upsert(connection, findings, [row | {"person": person, "sealed": sealed}])

    def get(self, kind: str) -> Finding | None:
        """The latest of a kind. Raises: VaultError."""
        mine = (findings.c.connection_id == self._connection_id) & (findings.c.kind == kind)
        with self._db.read() as connection:
            row = connection.execute(select(findings).where(mine)).one_or_none()
        return self._finding(row) if row else None

    def _finding(self, row: Row[tuple[object, ...]]) -> Finding:
        content = unpack(self._vault.unseal(row.sealed, *self._place(row.kind)))
        return Finding(schema.instant(row.at), row.person, content)

    def _place(self, kind: str) -> tuple[str, str, str]:
        return str(self._connection_id), "findings", kind
