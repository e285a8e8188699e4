"""Extracts for evidence: stretches of journals, and what was open within some time.

Rule: rows come page by page, however many there are; bodies stay where they are.
Must not know: what the rows are extracted for.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, or_, select

from ml_connector.records.chaining import GENESIS
from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.schema import exceptions, journal
from ml_connector.store.tie_outs import SIGN_OFFS

PAGE = 1000
_HEADERS = [column for column in journal.c if column.name not in ("connection_id", "body")]


class Window(msgspec.Struct, frozen=True):
    """From one instant up to another, which is not in it."""

    since: datetime
    until: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether something was at such a time."""
        return at is not None and self.since <= at < self.until


def entries(db: Database, connection_id: int, first: int, last: int) -> Iterator[Row[Any]]:
    """Entries of a journal without their bodies."""
    query = select(*_HEADERS).where(journal.c.connection_id == connection_id, journal.c.seq <= last)
    return _pages(db, lambda after: query.where(journal.c.seq > after).order_by(journal.c.seq), "seq", first - 1)


def hash_at(db: Database, connection_id: int, seq: int) -> bytes:
    """The hash of an entry; before the first one, what that follows."""
    query = select(journal.c.hash).where(journal.c.connection_id == connection_id, journal.c.seq == seq)
    with db.read() as connection:
        return connection.execute(query).scalar_one_or_none() or GENESIS


def end_of(db: Database, connection_id: int) -> tuple[int, bytes]:
    """Number and hash of the newest entry of a journal."""
    table = schema.chains.c
    with db.read() as connection:
        row = connection.execute(select(table.seq, table.head).where(table.connection_id == connection_id)).first()
    return (row.seq, row.head) if row else (0, GENESIS)


def sign_off(db: Database, connection_id: int, digest: str) -> int:
    """The entry that tells of the sign-off of a tie-out with this digest; 0: there is none."""
    mine = (journal.c.connection_id == connection_id) & SIGN_OFFS
    query = select(func.max(journal.c.seq)).where(mine, journal.c.facts.contains(digest, autoescape=True))
    with db.read() as connection:
        return connection.execute(query).scalar() or 0


def exceptions_within(db: Database, connection_id: int, window: Window) -> Iterator[Row[Any]]:
    """Exceptions that were open at any time of a window, in the order in which they were opened."""
    table = exceptions.c
    ended_later = or_(table.resolved_at.is_(None), table.resolved_at >= schema.stamp(window.since))
    mine = (table.connection_id == connection_id) & (table.opened_at < schema.stamp(window.until)) & ended_later
    query = select(exceptions).where(mine).order_by(table.id)
    return _pages(db, lambda after: query.where(table.id > after), "id", 0)


def _pages(db: Database, following: Callable[[Any], Select[Any]], key: str, after: Any) -> Iterator[Row[Any]]:
    while True:
        with db.read() as connection:
            rows = connection.execute(following(after).limit(PAGE)).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = getattr(rows[-1], key)
