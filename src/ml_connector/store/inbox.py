"""The inbox: events that systems told of, each kept once.

Rule: what is told twice is one row, whoever receives it, in whichever order; bodies are sealed and never data.
Must not know: how an event arrives, what its body means, how it becomes an order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store import schema, tallies
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema import changes, runs
from ml_connector.store.schema_work import IS_AMISS, IS_WAITING, hooks, inbox
from ml_connector.store.scope import Clock, clean, pack, unpack
from ml_connector.store.vault import Vault

CLEAN_BATCH = 1000
NOTED_EVERY = timedelta(minutes=1)
TOLD = ("type", "occurred", "state", "flow", "key", "note", "sealed", "order_id", "not_before", "done_at")
_SHOWN = [column for column in inbox.c if column.name not in ("connection_id", "not_before", "sealed")]
Place = tuple[int, str]  # a connection and a system
_WAITING = and_(IS_WAITING, inbox.c.flow >= "")  # any flow: so SQLite takes the index of what waits, not that of all


class State(StrEnum):
    """Where an event stands."""

    WAITING = "waiting"  # an order is to be placed
    PLACED = "placed"
    DONE = "done"
    FAILED = "failed"  # its orders failed; a person looks, and has it processed again
    UNKNOWN = "unknown"  # nobody knows what to do about its type
    OFF = "off"  # its flow is not turned on
    STALE = "stale"  # too old to have been sent just now


class Event(msgspec.Struct, frozen=True):
    """An event as received; `occurred` as written by its sender. `key` may be "": the flow as a whole has work."""

    connection_id: int
    system: str
    id: str
    type: str
    occurred: str
    at: datetime
    verified: bool
    state: State
    flow: str
    key: str
    body: bytes
    note: str = ""

    def __repr__(self) -> str:
        return f"Event({self.system!r}, {self.state!r}, …)"


class Receipt(msgspec.Struct, frozen=True):
    """An event's number in the inbox, and whether it was new."""

    number: int
    is_new: bool


class Kept(msgspec.Struct, frozen=True):
    """An event as it lies in the inbox, without its body."""

    id: int
    system: str
    event_id: str
    type: str
    occurred: str
    received_at: datetime
    verified: bool
    repeats: int
    state: State
    flow: str
    key: str
    order_id: str
    tries: int
    note: str
    done_at: datetime | None


class Inbox:
    """The events of all connections of a store."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._noted: dict[Place, datetime] = {}

    def receive(self, events: Sequence[Event], refused: Mapping[Place, int] | None = None) -> list[Receipt]:
        """Keep events, all or none; one receipt for each. `refused`: how many were turned away, to be counted."""
        times = Counter(_identity(one) for one in events)
        firsts = _firsts(events)
        with self._db.write() as connection:
            kept = self._insert(connection, firsts, times)
            tallies.add(connection, _tallied(firsts, kept, times, refused or {}))
            self._note_use(connection, {(one.connection_id, one.system) for one in events})
        receipts: list[Receipt] = []
        for identity in map(_identity, events):
            receipts.append(kept[identity])
            kept[identity] = Receipt(kept[identity].number, is_new=False)
        return receipts

    def recent(self, connection_id: int, limit: int, before: int | None = None, *, amiss: bool = False) -> list[Kept]:
        """The latest events, newest first; `before`: those that came before the one with this number. `amiss`: only
        those that a person has to look at.
        """
        query = select(*_SHOWN).where(inbox.c.connection_id == connection_id)
        query = query if before is None else query.where(inbox.c.id < before)
        query = query.where(IS_AMISS) if amiss else query
        with self._db.read() as connection:
            return [_kept(row) for row in connection.execute(query.order_by(inbox.c.id.desc()).limit(limit))]

    def get(self, connection_id: int, number: int) -> Kept | None:
        """One event."""
        query = select(*_SHOWN).where(inbox.c.id == number, inbox.c.connection_id == connection_id)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        return _kept(row) if row else None

    def body(self, connection_id: int, number: int) -> bytes | None:
        """What was sent, byte for byte; None when there is no such event. Raises: VaultError."""
        query = select(inbox).where(inbox.c.id == number, inbox.c.connection_id == connection_id)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        return unpack(self._vault.unseal(row.sealed, *_place(connection_id, row.system, row.event_id))) if row else None

    def again(self, connection_id: int, number: int, person: str) -> bool:
        """Process an event again; False when there is none, when no flow is for it, or when it is on its way."""
        there = update(inbox).where(inbox.c.id == number, inbox.c.connection_id == connection_id)
        there = there.where(inbox.c.flow != "", inbox.c.state.not_in((State.WAITING, State.PLACED)))
        values = {"state": State.WAITING.value, "not_before": 0.0, "note": "", "order_id": "", "done_at": None}
        with self._db.write() as connection:
            row = connection.execute(there.values(values).returning(inbox.c.flow, inbox.c.key)).one_or_none()
            if row:
                facts = {"event": "event processed again", "number": number, "person": person}
                line = Line(Kind.NOTED, facts, row.key, row.flow)
                Journal(self._db, self._vault, connection_id, self._clock).append(connection, [line])
        return row is not None

    def standing(self, connection_id: int) -> dict[State, int]:
        """How many events wait for an order, or for a person to look at them, by state."""
        counted = select(inbox.c.state, func.count().label("number")).where(inbox.c.connection_id == connection_id)
        with self._db.read() as connection:
            both = (counted.where(each).group_by(inbox.c.state) for each in (_WAITING, IS_AMISS))
            return {State(row.state): row.number for query in both for row in connection.execute(query)}

    def counts(self, connection_id: int) -> dict[State, int]:
        """How many events there are in each state."""
        query = select(inbox.c.state, func.count().label("number")).where(inbox.c.connection_id == connection_id)
        with self._db.read() as connection:
            return {State(row.state): row.number for row in connection.execute(query.group_by(inbox.c.state))}

    def waiting_s(self, connection_id: int) -> float:
        """For how long the oldest event waits for its order; 0.0 when none does."""
        query = select(func.min(inbox.c.received_at)).where(inbox.c.connection_id == connection_id)
        with self._db.read() as connection:
            oldest = connection.execute(query.where(_WAITING)).scalar()
        return max(0.0, (self._clock() - schema.instant(oldest)).total_seconds()) if oldest else 0.0

    def clean(self, days: int) -> int:
        """Forget events that came longer ago and need nothing; how many."""
        before, gone = schema.stamp(self._clock() - timedelta(days=days)), 0
        over = and_(inbox.c.received_at < before, inbox.c.state.not_in((State.WAITING, State.PLACED)))
        while True:
            with self._db.write() as connection:
                old = select(inbox.c.id).where(over).order_by(inbox.c.received_at).limit(CLEAN_BATCH)
                ids = list(connection.execute(old).scalars())
                gone += connection.execute(delete(inbox).where(among(connection, inbox.c.id, ids), over)).rowcount
            if len(ids) < CLEAN_BATCH:
                return gone

    def unannounced(self, connection_id: int, flow: str, run_id: str) -> int:
        """How many records a run made that no event told of; 0 where none of this flow were told of before it began.

        A hook may be there and its system be set to tell of other things only: what was told before is the proof.
        """
        of_flow = and_(inbox.c.connection_id == connection_id, inbox.c.flow == flow)
        hooked = and_(hooks.c.connection_id == inbox.c.connection_id, hooks.c.system == inbox.c.system)
        began = select(runs.c.started_at).where(runs.c.id == run_id).scalar_subquery()
        heard = exists().where(of_flow, inbox.c.received_at < began, exists().where(hooked))
        told = exists().where(of_flow, inbox.c.key == changes.c.key)
        made = and_(changes.c.connection_id == connection_id, changes.c.flow == flow, changes.c.run_id == run_id)
        made = and_(made, changes.c.action == "create", changes.c.state == "settled")
        query = select(func.count(changes.c.key.distinct())).where(made, heard, ~told)
        with self._db.read() as connection:
            return connection.execute(query).scalar_one()

    def _insert(
        self, connection: Connection, firsts: Mapping[Any, Event], times: Mapping[Any, int]
    ) -> dict[Any, Receipt]:
        if not firsts:
            return {}
        kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        # In one order, so that two who receive the same events can't lock each other out.
        rows = [self._row(firsts[identity], times[identity] - 1) for identity in sorted(firsts)]
        added = kind(inbox)
        told = added.excluded
        # What nobody vouched for must not stand in the way of what is genuine.
        proven = and_(~inbox.c.verified, told.verified)
        changed = {name: case((proven, told[name]), else_=inbox.c[name]) for name in TOLD}
        changed |= {"repeats": inbox.c.repeats + told.repeats + 1, "verified": or_(inbox.c.verified, told.verified)}
        unique = [inbox.c.connection_id, inbox.c.system, inbox.c.event_id]
        wanted = (inbox.c.id, *unique, inbox.c.repeats)
        statement = added.on_conflict_do_update(index_elements=unique, set_=changed).returning(*wanted)
        found: dict[Any, Receipt] = {}
        for row in connection.execute(statement, rows):
            identity = (row.connection_id, row.system, row.event_id)
            found[identity] = Receipt(row.id, row.repeats == times[identity] - 1)
        return found

    def _row(self, one: Event, repeats: int) -> dict[str, Any]:
        sealed = self._vault.seal(pack(one.body), *_place(one.connection_id, one.system, one.id))
        row: dict[str, Any] = {"connection_id": one.connection_id, "system": one.system, "event_id": one.id}
        row |= {"type": clean(one.type), "occurred": clean(one.occurred), "received_at": schema.stamp(one.at)}
        row |= {"verified": one.verified, "repeats": repeats, "state": one.state.value, "flow": one.flow}
        return row | {"key": one.key, "order_id": "", "tries": 0, "not_before": 0.0, "note": one.note, "sealed": sealed}

    def _note_use(self, connection: Connection, places: set[Place]) -> None:
        now = self._clock()
        for place in sorted(places):
            if place in self._noted and now - self._noted[place] < NOTED_EVERY:
                continue
            mine = and_(hooks.c.connection_id == place[0], hooks.c.system == place[1])
            connection.execute(update(hooks).where(mine).values(last_at=schema.stamp(now)))
            self._noted[place] = now


def _identity(one: Event) -> tuple[int, str, str]:
    return one.connection_id, one.system, one.id


def _firsts(events: Sequence[Event]) -> dict[tuple[int, str, str], Event]:
    """Of each event the first, or the first that is genuine."""
    firsts: dict[tuple[int, str, str], Event] = {}
    for one in events:
        if one.verified > firsts.setdefault(_identity(one), one).verified:
            firsts[_identity(one)] = one
    return firsts


def _place(connection_id: int, system: str, event_id: str) -> tuple[str, str, str, str]:
    return str(connection_id), "inbox", system, event_id


def _tallied(
    firsts: Mapping[Any, Event], kept: Mapping[Any, Receipt], times: Mapping[Any, int], refused: Mapping[Place, int]
) -> dict[tallies.Key, float]:
    counted: Counter[tuple[int, str, str]] = Counter()
    for identity, receipt in kept.items():
        one = firsts[identity]
        counted[one.connection_id, one.system, one.state.value] += receipt.is_new
        counted[one.connection_id, one.system, "duplicate"] += times[identity] - receipt.is_new
    for (connection_id, system), number in refused.items():
        counted[connection_id, system, "refused"] += number
    return {
        ("events", (("connection", str(connection_id)), ("system", system), ("state", state))): float(number)
        for (connection_id, system, state), number in counted.items()
    }


def _kept(row: Any) -> Kept:
    told = {name: getattr(row, name) for name in Kept.__struct_fields__}
    given: dict[str, Any] = told | {"state": State(row.state), "received_at": schema.instant(row.received_at)}
    given["done_at"] = schema.instant(row.done_at) if row.done_at else None
    return Kept(**given)
