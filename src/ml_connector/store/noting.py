"""What people note at exceptions: who sees to one, until when it may rest, and what there is to say of it.

Rule: each note is in the journal of its record, by whom; comments are sealed there. Whoever notes the same again notes
nothing.
Must not know: who may note, what the causes mean.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from ml_connector.store import schema
from ml_connector.store.db import Database, among
from ml_connector.store.exceptions import Stage, at
from ml_connector.store.journal import Journal, JournalEntry, Kind, Line
from ml_connector.store.schema import exceptions
from ml_connector.store.scope import Clock, clean
from ml_connector.store.vault import Vault

BATCH = 1000
Record = tuple[str, str]  # flow and key


class Which(msgspec.Struct, frozen=True):
    """Which open exceptions: these, or those of a flow with one cause at one stage."""

    numbers: tuple[int, ...] = ()
    flow: str = ""
    cause: str = ""
    stage: Stage = Stage.OPEN


class Comment(msgspec.Struct, frozen=True):
    """What somebody had to say."""

    person: str
    at: datetime
    text: str


class Noting:
    """The notes at the exceptions of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db, self._connection_id, self._clock = db, connection_id, clock
        self._journal = Journal(db, vault, connection_id, clock)

    def assign(self, which: Which, to: str, person: str) -> int:
        """Say who sees to it, "" nobody; for how many that is news."""
        news = exceptions.c.assignee != to
        return self._note(which, news, {"assignee": clean(to)}, {"event": "assigned", "to": to, "person": person})

    def snooze(self, which: Which, until: datetime | None, person: str) -> int:
        """Let it rest until then, or wake it; for how many that is news."""
        stamp, kept = schema.stamp(until) if until else None, exceptions.c.snoozed_until
        news = or_(kept.is_(None), kept != stamp) if stamp else kept.is_not(None)
        facts = (
            {"event": "snoozed", "until": stamp, "person": person} if stamp else {"event": "woken", "person": person}
        )
        return self._note(which, news, {"snoozed_until": stamp}, facts)

    def comment(self, which: Which, text: str, person: str) -> int:
        """Say something of it; for how many that is news."""
        facts, body = {"event": "commented", "person": person}, {"comment": clean(text)}
        return self._note(which, None, {}, facts, body)

    def comments(self, records: Sequence[Record]) -> dict[Record, Comment]:
        """The latest comment at each of these records."""
        with self._db.read() as connection:
            return self._comments(connection, [key for _, key in records])

    def _note(
        self,
        which: Which,
        news: ColumnElement[bool] | None,
        values: Mapping[str, Any],
        facts: dict[str, Any],
        body: dict[str, Any] | None = None,
    ) -> int:
        """Note it at all of these, some in each transaction."""
        noted, after, where = 0, 0, self._of(which, news)
        while True:
            query = select(exceptions.c.id, exceptions.c.flow, exceptions.c.key).where(where, exceptions.c.id > after)
            with self._db.write() as connection:
                rows = connection.execute(query.order_by(exceptions.c.id).limit(BATCH)).all()
                new = self._unsaid(connection, rows, facts["person"], body["comment"]) if body else rows
                if values and new:
                    mine = update(exceptions).where(among(connection, exceptions.c.id, [row.id for row in new]))
                    connection.execute(mine.values(values))
                lines = [Line(Kind.NOTED, facts, row.key, row.flow, body=body) for row in new]
                self._journal.append(connection, lines)
            noted += len(new)
            if len(rows) < BATCH:
                return noted
            after = rows[-1].id

    def _of(self, which: Which, news: ColumnElement[bool] | None) -> ColumnElement[bool]:
        table = exceptions.c
        conditions = [table.connection_id == self._connection_id, table.resolved_at.is_(None)]
        conditions += [] if news is None else [news]
        if which.numbers:
            return and_(*conditions, table.id.in_(which.numbers))
        return and_(*conditions, table.flow == which.flow, table.cause == which.cause, at(which.stage, self._clock()))

    def _unsaid(self, connection: Connection, rows: Sequence[Any], person: str, text: str) -> list[Any]:
        """Those at which this is not the latest that was said."""
        said = self._comments(connection, [row.key for row in rows])

        def is_new(row: Any) -> bool:
            latest = said.get((row.flow, row.key))
            return latest is None or (latest.person, latest.text) != (person, text)

        return [row for row in rows if is_new(row)]

    def _comments(self, connection: Connection, keys: Sequence[str]) -> dict[Record, Comment]:
        entries = self._journal.noted(connection, keys)
        told = (one for one in entries if one.facts.get("event") == "commented")
        return {(one.flow, one.key): comment for one in told if (comment := _comment(one))}


def _comment(entry: JournalEntry) -> Comment | None:
    if entry.body is None:  # forgotten in time
        return None
    told = msgspec.convert(entry.body, dict[str, str])
    return Comment(entry.facts["person"], entry.at, told["comment"])
