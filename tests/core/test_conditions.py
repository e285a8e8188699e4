"""What is alarming, in a controller's words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from ml_connector.store.leases import WorkerRow
from ml_connector.store.state import Ended, FlowState, Held, Queue, Run, Snapshot, Waiting
from ml_connector.wiring.conditions import conditions, spoken

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALM = Snapshot(
    NOW, {7: "acme", 8: "other"}, {7: NOW - 90 * HOUR, 8: NOW}, workers=(WorkerRow("w", "h", 1, "1", 4, NOW, 9.0),)
)


def run(state: str, hours: float = 1) -> Run:
    return Run("r", state, NOW - hours * HOUR, NOW - hours * HOUR)


def flow(whole: Run | None, last: Run | None = None, ended: Ended | None = None, hours: float = 1) -> FlowState:
    return FlowState(7, "payments", NOW - hours * HOUR, whole, last or whole, ended)


def firing(now: Snapshot, **limits: timedelta) -> dict[str, str]:
    return {one.name: one.sentence for one in conditions(now, 7, limits) if one.firing}


def test_a_calm_day() -> None:
    assert firing(replace(CALM, flows=(flow(run("done")),)), payments=2 * HOUR) == {}


def test_no_good_run_for_too_long() -> None:
    now = replace(CALM, flows=(flow(run("failed"), hours=3),))
    assert firing(now, payments=2 * HOUR)["dead-man/payments"] == ("No successful run of payments for 3 h (limit 2 h).")
    assert "dead-man/payments" not in firing(now, payments=4 * HOUR)


def test_never_a_good_run_counts_from_the_connection_on() -> None:
    assert firing(CALM, purchase_orders=2 * HOUR) == {
        "dead-man/purchase_orders": "No successful run of purchase orders yet (limit 2 h)."
    }
    assert firing(replace(CALM, created={7: NOW - HOUR, 8: NOW}), purchase_orders=2 * HOUR) == {}


@pytest.mark.parametrize(
    ("state", "fires"),
    [
        (flow(run("failed")), True),
        (flow(run("died")), False),  # another worker carries on
        (flow(run("stopped")), False),
        (flow(run("done")), False),
        (flow(run("failed", 2), run("done", 1)), True),  # a run of some records proves little
        (flow(run("done", 2), run("failed", 1)), True),
        (flow(run("done", 2), ended=Ended("failed", "", "no", NOW - HOUR)), True),  # before the run could begin
        (flow(run("done", 1), ended=Ended("failed", "", "no", NOW - 2 * HOUR)), False),
        (flow(None, ended=Ended("failed", "", "no", NOW)), True),
    ],
)
def test_a_failed_run(state: FlowState, fires: bool) -> None:
    assert ("failed/payments" in firing(replace(CALM, flows=(state,)))) == fires


def test_why_it_failed() -> None:
    why = Ended("failed", "r", "IFS, read suppliers:\n no answer" + "x" * 900, NOW)
    said = firing(replace(CALM, flows=(flow(run("failed"), ended=why),)))["failed/payments"]
    assert said.startswith("The last run of payments failed: IFS, read suppliers: no answerxxx")
    assert len(said) < 400


def test_a_plan_that_waits() -> None:
    now = replace(CALM, flows=(flow(run("blocked")),))
    assert firing(now) == {"approval/payments": "A plan of payments waits for approval."}


def test_records_that_need_a_person() -> None:
    held = (
        Held(7, "payments", "closed_period", 9, 3, NOW, {"EUR": Decimal(41000), "USD": Decimal("1.5")}),
        Held(7, "payments", "no_account", 3, 0, NOW, {"EUR": Decimal("200.10")}),
        Held(7, "suppliers", "doubled", 1, 0, NOW, {}),
        Held(8, "payments", "no_account", 3, 0, NOW, {}),
    )
    assert firing(replace(CALM, held=held)) == {
        "exceptions/payments": "12 records need a person, EUR 41,200.10, USD 1.5 held, 3 new (payments).",
        "exceptions/suppliers": "1 record needs a person (suppliers).",
    }


def test_what_waits_for_too_long() -> None:
    waiting = (Waiting(7, "airbase", 5, NOW - timedelta(minutes=12)), Waiting(7, "ifs", 5, NOW - timedelta(minutes=1)))
    queues = (Queue(7, "payments", 1, 0, NOW - HOUR), Queue(7, "suppliers", 0, 1, None))
    assert firing(replace(CALM, waiting=waiting, queues=queues)) == {
        "webhooks/airbase": "Webhooks of airbase wait for 12 min.",
        "orders": "Ordered runs wait for 60 min.",
    }


def test_nobody_at_work() -> None:
    assert list(firing(replace(CALM, workers=()))) == ["workers"]
    assert list(firing(replace(CALM, workers=(replace(CALM.workers[0], lease_s=-1.0),)))) == ["workers"]


def test_lengths_of_time() -> None:
    spans = (timedelta(seconds=-5), timedelta(minutes=119), 2 * HOUR, 47 * HOUR, 48 * HOUR)
    assert [spoken(one) for one in spans] == ["0 min", "119 min", "2 h", "47 h", "2 days"]
