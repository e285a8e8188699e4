"""Flows as they are set up: on or off, when they run, what a gate lets through, when nothing starts.

Rule: read in a fixed number of statements; a schedule is told in words and by its next slots.
Must not know: HTML, requests.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from pydantic import Field

from ml_connector import flows, settings
from ml_connector.console.api.connections import NEXT, upcoming
from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.console.views import flow_words as words
from ml_connector.engine import schedule as rules
from ml_connector.errors import SettingsError
from ml_connector.store import state
from ml_connector.store.connections import Connection
from ml_connector.store.schedules import ALL, Blackout, Schedule
from ml_connector.sync.policy import Policy
from ml_connector.wiring import choice, replaying, ticking


class Slots(Shown):
    """A schedule as one would say it, and when it comes next; `error`: why it is none."""

    zone: str
    in_words: str = ""
    next: tuple[datetime, ...] = ()
    error: str = ""


class ScheduleLine(Shown):
    """A schedule. `flow` may be `all`: every flow without one of its own."""

    flow: str
    title: str
    census: bool
    spec: str
    in_words: str
    catch_up: bool
    paused: bool
    runs: list[str]
    next: list[datetime]
    changed_at: datetime
    changed_by: str


class Limits(Shown):
    """What a gate lets through without asking."""

    change: str = Field(description="The share of what is linked that one run may change.")
    leave: str = Field(description="The share of it that one run may switch off.")
    free_max: int = Field(description="So many changes no share counts for.")
    late_waits: bool
    own: bool = Field(description="Whether the connection sets them, other than the flow does.")


class BlackoutLine(Shown):
    """When nothing starts by itself; `flow` may be `all`."""

    id: int
    flow: str
    spec: str
    in_words: str
    reason: str
    changed_at: datetime
    changed_by: str


class FlowSetUp(Shown):
    """A flow as it is set up. `how`: what turns it on in the profile, where it is not."""

    flow: str
    title: str
    way: str
    had: bool
    on: bool
    how: str
    dated: bool
    needs: list[str]
    limits: Limits
    schedules: list[ScheduleLine]
    next: list[datetime]
    fresh_at: datetime | None
    queued: int
    running: int

    @property
    def documents(self) -> bool:
        """Whether it posts."""
        return flows.FLOWS[self.flow].shape == "post"


class FlowsSetUp(Shown):
    """The flows of a connection as they are set up."""

    connection: str
    zone: str
    flows: list[FlowSetUp]
    schedules: list[ScheduleLine]
    blackouts: list[BlackoutLine]
    blackout_until: datetime | None
    two_persons: bool


def set_up(here: Site, connection: Connection) -> FlowsSetUp:
    """How the flows of a connection are set up."""
    now, at = datetime.now(UTC), ticking.place(here.opened, connection.name)
    own = settings.connection(connection.settings)
    there, blackouts = here.schedules.all(connection.id), here.schedules.blackouts(connection.id)
    seen = state.at_work(here.opened.database, flows.FLOWS, now)
    lines = [_line(one, there, at, now) for one in there]
    parsed = [rules.Blackout.parse(one.spec) for one in blackouts]
    return FlowsSetUp(
        connection=connection.name,
        zone=str(at.zone),
        flows=[_flow(name, own, at, lines, seen, connection.id) for name in flows.FLOWS],
        schedules=lines,
        blackouts=[_blackout(one) for one in blackouts],
        blackout_until=rules.covering(parsed, at.zone, now),
        two_persons=own.profile.two_persons,
    )


def echo(here: Site, connection: Connection, spec: str) -> Slots:
    """What a schedule would mean."""
    at = ticking.place(here.opened, connection.name)
    try:
        parsed = rules.parse(spec)
    except SettingsError as error:
        return Slots(zone=str(at.zone), error=words.sentence(str(error)))
    told = rules.in_words(parsed)
    return Slots(zone=str(at.zone), in_words=told, next=tuple(rules.upcoming(parsed, at.zone, datetime.now(UTC), NEXT)))


def echo_blackout(here: Site, connection: Connection, spec: str) -> Slots:
    """What a blackout would mean."""
    zone, now = ticking.place(here.opened, connection.name).zone, datetime.now(UTC)
    try:
        parsed = rules.Blackout.parse(spec)
    except SettingsError as error:
        return Slots(zone=str(zone), error=words.sentence(str(error)))
    told = _in_words(parsed)
    if isinstance(parsed.start, datetime):
        return Slots(zone=str(zone), in_words=told, next=(parsed.start.replace(tzinfo=zone).astimezone(UTC),))
    return Slots(zone=str(zone), in_words=told, next=tuple(rules.upcoming(parsed.start, zone, now, NEXT)))


def _flow(
    name: str,
    own: settings.Connection,
    at: ticking.Place,
    lines: Sequence[ScheduleLine],
    seen: state.Snapshot,
    number: int,
) -> FlowSetUp:
    flow = flows.FLOWS[name]
    one = next((one for one in seen.flows if (one.connection_id, one.flow) == (number, name)), None)
    queue = next((one for one in seen.queues if (one.connection_id, one.flow) == (number, name)), None)
    mine = [line for line in lines if name in line.runs or line.flow == name]
    return FlowSetUp(
        flow=name,
        title=flow.title,
        way=words.way(name),
        had=name in at.flows or name in at.off,
        on=name in at.flows,
        how=choice.how(name),
        dated=replaying.has_days(name),
        needs=list(flow.needs),
        limits=_limits(flow.policy, own.profile.gate.get(name), own.profile.posting),
        schedules=mine,
        next=sorted({slot for line in mine for slot in line.next})[:NEXT] if name in at.flows else [],
        fresh_at=one.succeeded_at if one else None,
        queued=queue.queued if queue else 0,
        running=queue.running if queue else 0,
    )


def _limits(policy: Policy, gate: settings.Gate | None, posting: dict[str, object]) -> Limits:
    given = {
        name: value for name, value in msgspec.structs.asdict(gate or settings.Gate()).items() if value is not None
    }
    limits = msgspec.structs.replace(policy, **given)
    return Limits(
        change=f"{limits.change_share_max:.0%}",
        leave=f"{limits.deactivate_share_max:.0%}",
        free_max=limits.free_max,
        late_waits=bool(posting.get("late_needs_approval", False)),
        own=bool(given),
    )


def _line(one: Schedule, there: Sequence[Schedule], at: ticking.Place, now: datetime) -> ScheduleLine:
    return ScheduleLine(
        flow=one.flow,
        title="All flows without a schedule of their own" if one.flow == ALL else words.called(one.flow),
        census=one.census,
        spec=one.spec,
        in_words=rules.in_words(ticking.parsed(one.spec)),
        catch_up=one.catch_up,
        paused=one.paused,
        runs=list(ticking.flows_of(one, there, at.flows)),
        next=upcoming(one, at.zone, now),
        changed_at=one.changed_at,
        changed_by=one.changed_by,
    )


def _blackout(one: Blackout) -> BlackoutLine:
    return BlackoutLine(
        id=one.id,
        flow=one.flow,
        spec=one.spec,
        in_words=_in_words(rules.Blackout.parse(one.spec)),
        reason=one.reason,
        changed_at=one.changed_at,
        changed_by=one.changed_by,
    )


def _in_words(one: rules.Blackout) -> str:
    when = f"{one.start:%a %d %b %Y %H:%M}" if isinstance(one.start, datetime) else rules.in_words(one.start)
    return f"{when}, for {_lasting(one.span)}"


def _lasting(span: timedelta) -> str:
    hours, rest = divmod(span, timedelta(hours=1))
    return f"{hours} h" if not rest else f"{span // timedelta(minutes=1)} min"
