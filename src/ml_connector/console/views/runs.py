"""Runs and orders as people see them: what is at work, what ran and what it came to, one of them in full.

Rule: figures and states, no records; how long something still takes is told by the last run of the flow.
Must not know: HTML, requests.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import Listing, Page, Shown
from ml_connector.console.site import Site
from ml_connector.console.views import flow_words as words
from ml_connector.store import overview
from ml_connector.store.connections import Connection
from ml_connector.store.orders import Placed
from ml_connector.store.runs import Run, Runs
from ml_connector.sync.orders import COUNTED, Extent, State
from ml_connector.wiring.further import title

KEYS_SHOWN = 20
STAGES = {
    "look": "looking at the target",
    "compare": "comparing both sides",
    "read": "reading the source",
    "write": "writing to the target",
}
_At = tuple[datetime, Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[0-9a-f]+\Z")]]


class Figure(Shown):
    """Something that was counted."""

    label: str
    count: int


class RunView(Shown):
    """A run, or a plan. `kind`, `word`: its state."""

    id: str
    flow: str
    title: str
    planned: bool
    partial: bool = Field(description="Whether only some records were looked at.")
    census: bool
    kind: str
    word: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    came_to: str
    figures: list[Figure]
    requests: dict[str, int]
    throttled: dict[str, int]
    plan_id: str
    objections: list[str]
    warnings: list[str]
    error: str

    @property
    def stopped(self) -> bool:
        """Whether a gate stopped it."""
        return bool(self.objections) and not self.planned


class OrderView(Shown):
    """An order, how far it is, and what became of it. Units: left_s by the last run of the flow."""

    id: str
    connection: str
    flow: str
    title: str
    kind: str
    word: str
    over: bool
    cause: str
    person: str
    what: str
    keys: list[str]
    attempts: int
    placed_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    run_id: str
    stage: str
    done: int
    share: float = Field(description="How much of it is over, by how long the last run took; 0: not known.")
    left_s: float | None
    came_to: str
    figures: list[Figure]
    error: str


class AtWork(Shown):
    """What of a connection waits or is carried out."""

    orders: list[OrderView]


def listed(here: Site, connection: Connection, listing: Listing, flow: str = "") -> Page[RunView]:
    """What ran, newest first."""
    at = shapes.after(listing, _At)
    kept = Runs(here.opened.database, here.opened.vault, connection.id)
    rows = kept.recent(listing.limit + 1, flow or None, (shapes.zoned(at[0]), at[1]) if at else None)
    return shapes.page(listing, rows, shown, lambda run: (run.started_at, run.id))


def one(here: Site, connection: Connection, run_id: str) -> RunView | None:
    """A run."""
    found = Runs(here.opened.database, here.opened.vault, connection.id).get(run_id)
    return shown(found) if found else None


def at_work(here: Site, connection: Connection) -> AtWork:
    """What waits or is carried out, in the order in which it is taken."""
    mine = [one for one in here.orders.open() if one.connection_id == connection.id]
    told = [Placed(one, None, None, "", "", {}, "") for one in mine[:KEYS_SHOWN]]
    return AtWork(orders=[_order(one, connection.name, None) for one in told])


def order(here: Site, connection: Connection, order_id: str) -> OrderView | None:
    """An order of a connection."""
    found = here.orders.get(order_id)
    if found is None or found.order.connection_id != connection.id:
        return None
    usual_s = None
    if found.order.state is State.RUNNING and not found.order.extent.partial:
        usual_s = _usual_s(here, connection, found.order.flow)
    return _order(found, connection.name, usual_s)


def shown(run: Run) -> RunView:
    """A run as it is told."""
    report: dict[str, Any] = run.report or {}
    kind, word = words.RUN_STATES.get("plan" if run.kind == "plan" else run.state, ("idle", run.state))
    return RunView(
        id=run.id,
        flow=run.flow,
        title=words.title(run.flow),
        planned=run.kind == "plan",
        partial=run.kind == "some",
        census=bool(report.get("census")),
        kind=kind,
        word=word,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=(run.finished_at - run.started_at).total_seconds() if run.finished_at else None,
        came_to="nothing was sent" if run.state == "blocked" else words.came_to(report) if report else "",
        figures=figures(report),
        requests={title(system): n for system, n in report.get("requests", {}).items()},
        throttled={title(system): n for system, n in report.get("throttled", {}).items() if n},
        plan_id=report.get("plan_id", ""),
        objections=[words.sentence(one) for one in report.get("objections", [])],
        warnings=report.get("warnings", []),
        error=words.sentence(str(report.get("error", ""))),
    )


def figures(report: Mapping[str, Any]) -> list[Figure]:
    """What was counted, without what is zero."""
    return [Figure(label=words.LABELS[one], count=report[one]) for one in COUNTED if report.get(one)]


def _order(found: Placed, name: str, usual_s: float | None) -> OrderView:
    order, over = found.order, found.finished_at is not None
    kind, word = words.ORDER_STATES[order.state]
    spent_s = (datetime.now(UTC) - found.started_at).total_seconds() if found.started_at else 0.0
    share = min(spent_s / usual_s, 0.97) if usual_s else 0.0
    progress = found.progress
    return OrderView(
        id=order.id,
        connection=name,
        flow=order.flow,
        title=words.title(order.flow),
        kind=kind,
        word=word,
        over=over,
        cause=words.CAUSES[order.cause],
        person=order.person,
        what=_what(order.extent),
        keys=[shapes.shown_key(key) for key in order.extent.keys[:KEYS_SHOWN]],
        attempts=order.attempts,
        placed_at=order.placed_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
        run_id=found.run_id,
        stage=STAGES.get(progress.stage, progress.stage) if progress else "",
        done=progress.done if progress else 0,
        share=round(share, 3),
        left_s=max(0.0, usual_s - spent_s) if usual_s else None,
        came_to="nothing was sent" if order.state is State.BLOCKED else words.came_to(found.figures),
        figures=figures(found.figures),
        error=words.sentence(found.error),
    )


def _what(extent: Extent) -> str:
    if extent.keys:
        return f"{len(extent.keys):,} record{'s' if len(extent.keys) != 1 else ''}"
    if extent.since:
        return f"everything dated from {extent.since} on"
    return "everything on both sides" if extent.census else "what has changed"


def _usual_s(here: Site, connection: Connection, flow: str) -> float | None:
    """How long the last whole run of a flow took."""
    past = overview.latest(here.opened.database, here.opened.vault, connection.id, [flow], 2).get(flow, [])
    took = [(run.finished_at - run.started_at).total_seconds() for run in past if run.finished_at and run.report]
    return max(took[-1], 0.5) if took else None
