"""Schedules and blackouts: when a flow is to be run, and when not.

Rule: a slot is taken by moving `last_slot` on from what was read, and its orders are placed in the same transaction, so
that each slot is ordered at most once, however many look at it.
Must not know: how a slot follows from a text.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from ml_connector.store import placing, schema
from ml_connector.store.db import Database, upsert
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema_work import blackouts, schedules
from ml_connector.store.scope import Clock, clean
from ml_connector.store.vault import Vault
from ml_connector.sync.orders import Order

ALL = "all"  # every flow that has no schedule of its own


class Schedule(msgspec.Struct, frozen=True):
    """When a flow is run; `flow` may be `ALL`. `last_slot`: up to there, slots are dealt with."""

    id: int
    connection_id: int
    flow: str
    census: bool
    spec: str
    catch_up: bool
    paused: bool
    last_slot: datetime
    changed_at: datetime
    changed_by: str


class Blackout(msgspec.Struct, frozen=True):
    """When nothing is started by itself; `flow` may be `ALL`."""

    id: int
    connection_id: int
    flow: str
    spec: str
    reason: str
    changed_at: datetime
    changed_by: str


class Schedules:
    """The schedules of all connections of a store."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock

    def all(self, connection_id: int | None = None) -> list[Schedule]:
        """All schedules, of all connections or of one."""
        query = select(schedules)
        query = query if connection_id is None else query.where(schedules.c.connection_id == connection_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(schedules.c.connection_id, schedules.c.flow, schedules.c.census))
            return [_schedule(row) for row in rows]

    def set(self, connection_id: int, flow: str, spec: str, person: str, *, census: bool, catch_up: bool) -> None:
        """Set a schedule, or replace the one of the same flow; slots count from now on."""
        now = schema.stamp(self._clock())
        row: dict[str, Any] = {"connection_id": connection_id, "flow": flow, "census": census, "spec": spec}
        row |= {"catch_up": catch_up, "paused": False, "last_slot": now, "changed_at": now, "changed_by": person}
        key = [schedules.c.connection_id, schedules.c.flow, schedules.c.census]
        with self._db.write() as connection:
            upsert(connection, schedules, [row], (key, None))
            self._note(connection, connection_id, person, "scheduled", flow=flow, spec=spec, census=census)

    def pause(self, connection_id: int, flow: str, person: str, *, census: bool, paused: bool) -> bool:
        """Pause or resume; whether there was such a schedule. What was due while it was paused is not made up for."""
        now = schema.stamp(self._clock())
        values = {"paused": paused, "changed_at": now, "changed_by": person}
        values |= {} if paused else {"last_slot": now}
        with self._db.write() as connection:
            changed = connection.execute(update(schedules).where(_is(connection_id, flow, census)).values(values))
            if changed.rowcount:
                self._note(connection, connection_id, person, "paused" if paused else "resumed", flow=flow)
        return changed.rowcount == 1

    def remove(self, connection_id: int, flow: str, person: str, *, census: bool) -> bool:
        """Remove a schedule; whether there was one."""
        with self._db.write() as connection:
            gone = connection.execute(delete(schedules).where(_is(connection_id, flow, census))).rowcount == 1
            if gone:
                self._note(connection, connection_id, person, "unscheduled", flow=flow, census=census)
        return gone

    def take(self, schedule: Schedule, slot: datetime, ordered: Sequence[Order]) -> bool:
        """Deal with the slots up to this one, and place these orders; False when somebody else has."""
        seen = (schedules.c.id == schedule.id) & (schedules.c.last_slot == schema.stamp(schedule.last_slot))
        statement = update(schedules).where(seen, schedules.c.changed_at == schema.stamp(schedule.changed_at))
        with self._db.write() as connection:
            mine = connection.execute(statement.values(last_slot=schema.stamp(slot))).rowcount == 1
            for order in ordered if mine else ():
                placing.place(connection, order, schema.stamp(self._clock()))
        return mine

    def blackouts(self, connection_id: int | None = None) -> list[Blackout]:
        """All blackouts, of all connections or of one."""
        query = select(blackouts)
        query = query if connection_id is None else query.where(blackouts.c.connection_id == connection_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(blackouts.c.connection_id, blackouts.c.id))
            return [_blackout(row) for row in rows]

    def add_blackout(self, connection_id: int, flow: str, spec: str, reason: str, person: str) -> int:
        """Add a blackout; its number."""
        row = {"connection_id": connection_id, "flow": flow, "spec": spec, "reason": clean(reason)}
        row |= {"changed_at": schema.stamp(self._clock()), "changed_by": person}
        with self._db.write() as connection:
            number: int = connection.execute(insert(blackouts).values(row).returning(blackouts.c.id)).scalar_one()
            self._note(connection, connection_id, person, "blacked out", flow=flow, spec=spec)
        return number

    def remove_blackout(self, connection_id: int, number: int, person: str) -> bool:
        """Remove a blackout; whether there was one."""
        statement = delete(blackouts).where(blackouts.c.id == number, blackouts.c.connection_id == connection_id)
        with self._db.write() as connection:
            gone = connection.execute(statement).rowcount == 1
            if gone:
                self._note(connection, connection_id, person, "blackout removed", blackout=number)
        return gone

    def _note(self, connection: Any, connection_id: int, person: str, event: str, **facts: Any) -> None:
        line = Line(Kind.SCHEDULE, {"event": event, "person": person, **facts})
        Journal(self._db, self._vault, connection_id, self._clock).append(connection, [line])


def _is(connection_id: int, flow: str, census: bool) -> Any:
    return (schedules.c.connection_id == connection_id) & (schedules.c.flow == flow) & (schedules.c.census.is_(census))


def _schedule(row: Any) -> Schedule:
    times = (schema.instant(row.last_slot), schema.instant(row.changed_at))
    flags = (row.census, row.spec, row.catch_up, row.paused)
    return Schedule(row.id, row.connection_id, row.flow, *flags, *times, row.changed_by)


def _blackout(row: Any) -> Blackout:
    owned = (row.id, row.connection_id, row.flow)
    return Blackout(*owned, row.spec, row.reason, schema.instant(row.changed_at), row.changed_by)
