"""Schedules become orders when their time has come.

Rule: any number of workers may look at the same time; the store sees to it that each slot is ordered once.
Must not know: how an order is carried out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
import structlog

from ml_connector import settings
from ml_connector.engine import schedule as rules
from ml_connector.engine.schedule import Due
from ml_connector.errors import SettingsError
from ml_connector.store.schedules import ALL, Blackout, Schedule, Schedules
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.wiring import choice
from ml_connector.wiring import profile as profiles
from ml_connector.wiring.opened import Opened

CENSUS_RANK, RANK = 2, 1
AHEAD_MAX = timedelta(days=1)
_LOG = structlog.get_logger("ml_connector.schedules")


class Place(msgspec.Struct, frozen=True):
    """What of a connection matters here: its zone, and the flows that it has, in order.

    `off`: those of its flows that are switched off by hand, in order. `unread`: its settings can't be read, so that
    nothing is known of it; what is its own waits.
    """

    zone: ZoneInfo
    flows: tuple[str, ...]
    unread: bool = False
    off: tuple[str, ...] = ()


class Ticking:
    """Looks which slots have come."""

    def __init__(self, opened: Opened, now: Callable[[], datetime] | None = None) -> None:
        self._opened = opened
        self._schedules = Schedules(opened.database, opened.vault)
        self._now = now or opened.database.now
        self._places: dict[tuple[int, str], Place] = {}

    def act(self) -> bool:
        """Order what is due; whether anything was."""
        there = self._schedules.all()
        if not there:
            return False
        places, blackouts = self.places(), self._schedules.blackouts()
        taken = [self._taken(one, there, places[one.connection_id], blackouts) for one in there if _live(one, places)]
        return any(taken)

    def places(self) -> dict[int, Place]:
        """Each connection that there is."""
        versions = self._opened.connections.versions()
        for number, (name, changed_at) in versions.items():
            if (number, changed_at) not in self._places:
                self._places = {key: place for key, place in self._places.items() if key[0] != number}
                self._places[number, changed_at] = _place(self._opened, name)
        return {number: self._places[number, changed_at] for number, (_, changed_at) in versions.items()}

    def held_until(self, connection_id: int, flow: str) -> datetime | None:
        """Until when nothing of a flow is started by itself; None: it may be."""
        there = self.places().get(connection_id)
        blackouts = self._schedules.blackouts(connection_id)
        return rules.covering(_of(blackouts, connection_id, flow), there.zone, self._now()) if there else None

    def _taken(self, one: Schedule, there: Sequence[Schedule], at: Place, blackouts: Sequence[Blackout]) -> bool:
        if one.last_slot > self._now() + AHEAD_MAX:  # a clock was wrong, and would keep it silent
            self._schedules.take(one, self._now(), [])
            return False
        own = _of(blackouts, one.connection_id, one.flow)
        due = rules.due(parsed(one.spec), at.zone, own, one.last_slot, self._now(), one.catch_up)
        if due is None:
            return False
        names = [
            name for name in flows_of(one, there, at.flows) if due.run and not self._held(one, name, at, blackouts)
        ]
        return self._schedules.take(one, due.slot, [_order(one, due, name) for name in names])

    def _held(self, one: Schedule, flow: str, at: Place, blackouts: Sequence[Blackout]) -> bool:
        return rules.covering(_of(blackouts, one.connection_id, flow), at.zone, self._now()) is not None


def place(opened: Opened, name: str) -> Place:
    """What of a connection matters here. Raises: SettingsError."""
    connection = settings.connection(opened.connections.get(name).settings)
    read = profiles.read(connection)
    turned_on = choice.on(connection, read.rules.documents if read.rules else ())
    had = tuple(flow.name for flow in choice.chosen((), turned_on))
    flows, off = ([name for name in had if (name in connection.off) is off] for off in (False, True))
    return Place(settings.zone(connection.profile.calendar_zone), tuple(flows), off=tuple(off))


def _place(opened: Opened, name: str) -> Place:
    """As `place`, where one connection must not hold up the others."""
    try:
        return place(opened, name)
    except SettingsError as error:
        _LOG.error("nothing of this connection is started", connection=name, said=str(error))
        return Place(ZoneInfo("UTC"), (), unread=True)


def flows_of(one: Schedule, there: Sequence[Schedule], turned_on: Sequence[str]) -> tuple[str, ...]:
    """The flows that a schedule runs: its own, or all that are on and have none of their own."""
    if one.flow != ALL:
        return tuple(name for name in turned_on if name == one.flow)
    alike = (other for other in there if other.connection_id == one.connection_id and other.census is one.census)
    others = {other.flow for other in alike}
    return tuple(name for name in turned_on if name not in others)


@lru_cache(maxsize=1000)
def parsed(spec: str) -> rules.Spec:
    """A schedule's text, read once."""
    return rules.parse(spec)


@lru_cache(maxsize=1000)
def _blackout(spec: str) -> rules.Blackout:
    return rules.Blackout.parse(spec)


def _of(blackouts: Sequence[Blackout], connection_id: int, flow: str) -> list[rules.Blackout]:
    """What holds a flow back; a blackout of some flow does not hold back a schedule of all."""
    own = (one for one in blackouts if one.connection_id == connection_id and one.flow in (ALL, flow))
    return [_blackout(one.spec) for one in own]


def _live(one: Schedule, places: dict[int, Place]) -> bool:
    return not one.paused and one.connection_id in places and not places[one.connection_id].unread


def _order(one: Schedule, due: Due, flow: str) -> Order:
    cause = Cause.CATCH_UP if due.late else Cause.SCHEDULE
    number = f"slot/{one.id}/{due.slot:%Y%m%dT%H%M%SZ}/{flow}"
    extent, rank = Extent(census=one.census), CENSUS_RANK if one.census else RANK
    return Order(number, one.connection_id, flow, extent, cause, rank=rank)
