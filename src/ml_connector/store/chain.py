"""The journal's chain: how an entry is hashed, and how the whole is verified.

Rule: every column of an entry is under its hash, each hash is under the next one's, the last is sealed.
Must not know: what an entry means.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, LargeBinary, ScalarSelect, cast, func, select

from ml_connector.errors import VaultError
from ml_connector.records.chaining import GENESIS, Header
from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.vault import Vault

BROKEN_MAX = 100
BODIES, PRUNED = "bodies", "pruned"  # the key and the kind of entries that tell of pruning
PAGE = 1000
LOST = "is the last one, and none has the hash that was kept elsewhere: another journal, or an earlier state of it"

_TEXTS = ("at", "run_id", "flow", "key", "kind", "facts")
_BYTES = ("prev", "hash", "body_digest", "body")


class Verdict(msgspec.Struct, frozen=True):
    """How many entries were checked, and what is wrong at which number; at most `BROKEN_MAX` are told.

    `head`: the hash of the last one, hexadecimal.
    """

    entries: int
    broken: tuple[tuple[int, str], ...] = ()
    head: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.broken


class Pruning(msgspec.Struct, frozen=True):
    """What an entry tells of pruning: bodies of entries up to `upto` that are older than `before` may be gone."""

    upto: int = 0
    before: str = ""
    count: int = 0


def head_text(seq: int, head: bytes) -> bytes:
    """What is sealed beside the chain."""
    return f"{seq}:{head.hex()}".encode()


def verify(db: Database, vault: Vault, connection_id: int, kept: str = "") -> Verdict:
    """Check every entry, the order, and that none is missing; in bounded memory.

    A body may be missing where an entry of the same chain says that it was pruned. `kept`: the hash of an entry as it
    was kept elsewhere, which has to be there still: else an earlier state of the database was put back.
    """
    seq, head, broken = _head(db, vault, connection_id)
    entries, last, prev = 0, 0, GENESIS
    pruned, there = _Pruned(db, connection_id), not kept or kept == GENESIS.hex()
    for row in _entries(db, connection_id, seq):
        entries += 1
        if row.seq != last + 1:
            broken.append((last + 1, _gap(last + 1, row.seq - 1)))
        before = prev if row.seq == last + 1 else row.prev
        broken.extend((row.seq, what) for what in _faults(row, before, connection_id, pruned))
        last, prev = row.seq, row.hash or b""
        there = there or prev.hex() == kept
        del broken[BROKEN_MAX:]
    if last < seq:
        broken.append((last + 1, _gap(last + 1, seq)))
    elif prev != head:
        broken.append((last, "is not the entry that the chain's head names"))
    if not there:
        broken.append((last, LOST))
    return Verdict(entries, tuple(broken), prev.hex())


class _Pruned:
    """What the chain itself says of bodies that were pruned; asked anew when it does not cover one that is missing,
    as there may be pruning meanwhile.
    """

    def __init__(self, db: Database, connection_id: int) -> None:
        self._db = db
        self._connection_id = connection_id
        self._upto, self._before = 0, b""
        self._in_vain = False

    def covers(self, row: Any) -> bool:
        """Whether the body of this entry was pruned."""
        if not self._covers(row) and not self._in_vain:
            self._ask()
            self._in_vain = not self._covers(row)
        return self._covers(row)

    def _covers(self, row: Any) -> bool:
        return row.seq <= self._upto and _bytes(row.at) < self._before

    def _ask(self) -> None:
        table = schema.journal
        with self._db.read() as connection:
            query = select(_raw_on(connection.dialect.name)(table.c.facts))
            query = query.where(table.c.connection_id == self._connection_id, table.c.key == BODIES)
            query = query.where(table.c.kind == PRUNED).order_by(table.c.seq.desc()).limit(1)
            facts = connection.execute(query).scalar()
        with suppress(msgspec.MsgspecError, UnicodeError):
            told = msgspec.json.decode(facts, type=Pruning) if facts else Pruning()
            self._upto, self._before = told.upto, told.before.encode()


def _gap(first: int, last: int) -> str:
    return "is missing" if first == last else f"is missing, and so are those up to {last}"


def _faults(row: Any, prev: bytes, connection_id: int, pruned: _Pruned) -> Iterator[str]:
    if row.prev != prev:
        yield "does not follow the entry before it"
    if row.body is None and row.body_digest is not None:
        if not pruned.covers(row):
            yield "has lost its body"
    elif (None if row.body is None else hashlib.sha256(row.body).digest()) != row.body_digest:
        yield "has another body than it was written with"
    texts = (row.at, row.run_id, row.flow, row.key, row.kind, row.facts)
    if Header(connection_id, row.seq, *texts, row.body_digest).hash(row.prev) != row.hash:
        yield "was altered"


def _head(db: Database, vault: Vault, connection_id: int) -> tuple[int, bytes, list[tuple[int, str]]]:
    chains, journal = schema.chains, schema.journal
    newest = select(func.max(journal.c.seq)).where(journal.c.connection_id == connection_id).scalar_subquery()
    with db.read() as connection:
        # One statement, so that both are of the same moment.
        query = select(chains.c.seq, chains.c.head, chains.c.sealed, newest.label("newest"))
        head = connection.execute(query.where(chains.c.connection_id == connection_id)).one_or_none()
        begun = connection.execute(select(func.coalesce(newest, _saved(connection_id)))).scalar()
    if head is None:
        return 0, GENESIS, [(0, "the chain's head is missing")] if begun else []
    broken: list[tuple[int, str]] = []
    if (head.newest or 0) > head.seq:
        broken.append((head.seq + 1, "was added behind the chain's head"))
    if not _is_ours(vault, connection_id, head):
        broken.append((head.seq, "the chain's head was altered"))
    return head.seq, head.head, broken


def _saved(connection_id: int) -> ScalarSelect[Any]:
    """The connection, if there is one: its journal begins as it is saved, so that there is no time without any."""
    return select(schema.connections.c.id).where(schema.connections.c.id == connection_id).scalar_subquery()


def _is_ours(vault: Vault, connection_id: int, head: Any) -> bool:
    try:
        return vault.unseal(head.sealed, str(connection_id), "chains") == head_text(head.seq, head.head)
    except VaultError:
        return False


def _entries(db: Database, connection_id: int, upto: int) -> Iterator[Any]:
    table, after = schema.journal, 0
    while True:
        with db.read() as connection:
            raw = _raw_on(connection.dialect.name)
            query = select(table.c.seq, *[raw(table.c[name]).label(name) for name in (*_TEXTS, *_BYTES)])
            query = query.where(table.c.connection_id == connection_id, table.c.seq > after, table.c.seq <= upto)
            rows = connection.execute(query.order_by(table.c.seq).limit(PAGE)).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].seq


def _raw_on(dialect: str) -> Any:
    return _raw_postgres if dialect == "postgresql" else _raw_sqlite


def _raw_postgres(column: Column[Any]) -> ColumnElement[Any]:
    return column if column.name in _BYTES else func.convert_to(column, "UTF8")


def _raw_sqlite(column: Column[Any]) -> ColumnElement[Any]:
    # A flipped byte may make text undecodable or a value of another type; as bytes it can always be read.
    return cast(column, LargeBinary)


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
