"""A connection at a glance: a verdict, how each flow stands, what waits for a person, what was asked of the systems.

Rule: read in a fixed number of statements; what is told to need a person is what is open and not snoozed.
Must not know: HTML, requests.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import Field

from ml_connector import flows, settings
from ml_connector.console.api.connections import upcoming
from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.console.views import flow_words as words
from ml_connector.engine import schedule as rules
from ml_connector.records.money import plain
from ml_connector.store import overview, state
from ml_connector.store import stakes as sums
from ml_connector.store.connections import Connection
from ml_connector.store.exceptions import Exceptions, Group, Stage
from ml_connector.store.overview import Past
from ml_connector.store.schedules import Schedule
from ml_connector.wiring import causes, ticking, versions
from ml_connector.wiring.further import title

RUNS_BACK = 20
LOUD_MAX = 5  # causes that are told at once
FAILED = ("failed", "died")


class Amount(Shown):
    """An amount, as text, and its currency."""

    amount: str
    currency: str


class Column(Shown):
    """A run among the latest: how much it moved, as a share of the most of them, and what is the matter with it."""

    share: float
    kind: str


class FlowLine(Shown):
    """A flow and how it stands. `kind`, `word`: its state."""

    flow: str
    title: str
    way: str
    on: bool
    kind: str
    word: str
    fresh_at: datetime | None = Field(description="When a run that covered all that had changed last succeeded.")
    last: str = Field(description="What the latest run came to.")
    last_id: str
    error: str
    columns: list[Column]
    columns_said: str
    queued: int
    running: int
    exceptions: int
    next_at: datetime | None


class Loud(Shown):
    """A cause for which records need a person."""

    flow: str
    cause: str
    title: str
    count: int
    stakes: list[Amount]
    oldest_at: datetime


class Budget(Shown):
    """How much was asked of a system within the last hour, of what it allows."""

    system: str
    requests: int
    hourly_max: int
    throttled: int
    held_s: float = Field(description="For how long it lets nobody ask.")

    @property
    def share(self) -> float:
        """How much of what is allowed."""
        return self.requests / self.hourly_max if self.hourly_max else 0.0


class Overview(Shown):
    """A connection at a glance."""

    connection: str
    zone: str
    at: datetime
    verdict: str
    need: int
    stakes: list[Amount]
    approvals: int
    changes: int = Field(description="Changes of the settings that somebody else has to agree to.")
    ran: bool = Field(description="Whether anything has run yet.")
    scheduled: bool
    working: bool = Field(description="Whether any worker is at work.")
    next_at: datetime | None
    blackout_until: datetime | None
    flows: list[FlowLine]
    loud: list[Loud]
    budgets: list[Budget]


def overview_of(here: Site, connection: Connection, seen: state.Snapshot | None = None) -> Overview:
    """How a connection stands now; `seen`: what was read of all connections at once."""
    now, at = datetime.now(UTC), ticking.place(here.opened, connection.name)
    database, number = here.opened.database, connection.id
    seen = seen or state.at_work(database, flows.FLOWS, now)
    there, blackouts = here.schedules.all(number), here.schedules.blackouts(number)
    names = [name for name in flows.FLOWS if name in at.flows or name in at.off]
    past = overview.latest(database, here.opened.vault, number, names, RUNS_BACK)
    groups = Exceptions(database, number).groups(now)
    coming = {name: _next(name, there, at, now) for name in names}
    lines = [_line(name, number, seen, at, past.get(name, []), groups, coming[name]) for name in names]
    need = [one for one in groups if one.stage is Stage.OPEN]
    until = rules.covering([rules.Blackout.parse(one.spec) for one in blackouts], at.zone, now)
    return Overview(
        connection=connection.name,
        zone=str(at.zone),
        at=now,
        verdict=verdict(lines),
        need=sum(one.count for one in need),
        stakes=amounts(sums.total(one.stakes for one in need)),
        approvals=sum(1 for line in lines if line.on and line.word == words.RUN_STATES["blocked"][1]),
        changes=len(versions.waiting(here.opened, connection.name)),
        ran=any(line.last_id for line in lines),
        scheduled=any(not one.paused for one in there),
        working=any(one.lease_s > 0 for one in seen.workers),
        next_at=min((one for one in coming.values() if one), default=None),
        blackout_until=until,
        flows=lines,
        loud=[_loud(one) for one in sorted(need, key=lambda one: -one.count)[:LOUD_MAX]],
        budgets=_budgets(here, connection, past, now),
    )


def verdict(lines: Sequence[FlowLine]) -> str:
    """How the flows stand, in a few words."""
    on = [line for line in lines if line.on]
    failed = [line for line in on if line.kind == "bad"]
    if not on:
        return "All flows are off."
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"{words.name(failed[0].flow).capitalize()}{more} did not get through."
    if at_work := [line for line in on if line.running]:
        return f"At work on {words.name(at_work[0].flow)}."
    if not any(line.last_id for line in on):
        return "Nothing has run yet."
    return "All caught up."


def amounts(stakes: Mapping[str, Decimal]) -> list[Amount]:
    """Amounts as they are told, the largest first."""
    ordered = sorted(stakes.items(), key=lambda one: -one[1])
    return [Amount(amount=plain(amount), currency=currency) for currency, amount in ordered]


def columns(past: Sequence[Past]) -> tuple[list[Column], str]:
    """The latest runs as columns, and in words."""
    each = [words.moved(one.report or {}) for one in past]
    most = max(each, default=0)
    kinds = ["bad" if one.state in FAILED else "warn" if one.state == "blocked" else "" for one in past]
    shares = [moved / most if most else 0.0 for moved in each]
    failed = kinds.count("bad")
    told = f"Records moved by the last {len(past)} runs: {min(each, default=0):,} to {most:,}"
    said = told + (f"; {failed} failed" if failed else "") if past else "No run yet"
    return [Column(share=share, kind=kind) for share, kind in zip(shares, kinds, strict=True)], said


def _line(
    flow: str,
    number: int,
    seen: state.Snapshot,
    at: ticking.Place,
    past: Sequence[Past],
    groups: Sequence[Group],
    next_at: datetime | None,
) -> FlowLine:
    one = next((one for one in seen.flows if (one.connection_id, one.flow) == (number, flow)), None)
    queue = next((one for one in seen.queues if (one.connection_id, one.flow) == (number, flow)), None)
    queued, running = (queue.queued, queue.running) if queue else (0, 0)
    on, latest = flow in at.flows, past[-1] if past else None
    kind, word = _state(one, on=on, queued=queued, running=running)
    shown, said = columns([run for run in past if run.state != "running"])
    return FlowLine(
        flow=flow,
        title=words.title(flow),
        way=words.way(flow),
        on=on,
        kind=kind,
        word=word,
        fresh_at=one.succeeded_at if one else None,
        last=_last(latest),
        last_id=latest.id if latest else "",
        error=_error(one, latest) if kind == "bad" else "",
        columns=shown,
        columns_said=said,
        queued=queued,
        running=running,
        exceptions=sum(group.count for group in groups if group.flow == flow and group.stage is Stage.OPEN),
        next_at=next_at if on else None,
    )


def _last(latest: Past | None) -> str:
    if latest is None or not latest.report:
        return ""
    return "nothing was sent" if latest.state == "blocked" else words.came_to(latest.report)


def _state(one: state.FlowState | None, *, on: bool, queued: int, running: int) -> tuple[str, str]:
    if not on:
        return "idle", "off"
    if running:
        return "busy", "running"
    if one and _gave_up(one):
        return "bad", "failed"
    if one and one.last:
        return words.RUN_STATES.get(one.last.state, ("idle", one.last.state))
    return ("idle", "waits for a worker") if queued else ("idle", "not run yet")


def _gave_up(one: state.FlowState) -> bool:
    """Whether an order failed without so much as a run."""
    ended, last = one.ended, one.last
    if ended is None or ended.state != "failed":
        return False
    return last is None or last.finished_at is None or ended.finished_at > last.finished_at


def _error(one: state.FlowState | None, latest: Past | None) -> str:
    if one and one.ended and _gave_up(one):
        return words.sentence(one.ended.error)
    return words.sentence(str((latest.report or {}).get("error", ""))) if latest else ""


def _loud(one: Group) -> Loud:
    return Loud(
        flow=one.flow,
        cause=one.cause,
        title=causes.title(one.cause),
        count=one.count,
        stakes=amounts(one.stakes),
        oldest_at=one.oldest_at,
    )


def _budgets(here: Site, connection: Connection, past: Mapping[str, Sequence[Past]], now: datetime) -> list[Budget]:
    own = settings.connection(connection.settings)
    sides = {"ifs": own.ifs, "airbase": own.airbase, **own.systems}
    limits = {system: side.requests_max for system, side in sides.items()}
    names = {system: f"{system}/{connection.id}" for system in limits}
    waits = overview.held_back(here.opened.database, names.values())
    lately = [one.report for runs in past.values() for one in runs if one.report and _within(one, now)]
    return [
        Budget(
            system=title(system),
            requests=sum(report.get("requests", {}).get(system, 0) for report in lately),
            hourly_max=60 * limit,
            throttled=sum(report.get("throttled", {}).get(system, 0) for report in lately),
            held_s=round(waits.get(names[system], 0.0), 1),
        )
        for system, limit in limits.items()
    ]


def _within(one: Past, now: datetime) -> bool:
    return one.started_at > now - timedelta(hours=1)


def _next(flow: str, there: Sequence[Schedule], at: ticking.Place, now: datetime) -> datetime | None:
    mine = [one for one in there if flow in ticking.flows_of(one, there, at.flows)]
    return min((slot for one in mine for slot in upcoming(one, at.zone, now)[:1]), default=None)
