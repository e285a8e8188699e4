"""Runs over HTTP: what ran, and what it came to.

Rule: figures and states, no records.
Must not know: what a run does.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import Connected, Listing, Page, Shown, Text
from ml_connector.console.auth import Guarded
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.console.views import runs as views
from ml_connector.console.views.runs import RunView
from ml_connector.store.runs import Run, Runs
from ml_connector.sync.orders import COUNTED

routes = APIRouter(tags=["runs"], route_class=Guarded)
At = tuple[datetime, Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[0-9a-f]+\Z")]]


class RunShown(Shown):
    """A run, or a plan."""

    id: str
    flow: str
    kind: str = Field(description="`run` or `plan`.")
    state: str
    started_at: datetime
    finished_at: datetime | None
    figures: dict[str, int] = Field(description="What was counted, without what is zero.")
    requests: dict[str, int] = Field(description="Requests to each system.")
    plan_id: str
    objections: list[str] = Field(description="Why a gate stopped it.")
    error: str


class RunListing(Listing):
    """Which runs."""

    flow: Text = Field("", description="Only of this flow.")


@routes.get("/connections/{name}/runs")
def list_runs(listing: Annotated[RunListing, Query()], connection: Connected, here: Here) -> Page[RunShown]:
    """What ran, newest first."""
    at = shapes.after(listing, At)
    kept = Runs(here.opened.database, here.opened.vault, connection.id)
    rows = kept.recent(listing.limit + 1, listing.flow or None, (shapes.zoned(at[0]), at[1]) if at else None)
    return shapes.page(listing, rows, _shown, lambda run: (run.started_at, run.id))


@routes.get("/connections/{name}/runs/{run_id}")
def get_run(
    connection: Connected, here: Here, run_id: Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]
) -> RunView:
    """One run in full."""
    found = views.one(here, connection, run_id)
    if found is None:
        raise absent("there is no such run; old ones are forgotten after a while")
    return found


def _shown(run: Run) -> RunShown:
    report: dict[str, Any] = run.report or {}
    return RunShown(
        id=run.id,
        flow=run.flow,
        kind=run.kind,
        state=run.state,
        started_at=run.started_at,
        finished_at=run.finished_at,
        figures={name: report[name] for name in COUNTED if report.get(name)},
        requests=report.get("requests", {}),
        plan_id=report.get("plan_id", ""),
        objections=report.get("objections", []),
        error=report.get("error", ""),
    )
