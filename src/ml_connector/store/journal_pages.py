"""The journal, looked at from its end: of one record, or of all, filtered.

Rule: a page looks at a bounded stretch of entries, however few of them fit; it says from where to look further.
Must not know: what an entry means.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.journal import JournalEntry, opened
from ml_connector.store.schema import journal
from ml_connector.store.vault import Vault

STRETCH = 20_000  # entries that one page looks at
STREAM_PAGE = 500
NO_MORE = 2**62


class Filter(msgspec.Struct, frozen=True):
    """Which entries; "" and None: any. `person`: who is named in the facts."""

    kind: str = ""
    flow: str = ""
    key: str = ""
    run_id: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Part(msgspec.Struct, frozen=True):
    """Entries, newest first; `before`: where the next part goes on. `from_seq`, `upto_seq`: what was looked at."""

    entries: tuple[JournalEntry, ...]
    before: int | None
    from_seq: int
    upto_seq: int


class JournalPages:
    """The journal of one connection, or of the installation."""

    def __init__(self, db: Database, vault: Vault, connection_id: int) -> None:
        self._db, self._vault, self._connection_id = db, vault, connection_id

    def of(self, flow: str, key: str, limit: int, before: int = NO_MORE) -> list[JournalEntry]:
        """What happened to one record, newest first."""
        query = self._mine().where(journal.c.flow == flow, journal.c.key == key, journal.c.seq < before)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(journal.c.seq.desc()).limit(limit)).all()
        return [opened(self._vault, row) for row in rows]

    def part(self, chosen: Filter, limit: int, before: int = NO_MORE) -> Part:
        """A part of the journal, newest first."""
        with self._db.read() as connection:
            upto = min(before - 1, self._last(connection), self._upto(connection, chosen.until))
            floor = max(1, self._from(connection, chosen.since))
            from_seq = floor if chosen.key else max(floor, upto - STRETCH + 1)
            query = self._filtered(chosen).where(journal.c.seq >= from_seq, journal.c.seq <= upto)
            rows = connection.execute(query.order_by(journal.c.seq.desc()).limit(limit + 1)).all()
        shown = rows[:limit]
        following = shown[-1].seq if len(rows) > limit else from_seq if from_seq > floor else None
        return Part(tuple(opened(self._vault, row) for row in shown), following, from_seq, upto)

    def stretch(self, since: datetime, until: datetime) -> tuple[int, int]:
        """First and last entry between two instants; the last is the one before the first when there is none."""
        with self._db.read() as connection:
            return self._at(connection, since), self._at(connection, until) - 1

    def stream(self, chosen: Filter) -> Iterator[JournalEntry]:
        """All entries that fit, oldest first, in bounded memory."""
        with self._db.read() as connection:
            after = self._from(connection, chosen.since) - 1
            upto = min(self._last(connection), self._upto(connection, chosen.until))
        while after < upto:
            end = min(upto, after + STRETCH)
            query = self._filtered(chosen).where(journal.c.seq > after, journal.c.seq <= end).order_by(journal.c.seq)
            with self._db.read() as connection:
                rows = connection.execute(query.limit(STREAM_PAGE)).all()
            yield from (opened(self._vault, row) for row in rows)
            after = rows[-1].seq if len(rows) == STREAM_PAGE else end

    def _mine(self) -> Any:
        return select(journal).where(journal.c.connection_id == self._connection_id)

    def _filtered(self, chosen: Filter) -> Any:
        query = self._mine()
        for name in ("kind", "flow", "key", "run_id"):
            if wanted := getattr(chosen, name):
                query = query.where(journal.c[name] == wanted)
        if chosen.person:
            said = msgspec.json.encode(chosen.person).decode()
            query = query.where(journal.c.facts.contains(f'"person":{said}', autoescape=True))
        if chosen.since:
            query = query.where(journal.c.at >= schema.stamp(chosen.since))
        return query.where(journal.c.at < schema.stamp(chosen.until)) if chosen.until else query

    def _last(self, connection: Connection) -> int:
        query = select(func.max(journal.c.seq)).where(journal.c.connection_id == self._connection_id)
        return connection.execute(query).scalar() or 0

    def _from(self, connection: Connection, since: datetime | None) -> int:
        return self._at(connection, since) if since else 1

    def _upto(self, connection: Connection, until: datetime | None) -> int:
        return self._at(connection, until) - 1 if until else NO_MORE

    def _at(self, connection: Connection, at: datetime) -> int:
        """The first entry of an instant or later: entries are in order of time, so that halving finds it."""
        low, high, stamp = 1, self._last(connection) + 1, schema.stamp(at)
        while low < high:
            middle = (low + high) // 2
            query = select(journal.c.at).where(journal.c.connection_id == self._connection_id)
            found = connection.execute(query.where(journal.c.seq == middle)).scalar()
            low, high = (low, middle) if found is None or found >= stamp else (middle + 1, high)
        return low
