"""The journal: what was done, in an order that nobody can change unseen.

Rule: entries are only appended; each holds the hash of the one before; the newest hash is sealed beside the chain.
Facts are ids, digests, counts and states; bodies are sealed.
Must not know: what an entry means.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.errors import StoreError
from ml_connector.records.chaining import GENESIS, Header
from ml_connector.store import schema
from ml_connector.store.chain import Verdict, head_text, verify
from ml_connector.store.db import Database, add, among
from ml_connector.store.prepared import Prepared
from ml_connector.store.scope import Clock, Packed, pack, unpack
from ml_connector.store.vault import Vault

_COLUMNS = tuple(column.name for column in schema.journal.columns)
_HASH = _COLUMNS.index("hash")
_FACTS = msgspec.json.Encoder(order="sorted")
_OWN = schema.chains.c.connection_id == bindparam("owner")
_HEAD = Prepared(lambda _: select(schema.chains.c.seq, schema.chains.c.head).where(_OWN).with_for_update())
_KEEP_HEAD = Prepared(
    lambda _: (
        update(schema.chains).where(_OWN).values({name: bindparam(f"new_{name}") for name in ("seq", "head", "sealed")})
    )
)


class Kind(StrEnum):
    """What an entry tells."""

    INTENDED = "intended"
    SETTLED = "settled"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DROPPED = "dropped"
    HANDED = "handed"
    HELD = "held"
    RELEASED = "released"
    APPROVED = "approved"
    EDITED = "edited"
    RUN = "run"
    CONNECTION = "connection"
    RESTORED = "restored"
    PRUNED = "pruned"
    SCHEDULE = "schedule"
    ACCESS = "access"
    NOTED = "noted"
    TIED = "tied"
    SIGNED = "signed"
    EVIDENCE = "evidence"


class Line(msgspec.Struct, frozen=True):
    """What to append; `body` is anything the record codec encodes, or `Packed`."""

    kind: Kind
    facts: dict[str, Any]
    key: str = ""
    flow: str = ""
    run_id: str = ""
    body: Any = None


class JournalEntry(msgspec.Struct, frozen=True):
    """An entry as read back, its body opened."""

    seq: int
    at: datetime
    run_id: str
    flow: str
    key: str
    kind: str
    facts: dict[str, Any]
    body: Any = None
    hash: str = ""


class Journal:
    """The journal of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._vault = vault
        self._connection_id = connection_id
        self._clock = clock

    def append(self, connection: Connection, lines: Sequence[Line]) -> None:
        """Append within a transaction; do it last, as the chain stays locked until the commit."""
        if not lines:
            return
        seq, prev = self._head(connection)
        at = schema.stamp(self._clock())
        rows: list[tuple[Any, ...]] = []
        for number, line in enumerate(lines, seq + 1):
            row = self._row(number, prev, at, line)
            prev = row[_HASH]
            rows.append(row)
        add(connection, schema.journal, _COLUMNS, rows)
        self._keep_head(connection, seq + len(rows), prev)

    def verify(self, kept: str = "") -> Verdict:
        """Check the whole chain; entries may be appended meanwhile. `kept`: a hash that has to be in it."""
        return verify(self._db, self._vault, self._connection_id, kept)

    def timeline(self, flow: str | None, key: str, after: int = 0, limit: int | None = None) -> list[JournalEntry]:
        """What happened to one record, oldest first; `after`: from the entry on that follows this one."""
        table = schema.journal
        query = select(table).where(table.c.connection_id == self._connection_id, table.c.key == key)
        query = query if flow is None else query.where(table.c.flow == flow)
        with self._db.read() as connection:
            rows = connection.execute(query.where(table.c.seq > after).order_by(table.c.seq).limit(limit)).all()
        return [self._entry(row) for row in rows]

    def noted(self, connection: Connection, keys: Sequence[str]) -> list[JournalEntry]:
        """What people noted at these records, oldest first."""
        table = schema.journal
        mine = (table.c.connection_id == self._connection_id) & (table.c.kind == Kind.NOTED.value)
        query = select(table).where(mine, among(connection, table.c.key, list(keys)))
        # Asked to sort, SQLite would rather read the whole journal in order.
        return [self._entry(row) for row in sorted(connection.execute(query), key=lambda row: row.seq)]

    def length(self, connection: Connection) -> int:
        """How many entries there are."""
        query = select(schema.chains.c.seq).where(schema.chains.c.connection_id == self._connection_id)
        return connection.execute(query).scalar() or 0

    def _head(self, connection: Connection) -> tuple[int, bytes]:
        head = _HEAD.on(connection, owner=self._connection_id).one_or_none()
        if head is None:
            self._start(connection)
            head = _HEAD.on(connection, owner=self._connection_id).one()
        return head.seq, head.head

    def _start(self, connection: Connection) -> None:
        kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        first = {"connection_id": self._connection_id, "seq": 0, "head": GENESIS, "sealed": self._sealed(0, GENESIS)}
        connection.execute(kind(schema.chains).values(first).on_conflict_do_nothing())

    def _keep_head(self, connection: Connection, seq: int, head: bytes) -> None:
        values = {"new_seq": seq, "new_head": head, "new_sealed": self._sealed(seq, head)}
        done = _KEEP_HEAD.on(connection, owner=self._connection_id, **values)
        if done.rowcount != 1:
            raise StoreError("the journal's head is gone; stop everything and restore the latest backup")

    def _sealed(self, seq: int, head: bytes) -> bytes:
        return self._vault.seal(head_text(seq, head), str(self._connection_id), "chains")

    def _row(self, seq: int, prev: bytes, at: str, line: Line) -> tuple[Any, ...]:
        facts = _FACTS.encode(line.facts).decode()
        sealed = None if line.body is None else self._seal(line)
        digest = None if sealed is None else hashlib.sha256(sealed).digest()
        texts = (at, line.run_id, line.flow, line.key, line.kind.value, facts)
        hashed = Header(self._connection_id, seq, *texts, digest).hash(prev)
        return (self._connection_id, seq, *texts, prev, hashed, digest, sealed)

    def _seal(self, line: Line) -> bytes:
        body = line.body.body if isinstance(line.body, Packed) else pack(msgspec.json.encode(line.body))
        return self._vault.seal(body, *self._place(line.flow, line.key))

    def _place(self, flow: str, key: str) -> tuple[str, str, str, str]:
        return str(self._connection_id), "journal", flow, key

    def _entry(self, row: Row[Any]) -> JournalEntry:
        return opened(self._vault, row)


def opened(vault: Vault, row: Row[Any]) -> JournalEntry:
    """An entry as read back, with its body as far as that is kept."""
    place = (str(row.connection_id), "journal", row.flow, row.key)
    plain = None if row.body is None else vault.unseal(row.body, *place)
    return JournalEntry(
        row.seq,
        schema.instant(row.at),
        row.run_id,
        row.flow,
        row.key,
        row.kind,
        msgspec.json.decode(row.facts),
        None if plain is None else msgspec.json.decode(unpack(plain)),
        row.hash.hex(),
    )
