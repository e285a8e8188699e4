"""Approving what a gate stopped: which plans wait, who may let one through, and the order that then carries it out.

Rule: where two persons are asked for, who ordered a run does not approve its plan; the order that follows is theirs, so
that it passes by the other one's approval alone.
Must not know: how anything is shown.
"""

from collections.abc import Collection
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.store.orders import Orders, Placed
from ml_connector.store.runs import WHOLE, Run, Runs
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.wiring import agreeing, editing, replaying, versions
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.opened import Opened, approvals

BACK = timedelta(days=30)
PLANS_MAX, ORDERS_MAX = 100, 1000


class Stopped(msgspec.Struct, frozen=True):
    """A plan that waits: the run that made it, the order that asked for that run, who approved it by now.

    `behind`: who ordered it, and who made the token that did. `order` None: it was run on the command line, or is too
    long ago.
    """

    run: Run
    order: Placed | None
    approved_by: tuple[str, ...]
    behind: frozenset[str] = frozenset()

    @property
    def plan_id(self) -> str:
        """What is approved."""
        return self.report["plan_id"]

    @property
    def report(self) -> dict[str, Any]:
        """What the run reported."""
        return self.run.report or {}


def stopped(opened: Opened, name: str) -> list[Stopped]:
    """Plans that wait for somebody, the latest first; of equal ones the latest."""
    since, number, kept = datetime.now(UTC) - BACK, opened.connections.get(name).id, approvals(opened, name)
    runs = Runs(opened.database, opened.vault, number).stopped(since, PLANS_MAX)
    orders = {one.run_id: one for one in Orders(opened.database).stopped(number, ORDERS_MAX)} if runs else {}
    makers = agreeing.makers(opened, {one.order.person for one in orders.values()})
    used, given = kept.used(since), kept.given()
    found: dict[tuple[str, str], Stopped] = {}
    for run in runs:
        plan_id = (run.report or {}).get("plan_id", "")
        if plan_id and (plan_id not in used or used[plan_id] < run.started_at):
            by = tuple(one.person for one in given if one.plan_id == plan_id)
            order = orders.get(run.id)
            behind = {order.order.person, *makers.get(order.order.person, ())} if order else set[str]()
            found.setdefault((run.flow, plan_id), Stopped(run, order, by, frozenset(behind)))
    return list(found.values())


def why_not(one: Stopped, person: str, *, two_persons: bool) -> str:
    """Why somebody can't approve a plan; "" when they can."""
    if not two_persons or one.order is None:
        return ""
    return agreeing.why_not(person, "ordered it", one.order.order.person, one.behind, "approve it")


def approve(opened: Opened, name: str, run_id: str, person: str) -> Order | None:
    """Let the plan of a run through; the order that carries it out, None where that is to be run again.

    Raises: SettingsError.
    """
    one = next((one for one in stopped(opened, name) if one.run.id == run_id), None)
    if one is None:
        raise SettingsError("this plan waits for nobody any more; a later run took its place")
    two = versions.present(opened, name).profile.two_persons
    if why := why_not(one, person, two_persons=two):
        raise SettingsError(why)
    approvals(opened, name).give(one.plan_id, person)
    return _again(one) if one.order or two or one.run.kind != WHOLE else _anew(one.run, opened, name, person)


def _anew(run: Run, opened: Opened, name: str, person: str) -> Order:
    """The order of who approves what nobody ordered; where it takes two, that would be one."""
    return Order(f"approved/{run.id}", opened.connections.get(name).id, run.flow, Extent(), Cause.PERSON, person)


def _again(one: Stopped) -> Order | None:
    """The order that makes the same plan once more, as whoever ordered the first."""
    if one.order is None:
        return None
    order = one.order.order
    cause = Cause.PERSON if order.person else order.cause
    return Order(f"approved/{one.run.id}", order.connection_id, order.flow, order.extent, cause, order.person)


def approve_edit(opened: Opened, name: str, number: int, person: str) -> Order:
    """Agree to an edit; the order that takes it into account. Raises: SettingsError, BusyError."""
    agreed = editing.of(opened, name).get(number)
    if agreed.approved_by != person or agreed.ended_at:  # who agrees twice has agreed
        with closing(Joined(opened, name, person=person)) as both:
            agreed = editing.approve(both, number)
    (order,) = replaying.orders_for(opened, name, {agreed.flow: [agreed.key]}, person)
    return msgspec.structs.replace(order, id=f"edit/{number}")


def waiting_edits(opened: Opened, name: str) -> Collection[editing.KeptEdit]:
    """Edits that wait for a second person."""
    return [one for one in editing.of(opened, name).listed() if one.waits]
