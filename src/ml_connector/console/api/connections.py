"""Connections over HTTP: which there are, and how their flows stand.

Rule: read at one moment, with a fixed number of statements.
Must not know: settings beyond the zone, secrets.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field

from ml_connector import flows
from ml_connector.console.api.shapes import Connected, Listing, Page, Shown, after, page
from ml_connector.console.auth import Guarded
from ml_connector.console.site import Here
from ml_connector.engine import schedule as rules
from ml_connector.store import state
from ml_connector.store.schedules import Schedule
from ml_connector.wiring import ticking

routes = APIRouter(tags=["connections"], route_class=Guarded)
NEXT = 5


class ConnectionShown(Shown):
    """A connection."""

    name: str


class RunState(Shown):
    """How a run stands."""

    id: str
    state: str
    started_at: datetime
    finished_at: datetime | None


class EndedShown(Shown):
    """How the latest order that is over ended."""

    state: str
    run_id: str
    error: str
    finished_at: datetime


class FlowShown(Shown):
    """A flow of a connection, and how it stands."""

    flow: str
    on: bool = Field(description="Whether the connection's profile turns it on.")
    succeeded_at: datetime | None = Field(description="When a run that covered all that had changed last succeeded.")
    last_run: RunState | None
    last_order: EndedShown | None
    queued: int
    running: int
    exceptions: int = Field(description="Records of it that need a person.")
    next: list[datetime] = Field(description="When it runs next by itself, blackouts aside.")


class Flows(Shown):
    """All flows of a connection, in the order in which they run."""

    connection: str
    zone: str
    flows: list[FlowShown]


@routes.get("/connections")
def list_connections(listing: Annotated[Listing, Query()], here: Here) -> Page[ConnectionShown]:
    """The connections there are."""
    before = _name(listing)
    names = [name for name in here.opened.connections.names() if before is None or name > before]
    return page(listing, names, lambda name: ConnectionShown(name=name), lambda name: (name,))


@routes.get("/connections/{name}/flows")
def list_flows(connection: Connected, here: Here) -> Flows:
    """How the flows of a connection stand: on or off, last run, what waits, when they run next."""
    now, at = datetime.now(UTC), ticking.place(here.opened, connection.name)
    seen = state.snapshot(here.opened.database, None, flows.FLOWS, now)
    there = here.schedules.all(connection.id)
    shown = [_shown(name, connection.id, seen, at, _next(name, there, at, now)) for name in flows.FLOWS]
    return Flows(connection=connection.name, zone=str(at.zone), flows=shown)


def upcoming(one: Schedule, zone: ZoneInfo, now: datetime) -> list[datetime]:
    """When a schedule comes next."""
    return [] if one.paused else rules.upcoming(ticking.parsed(one.spec), zone, now, NEXT)


def _name(listing: Listing) -> str | None:
    found = after(listing, tuple[str])
    return found[0] if found else None


def _next(flow: str, there: Sequence[Schedule], at: ticking.Place, now: datetime) -> list[datetime]:
    mine = [one for one in there if flow in ticking.flows_of(one, there, at.flows)]
    return sorted({slot for one in mine for slot in upcoming(one, at.zone, now)})[:NEXT]


def _shown(flow: str, number: int, seen: state.Snapshot, at: ticking.Place, coming: list[datetime]) -> FlowShown:
    mine = (number, flow)
    one = next((one for one in seen.flows if (one.connection_id, one.flow) == mine), None)
    queue = next((one for one in seen.queues if (one.connection_id, one.flow) == mine), None)
    return FlowShown(
        flow=flow,
        on=flow in at.flows,
        succeeded_at=one.succeeded_at if one else None,
        last_run=RunState.model_validate(one.last) if one and one.last else None,
        last_order=EndedShown.model_validate(one.ended) if one and one.ended else None,
        queued=queue.queued if queue else 0,
        running=queue.running if queue else 0,
        exceptions=sum(held.count for held in seen.held if (held.connection_id, held.flow) == mine),
        next=coming,
    )
