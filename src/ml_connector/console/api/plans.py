"""Plans and replays over HTTP: what would happen, and have records looked at again.

Rule: a plan reads both systems and writes nothing; only so many are made at a time.
Must not know: what is decided about a record.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field, StrictBool

from ml_connector.console.api import orders, shapes
from ml_connector.console.api.orders import Ordered
from ml_connector.console.api.shapes import Asked, Connected, Key, Shown, Text
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.looking_ahead import joined
from ml_connector.console.refusals import documented
from ml_connector.console.site import Here, Site
from ml_connector.console.views import replay as replay_view
from ml_connector.sync.orders import COUNTED, Extent
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Decision
from ml_connector.sync.report import Report
from ml_connector.wiring import replaying
from ml_connector.wiring.replaying import Choice, Preview, Prospect

routes = APIRouter(tags=["plans"], route_class=Guarded)
FLOWS_MAX = 50
SHOWN_MAX = 500
Reading = documented(403, 502)


class HeldShown(Shown):
    """Why a record waits, what to do, and who does it."""

    cause: str
    sentence: str
    remedy: str
    owner: str


class DecisionShown(Shown):
    """What would become of one record, from what to what."""

    key: str
    action: str
    target_id: str
    before: Any
    after: Any
    held: HeldShown | None


class PlanShown(Shown):
    """What a run of a flow would do: counted, and the first records of each kind."""

    flow: str
    plan_id: str
    figures: dict[str, int]
    objections: list[str] = Field(description="Why a gate would stop it.")
    first: list[DecisionShown]


class PlansShown(Shown):
    """What runs would do."""

    connection: str
    flows: list[PlanShown]


class PlanAsked(Asked):
    """What to plan; all flows when none is named."""

    flows: list[Text] = Field([], max_length=FLOWS_MAX)
    census: StrictBool = Field(False, description="Compare everything on both sides, not only what changed.")


class ReplayAsked(Asked):
    """Which records: these, or those that need a person: all, or by flow, by cause, by when they began to."""

    keys: list[Key] = Field([], max_length=replaying.IDS_MAX, description="Records; of several parts A/B.")
    flow: Text = ""
    cause: Text = ""
    since: Annotated[Text, Field(description="2h, 3d, 2026-09-01 or 2026-09-01T14:30, in the connection's zone.")] = ""


class ProspectShown(Shown):
    """What would become of one record."""

    flow: str
    key: str
    would: str
    target_id: str
    before: Any
    after: Any
    held: HeldShown | None


class ReplayShown(Shown):
    """What a replay would do: counted by flow, and the first records; `left`: how many more there are."""

    connection: str
    counts: dict[str, dict[str, int]]
    first: list[ProspectShown]
    left: int


@routes.post("/connections/{name}/plan", responses=Reading)
def make_plan(asked: PlanAsked, connection: Connected, here: Here, who: Operator) -> PlansShown:
    """What a run would do now. It reads both systems, so it takes as long as that takes; nothing is written."""
    with joined(here, connection.name, who.person) as both:
        made = both.plan(asked.flows, extent=Extent(census=asked.census))
    return PlansShown(connection=connection.name, flows=[_plan(report) for report in made])


@routes.get("/connections/{name}/replay")
def get_replay(asked: Annotated[ReplayAsked, Query()], connection: Connected, here: Here) -> replay_view.Asked:
    """Which records a replay would look at again: how many of each flow, and the first of them."""
    return replay_view.asked(here.opened, connection, _chosen(asked, here, connection.name), asked.flow, asked.cause)


@routes.post("/connections/{name}/replay", status_code=202, responses=documented(403))
def replay(asked: ReplayAsked, connection: Connected, here: Here, who: Operator) -> Ordered:
    """Look at records again, whatever is remembered of them: a worker does it. No orders: no record fits."""
    chosen = _chosen(asked, here, connection.name)
    return orders.place(here, replaying.orders_for(here.opened, connection.name, chosen, who.person))


@routes.post("/connections/{name}/replay/plan", responses=Reading)
def plan_replay(asked: ReplayAsked, connection: Connected, here: Here, who: Operator) -> ReplayShown:
    """What a replay would do: would create, is there already, would change, is still blocked. Nothing is written."""
    chosen = _chosen(asked, here, connection.name)
    if not chosen:
        return ReplayShown(connection=connection.name, counts={}, first=[], left=0)
    with joined(here, connection.name, who.person) as both:
        would = replaying.preview(both, chosen, SHOWN_MAX)
    return _preview(connection.name, would)


def _chosen(asked: ReplayAsked, here: Site, name: str) -> dict[str, list[str]]:
    zone = replaying.zone_of(here.opened, name)
    since = replaying.moment(asked.since, zone, datetime.now(UTC)) if asked.since else None
    return replaying.select(here.opened, name, Choice(tuple(asked.keys), asked.flow, asked.cause, since))


def _plan(report: Report) -> PlanShown:
    return PlanShown(
        flow=report.flow,
        plan_id=report.plan_id,
        figures={name: count for name in COUNTED if (count := getattr(report, name))},
        objections=list(report.objections),
        first=_decisions(report.samples),
    )


def _decisions(samples: Sequence[Decision]) -> list[DecisionShown]:
    return [DecisionShown(action=str(one.action), **_told(one)) for one in samples]


def _preview(name: str, would: Preview) -> ReplayShown:
    counts = {flow: {str(one): count for one, count in counted.items()} for flow, counted in would.counts.items()}
    first = [ProspectShown(flow=one.flow, would=str(one.would), **_told(one)) for one in would.first]
    return ReplayShown(connection=name, counts=counts, first=first, left=would.left)


def _told(one: Decision | Prospect) -> dict[str, Any]:
    values = {name: msgspec.to_builtins(getattr(one, name)) for name in ("before", "after")}
    return {"key": shapes.shown_key(one.key), "target_id": one.target_id, "held": _held(one.held), **values}


def _held(held: Held | None) -> HeldShown | None:
    if held is None:
        return None
    return HeldShown(cause=held.cause, sentence=held.sentence, remedy=held.remedy, owner=str(held.owner))
