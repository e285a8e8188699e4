"""Schedules and blackouts over HTTP.

Rule: a schedule is kept only when it is right and comes; every change is journalled with the token's name.
Must not know: how a slot becomes an order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StrictBool

from ml_connector.console.api.connections import upcoming
from ml_connector.console.api.shapes import NUMBER_MAX, Asked, Connected, FlowPath, Shown, Text
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import absent, documented
from ml_connector.console.site import Here
from ml_connector.engine import schedule as rules
from ml_connector.errors import SettingsError
from ml_connector.store.connections import Connection
from ml_connector.store.schedules import ALL, Blackout, Schedule
from ml_connector.wiring import choice, ticking

routes = APIRouter(tags=["schedules"], route_class=Guarded)
BLACKOUTS_MAX = 1000
Census = Annotated[bool, Query(description="The schedule of the full comparison.")]


class ScheduleShown(Shown):
    """When a flow runs by itself; `flow` may be `all`: every flow without a schedule of its own."""

    flow: str
    census: bool
    spec: str
    in_words: str
    runs: list[str] = Field(description="The flows that it runs.")
    catch_up: bool
    paused: bool
    last_slot: datetime
    changed_at: datetime
    changed_by: str
    next: list[datetime]


class SchedulesShown(Shown):
    """The schedules of a connection."""

    connection: str
    zone: str
    schedules: list[ScheduleShown]


class ScheduleAsked(Asked):
    """When a flow is to run."""

    spec: Text = Field(description='Cron "*/15 * * * *" in the connection\'s zone, or "every 15m".')
    census: StrictBool = Field(False, description="The schedule of the full comparison.")
    catch_up: StrictBool = Field(True, description="Run once after a downtime in which slots were missed.")


class BlackoutShown(Shown):
    """When nothing starts by itself; `flow` may be `all`."""

    id: int
    flow: str
    spec: str
    reason: str
    changed_at: datetime
    changed_by: str


class BlackoutsShown(Shown):
    """The blackouts of a connection; `until` null: nothing is blacked out now."""

    connection: str
    zone: str
    until: datetime | None
    blackouts: list[BlackoutShown]


class BlackoutAsked(Asked):
    """When nothing is to start by itself."""

    spec: Text = Field(description='"2026-10-31T18:00/2026-11-03T06:00", or "0 18 L * * for 60h".')
    flow: Text = Field(ALL, description="Only this flow.")
    reason: Text = ""


@routes.get("/connections/{name}/schedules")
def list_schedules(connection: Connected, here: Here) -> SchedulesShown:
    """The schedules of a connection."""
    there, at = here.schedules.all(connection.id), ticking.place(here.opened, connection.name)
    shown = [_shown(one, there, at) for one in there]
    return SchedulesShown(connection=connection.name, zone=str(at.zone), schedules=shown)


@routes.put("/connections/{name}/schedules/{flow}", responses=documented(403))
def set_schedule(
    flow: FlowPath, asked: ScheduleAsked, connection: Connected, here: Here, who: Operator
) -> ScheduleShown:
    """Set a schedule, or replace the one of the same flow; `all`: every flow without one of its own."""
    _check(flow, ticking.place(here.opened, connection.name))
    rules.parse(asked.spec)
    here.schedules.set(
        connection.id, flow, asked.spec.strip(), who.person, census=asked.census, catch_up=asked.catch_up
    )
    return _found(here, connection, flow, asked.census)


@routes.delete("/connections/{name}/schedules/{flow}", status_code=204, responses=documented(403))
def remove_schedule(
    flow: FlowPath, connection: Connected, here: Here, who: Operator, census: Census = False
) -> Response:
    """Forget a schedule."""
    if not here.schedules.remove(connection.id, flow, who.person, census=census):
        raise _none(flow)
    return Response(status_code=204)


@routes.post("/connections/{name}/schedules/{flow}/pause", responses=documented(403))
def pause_schedule(
    flow: FlowPath, connection: Connected, here: Here, who: Operator, census: Census = False
) -> ScheduleShown:
    """Stop a schedule for now."""
    return _paused(here, connection, flow, who.person, census=census, paused=True)


@routes.post("/connections/{name}/schedules/{flow}/resume", responses=documented(403))
def resume_schedule(
    flow: FlowPath, connection: Connected, here: Here, who: Operator, census: Census = False
) -> ScheduleShown:
    """Go on with a schedule; what was due meanwhile is not made up for."""
    return _paused(here, connection, flow, who.person, census=census, paused=False)


@routes.get("/connections/{name}/blackouts")
def list_blackouts(connection: Connected, here: Here) -> BlackoutsShown:
    """The blackouts of a connection."""
    there, at = here.schedules.blackouts(connection.id), ticking.place(here.opened, connection.name)
    until = rules.covering([rules.Blackout.parse(one.spec) for one in there], at.zone, datetime.now(UTC))
    shown = [BlackoutShown.model_validate(one) for one in there]
    return BlackoutsShown(connection=connection.name, zone=str(at.zone), until=until, blackouts=shown)


@routes.post("/connections/{name}/blackouts", status_code=201, responses=documented(403))
def add_blackout(asked: BlackoutAsked, connection: Connected, here: Here, who: Operator) -> BlackoutShown:
    """Add a blackout, such as month-end close; afterwards, one run catches up."""
    _check(asked.flow, ticking.place(here.opened, connection.name))
    rules.Blackout.parse(asked.spec)
    if len(here.schedules.blackouts(connection.id)) >= BLACKOUTS_MAX:
        raise SettingsError(f"there are {BLACKOUTS_MAX:,} blackouts already; remove those that are over")
    number = here.schedules.add_blackout(connection.id, asked.flow, asked.spec.strip(), asked.reason, who.person)
    return next(BlackoutShown.model_validate(one) for one in _blackouts(here, connection) if one.id == number)


@routes.delete("/connections/{name}/blackouts/{number}", status_code=204, responses=documented(403))
def remove_blackout(
    number: Annotated[int, Path(ge=1, le=NUMBER_MAX)], connection: Connected, here: Here, who: Operator
) -> Response:
    """Remove a blackout."""
    if not here.schedules.remove_blackout(connection.id, number, who.person):
        raise absent("there is no blackout of this number")
    return Response(status_code=204)


def _blackouts(here: Here, connection: Connection) -> list[Blackout]:
    return here.schedules.blackouts(connection.id)


def _check(flow: str, at: ticking.Place) -> None:
    if flow != ALL:
        choice.chosen([flow], {*at.flows, *at.off})


def _paused(here: Here, connection: Connection, flow: str, person: str, *, census: bool, paused: bool) -> ScheduleShown:
    if not here.schedules.pause(connection.id, flow, person, census=census, paused=paused):
        raise _none(flow)
    return _found(here, connection, flow, census)


def _none(flow: str) -> Exception:
    return absent(f"there is no such schedule of {flow}")


def _found(here: Here, connection: Connection, flow: str, census: bool) -> ScheduleShown:
    there, at = here.schedules.all(connection.id), ticking.place(here.opened, connection.name)
    for one in there:
        if (one.flow, one.census) == (flow, census):
            return _shown(one, there, at)
    raise _none(flow)


def _shown(one: Schedule, there: Sequence[Schedule], at: ticking.Place) -> ScheduleShown:
    return ScheduleShown(
        flow=one.flow,
        census=one.census,
        spec=one.spec,
        in_words=rules.in_words(ticking.parsed(one.spec)),
        runs=list(ticking.flows_of(one, there, at.flows)),
        catch_up=one.catch_up,
        paused=one.paused,
        last_slot=one.last_slot,
        changed_at=one.changed_at,
        changed_by=one.changed_by,
        next=upcoming(one, at.zone, datetime.now(UTC)),
    )
