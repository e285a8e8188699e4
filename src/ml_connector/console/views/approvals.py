"""What waits for somebody to agree: plans that a gate stopped, edits of records, versions of the settings.

Rule: whoever looks is told what they can't approve, and why.
Must not know: HTML, requests.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.console.views import records
from ml_connector.console.views.fields import FieldShown, compared
from ml_connector.store.edits import KeptEdit
from ml_connector.store.terms import Place
from ml_connector.store.versions import Version
from ml_connector.sync.orders import COUNTED
from ml_connector.sync.plan import WRITES
from ml_connector.wiring import approving, editing, versions
from ml_connector.wiring.approving import Stopped
from ml_connector.wiring.destined import destined

EDITS_MAX = 100
Names = Mapping[Place, str]


class FirstShown(Shown):
    """What would become of one of the first records."""

    flow: str
    key: str
    called: str = Field(description="What it is called, as far as known.")
    action: str
    target_id: str
    fields: list[FieldShown] = Field(description="What would be other than it is.")


class PlanWaiting(Shown):
    """A plan that a gate stopped: why, how much it is, and its first records."""

    run_id: str
    plan_id: str
    flow: str
    started_at: datetime
    objections: list[str]
    figures: dict[str, int]
    first: list[FirstShown]
    ordered_by: str = Field(description="Empty: a schedule or webhook did, or it was run on the command line.")
    order_id: str
    approved_by: list[str]
    why_not: str = Field(description="Why whoever asks can't approve it; empty: they can, if their roles let them.")


class EditWaiting(Shown):
    """An edit of a record that waits for a second person."""

    number: int
    flow: str
    key: str
    called: str = Field(description="What it is called, as far as known.")
    fields: list[FieldShown]
    reason: str
    person: str
    at: datetime
    why_not: str


class VersionWaiting(Shown):
    """A version of the settings that waits for a second person."""

    number: int
    author: str
    note: str
    made_at: datetime
    effective_at: datetime | None
    secrets: list[str] = Field(description="Which secret would go to which address.")
    why_not: str


class Approvals(Shown):
    """All that waits for somebody to agree."""

    two_persons: bool = Field(description="Whether nobody approves what they ordered or changed themselves.")
    plans: list[PlanWaiting]
    edits: list[EditWaiting]
    versions: list[VersionWaiting]


def approvals(site: Site, name: str, person: str) -> Approvals:
    """What waits, for this person to look at."""
    opened, two = site.opened, versions.present(site.opened, name).profile.two_persons
    edits = list(approving.waiting_edits(opened, name))[:EDITS_MAX]
    plans = approving.stopped(opened, name)
    places = [(one.run.flow, sample["key"]) for one in plans for sample in _writes(one)]
    names = records.names(opened, opened.connections.get(name).id, [*places, *((one.flow, one.key) for one in edits)])
    return Approvals(
        two_persons=two,
        plans=[_plan(one, person, names, two_persons=two) for one in plans],
        edits=[_edit(one, person, names, two_persons=two) for one in edits],
        versions=[_version(one, person, destined(opened, name, one)) for one in versions.waiting(opened, name)],
    )


def _plan(one: Stopped, person: str, names: Names, *, two_persons: bool) -> PlanWaiting:
    report, order = one.report, one.order.order if one.order else None
    return PlanWaiting(
        run_id=one.run.id,
        plan_id=one.plan_id,
        flow=one.run.flow,
        started_at=one.run.started_at,
        objections=report.get("objections", []),
        figures={name: report[name] for name in COUNTED if report.get(name)},
        first=[_first(one.run.flow, sample, names) for sample in _writes(one)],
        ordered_by=order.person if order else "",
        order_id=order.id if order else "",
        approved_by=list(one.approved_by),
        why_not=approving.why_not(one, person, two_persons=two_persons),
    )


def _writes(one: Stopped) -> list[dict[str, Any]]:
    return [sample for sample in one.report.get("samples", []) if sample["action"] in WRITES]


def _first(flow: str, sample: Mapping[str, Any], names: Names) -> FirstShown:
    fields = compared(sample.get("before"), sample.get("after"))
    return FirstShown(
        flow=flow,
        key=shapes.shown_key(sample["key"]),
        called=names.get((flow, sample["key"]), ""),
        action=sample["action"],
        target_id=sample.get("target_id", ""),
        fields=[one for one in fields if one.changed],
    )


def _edit(one: KeptEdit, person: str, names: Names, *, two_persons: bool) -> EditWaiting:
    return EditWaiting(
        number=one.id,
        flow=one.flow,
        key=shapes.shown_key(one.key),
        called=names.get((one.flow, one.key), ""),
        fields=compared(
            {path: values.before for path, values in one.fields.items()},
            {path: values.after for path, values in one.fields.items()},
        ),
        reason=one.reason,
        person=one.person,
        at=one.at,
        why_not=editing.why_not(one, person, two_persons=two_persons),
    )


def _version(one: Version, person: str, secrets: list[str]) -> VersionWaiting:
    return VersionWaiting(
        number=one.number,
        author=one.author,
        note=one.note,
        made_at=one.made_at,
        effective_at=one.effective_at,
        secrets=secrets,
        why_not=versions.why_not(one, person),
    )
