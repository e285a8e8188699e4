"""Records as the store knows them: found by words or numbers, or because something happened to them lately.

Rule: a fixed number of statements for any list; a list is bounded, and says when there may be more.
Must not know: how records are shown.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Row, select

from ml_connector.records import keys
from ml_connector.store import schema
from ml_connector.store import terms as term_rows
from ml_connector.store.db import Database, among
from ml_connector.store.journal import JournalEntry, Kind, opened
from ml_connector.store.schema import IS_UNRESOLVED, exceptions, journal, links
from ml_connector.store.scope import unpack
from ml_connector.store.terms import Place, Terms
from ml_connector.store.vault import Vault
from ml_connector.sync.words import asked

LATELY_MAX = 1_000  # entries of the journal, from its end, in which to look for what happened lately
RELATED_MAX = 50


class Linked(msgspec.Struct, frozen=True):
    """A link: to what, since when, and what both sides agreed on, as JSON has it."""

    target_id: str
    active: bool
    certain: bool
    changed_at: datetime
    story: str
    agreed: dict[str, Any]


class Waiting(msgspec.Struct, frozen=True):
    """Why a record waits."""

    cause: str
    sentence: str
    amount: str | None
    currency: str | None
    opened_at: datetime


class Known(msgspec.Struct, frozen=True):
    """A record; `at`: when something last happened to it, as far as known without looking into its past.

    `said`: of one that waits and was never sent, what its source said, as JSON has it.
    """

    flow: str
    key: str
    link: Linked | None = None
    waiting: Waiting | None = None
    at: datetime | None = None
    said: dict[str, Any] = {}


class Found(msgspec.Struct, frozen=True):
    """Records; `next`: where the next page goes on. `partial`: there may be more that were not looked at."""

    records: tuple[Known, ...]
    next: Place | None = None
    partial: bool = False


class Records:
    """The records of one connection; `flows`: those that are looked into."""

    def __init__(self, db: Database, vault: Vault, connection_id: int, flows: Sequence[str]) -> None:
        self._db, self._vault, self._connection_id, self._flows = db, vault, connection_id, flows

    def search(self, query: str, flow: str = "", after: Place | None = None, limit: int = 50) -> Found:
        """Records of which all words were said, or whose number begins so; in order of flow and key."""
        terms, words = Terms(self._vault, self._connection_id), asked(query)
        with self._db.read() as connection:
            matches = terms.find(connection, words, flow, after, limit + 1)
            numbered = [] if after else self._numbered(connection, query.strip(), flow, limit + 1)
            named = [place for place in matches.places[:limit] if place not in set(numbered)]
            known = self._known(connection, [*numbered[:limit], *named])
        following = matches.places[limit - 1] if len(matches.places) > limit else None
        return Found(known, following, matches.partial or len(numbered) > limit)

    def lately(self, limit: int = 50) -> tuple[Known, ...]:
        """The records to which something happened last, the latest first."""
        mine = journal.c.connection_id == self._connection_id
        query = select(journal.c.flow, journal.c.key, journal.c.at).where(mine)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(journal.c.seq.desc()).limit(LATELY_MAX)).all()
            seen: dict[Place, str] = {}
            for row in rows:
                if row.flow in self._flows and row.key:
                    seen.setdefault((row.flow, row.key), row.at)
            chosen = dict(list(seen.items())[:limit])
            known = self._known(connection, list(chosen))
        return tuple(msgspec.structs.replace(one, at=schema.instant(chosen[one.flow, one.key])) for one in known)

    def one(self, flow: str, key: str) -> Known:
        """One record, whether anything is known of it or not."""
        with self._db.read() as connection:
            return self._known(connection, [(flow, key)])[0]

    def of_story(self, story: str) -> tuple[Known, ...]:
        """What hangs together: a request, its bills and payments."""
        query = select(links.c.flow, links.c.key).where(links.c.connection_id == self._connection_id)
        query = query.where(links.c.story == story, links.c.story != "")
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(links.c.flow, links.c.key).limit(RELATED_MAX)).all()
            return self._known(connection, [(row.flow, row.key) for row in rows])

    def several(self, places: Sequence[Place]) -> tuple[Known, ...]:
        """These records, those of them that anything is known of."""
        with self._db.read() as connection:
            known = self._known(connection, places)
        return tuple(one for one in known if one.link or one.waiting)

    def said(self, places: Collection[Place]) -> dict[Place, dict[str, Any]]:
        """What their sources said of records when they were last held, as JSON has it."""
        with self._db.read() as connection:
            return self._said(connection, places)

    def _said(self, connection: Connection, places: Collection[Place]) -> dict[Place, dict[str, Any]]:
        if not places:
            return {}
        mine, listed = journal.c.connection_id == self._connection_id, sorted({key for _, key in places})
        query = select(journal.c.seq, journal.c.flow, journal.c.key).where(mine, journal.c.kind == Kind.HELD.value)
        rows = connection.execute(query.where(among(connection, journal.c.key, listed))).all()
        latest = {(row.flow, row.key): row.seq for row in sorted(rows, key=lambda row: row.seq)}
        chosen = [latest[place] for place in places if place in latest]
        entries = select(journal).where(mine, among(connection, journal.c.seq, chosen))
        return {(row.flow, row.key): _source(opened(self._vault, row)) for row in connection.execute(entries)}

    def _numbered(self, connection: Connection, query: str, flow: str, limit: int) -> list[Place]:
        """Records whose number begins as somebody typed it, in capitals too; of several parts A/B."""
        if not query or any(sign.isspace() for sign in query):
            return []
        typed = query.replace("/", keys.SEPARATOR)
        begins = list(dict.fromkeys([typed, typed.upper()]))
        flows = [flow] if flow else self._flows
        return term_rows.by_key(connection, self._connection_id, begins, flows, limit)

    def _known(self, connection: Connection, places: Sequence[Place]) -> tuple[Known, ...]:
        listed = sorted({key for _, key in places})
        linked = {(row.flow, row.key): self._linked(row) for row in self._rows(connection, links, places, listed)}
        held = self._rows(connection, exceptions, places, listed)
        waiting = {(row.flow, row.key): _waiting(row) for row in held}
        said = self._said(connection, waiting.keys() - linked.keys())
        return tuple(_known(place, linked, waiting, said) for place in dict.fromkeys(places))

    def _rows(
        self, connection: Connection, table: Any, places: Sequence[Place], listed: Sequence[str]
    ) -> list[Row[Any]]:
        query = select(table).where(table.c.connection_id == self._connection_id)
        query = query.where(
            table.c.flow.in_(sorted({flow for flow, _ in places})), among(connection, table.c.key, listed)
        )
        query = query.where(IS_UNRESOLVED) if table is exceptions else query
        return [row for row in connection.execute(query) if (row.flow, row.key) in set(places)]

    def _linked(self, row: Row[Any]) -> Linked:
        place = (str(self._connection_id), "links", row.flow, row.key)
        agreed = msgspec.json.decode(unpack(self._vault.unseal(row.agreed, *place)))
        return Linked(
            row.target_id, row.active, bool(row.digest), schema.instant(row.changed_at), row.story, agreed or {}
        )


def _known(
    place: Place,
    linked: Mapping[Place, Linked],
    waiting: Mapping[Place, Waiting],
    said: Mapping[Place, dict[str, Any]],
) -> Known:
    link, held = linked.get(place), waiting.get(place)
    at = max((one for one in (link and link.changed_at, held and held.opened_at) if one), default=None)
    return Known(*place, link, held, at, said.get(place, {}))


def _source(entry: JournalEntry) -> dict[str, Any]:
    body = cast("dict[str, Any]", entry.body or {})
    return body.get("source") or {}


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(row.cause, row.sentence, row.stake_amount, row.stake_currency, schema.instant(row.opened_at))
