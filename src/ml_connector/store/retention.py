"""What a store forgets in time: bodies of the journal, and ended runs, changes and exceptions.

Rule: each batch is one short transaction; the journal says in the same one which bodies go. An entry's header and its
body's digest stay for ever, and with them the chain.
Must not know: what a body holds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, delete, select, update

from ml_connector.store import schema
from ml_connector.store.chain import BODIES, Pruning
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault
from ml_connector.sync.change import State

BATCH = 1000
YEAR_DAYS = 366  # rather a day too long than too short
CLOSED = (State.SETTLED, State.REFUSED, State.DROPPED)


class Terms(msgspec.Struct, frozen=True):
    """How long is kept what has ended: bodies of the journal and resolved exceptions for years."""

    journal_years: int = 7
    runs_days: int = 400
    changes_days: int = 90


class Cleaned(msgspec.Struct, frozen=True):
    """How many went."""

    bodies: int = 0
    runs: int = 0
    changes: int = 0
    exceptions: int = 0


def clean(
    db: Database, vault: Vault, terms: Terms, clock: Clock = lambda: datetime.now(UTC), batch: int = BATCH
) -> Cleaned:
    """Forget what is older than the terms say; safe at any time, beside any work.

    Raises: BusyError when somebody is at it already, StoreError.
    """
    now = clock()
    years = _before(now, terms.journal_years * YEAR_DAYS)
    runs, changes, exceptions = schema.runs.c, schema.changes.c, schema.exceptions.c
    ended = changes.state.in_([state.value for state in CLOSED])
    with db.lock("cleaning", 0.0):
        return Cleaned(
            sum(_pruned(db, Journal(db, vault, one, clock), one, years, batch) for one in _chains(db)),
            _deleted(db, schema.runs, runs.finished_at < _before(now, terms.runs_days), batch),
            _deleted(db, schema.changes, ended & (changes.changed_at < _before(now, terms.changes_days)), batch),
            _deleted(db, schema.exceptions, exceptions.resolved_at < years, batch),
        )


def _before(now: datetime, days: int) -> str:
    return schema.stamp(now - timedelta(days=days))


def _chains(db: Database) -> list[int]:
    with db.read() as connection:
        return list(connection.execute(select(schema.chains.c.connection_id).order_by("connection_id")).scalars())


def _pruned(db: Database, journal: Journal, connection_id: int, before: str, batch: int) -> int:
    """Take the bodies from entries older than this; how many."""
    pruned, table = 0, schema.journal
    for first, last in _stretches(db, connection_id, before, batch):
        these = (table.c.connection_id == connection_id) & table.c.seq.between(first, last) & (table.c.at < before)
        with db.write() as connection:
            gone = connection.execute(update(table).where(these, table.c.body.is_not(None)).values(body=None)).rowcount
            facts = msgspec.structs.asdict(Pruning(last, before, gone))
            journal.append(connection, [Line(Kind.PRUNED, facts, BODIES)] if gone else [])
        pruned += gone
    return pruned


def _stretches(db: Database, connection_id: int, before: str, batch: int) -> Iterator[tuple[int, int]]:
    """First and last number of the next entries that are old; they are in the order of their times, or nearly so."""
    table, after = schema.journal, _pruned_upto(db, connection_id)
    query = select(table.c.seq, table.c.at).where(table.c.connection_id == connection_id).order_by(table.c.seq)
    while True:
        with db.read() as connection:
            rows = connection.execute(query.where(table.c.seq > after).limit(batch)).all()
        old = [row.seq for row in rows if row.at < before]
        if not old:
            return
        yield old[0], old[-1]
        after = rows[-1].seq


def _pruned_upto(db: Database, connection_id: int) -> int:
    table = schema.journal
    query = select(table.c.facts).where(table.c.connection_id == connection_id, table.c.key == BODIES)
    with db.read() as connection:
        latest = query.where(table.c.kind == Kind.PRUNED.value).order_by(table.c.seq.desc()).limit(1)
        facts = connection.execute(latest).scalar()
    return msgspec.json.decode(facts, type=Pruning).upto if facts else 0


def _deleted(db: Database, table: Table, where: ColumnElement[bool], batch: int) -> int:
    """Delete rows, some at a time; how many."""
    deleted, after, key = 0, None, table.c.id
    while True:
        query = select(key).where(where) if after is None else select(key).where(where, key > after)
        with db.read() as connection:
            ids: list[Any] = list(connection.execute(query.order_by(key).limit(batch)).scalars())
        if not ids:
            return deleted
        with db.write() as connection:
            deleted += connection.execute(delete(table).where(among(connection, key, ids), where)).rowcount
        after = ids[-1]
