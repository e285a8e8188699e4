"""Figures are right, cheap, and for those who may see them; the dashboard asks only for what there is."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from ml_connector import wiring
from ml_connector.console import metrics
from ml_connector.console.figures import quantile
from ml_connector.errors import StoreError
from ml_connector.settings import Airbase, Connection, Ifs
from ml_connector.store import tallies
from ml_connector.store.leases import WorkerRow
from ml_connector.store.orders import Orders
from ml_connector.store.state import FlowState, Held, Queue, Run, Snapshot, Waiting
from ml_connector.sync.orders import Ending, Order, State

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana.json"
LABELS = ("connection", "flow", "system", "cause", "state", "outcome", "currency", "quantile", "version")
FLOW = (("connection", "7"), ("flow", "payments"))
COUNTED: dict[tallies.Key, float] = {
    ("runs", (*FLOW, ("cause", "schedule"), ("state", "done"))): 3,
    ("run_seconds", FLOW): 4.5,
    ("records", (*FLOW, ("outcome", "posted"))): 12,
    ("requests", (("connection", "7"), ("system", "ifs"))): 40,
    ("throttled", (("connection", "7"), ("system", "ifs"))): 2,
    ("requests", (("connection", "99"), ("system", "ifs"))): 1,
    ("lease_takeovers", ()): 1,
}
FULL = Snapshot(
    NOW,
    {7: "acme"},
    {7: NOW},
    (FlowState(7, "payments", NOW - HOUR, None, Run("r", "failed", NOW, NOW), None),),
    (Queue(7, "payments", 2, 1, NOW - HOUR),),
    (Held(7, "payments", "closed_period", 12, 3, NOW - 2 * HOUR, {"EUR": Decimal("41200.10")}),),
    (WorkerRow("w", "host", 1, "1", 4, NOW, 9.0), WorkerRow("x", "host", 2, "1", 4, NOW, -9.0)),
    (Waiting(7, "airbase", 5, NOW - timedelta(minutes=12)),),
    {7: [0.1, 0.2, 0.3, 9.0]},
    {7: 120.0},
    COUNTED,
)


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def client(opened: wiring.Opened, token: str = "", host: str = "127.0.0.1") -> TestClient:
    app = FastAPI()
    app.include_router(metrics.router(opened.database, opened.vault, ("payments",), token))
    return TestClient(app, base_url="http://localhost:8600", client=(host, 50000))


def test_every_figure() -> None:
    told = samples(metrics.text_of(FULL))
    expected = {
        ("mlc_runs_total", "acme", "payments", "schedule", "done"): 3,
        ("mlc_run_seconds_total", "acme", "payments"): 4.5,
        ("mlc_records_total", "acme", "payments", "posted"): 12,
        ("mlc_requests_total", "acme", "ifs"): 40,
        ("mlc_throttled_total", "acme", "ifs"): 2,
        ("mlc_lease_takeovers_total",): 1,
        ("mlc_flow_lag_seconds", "acme", "payments"): 3600,
        ("mlc_flow_last_success_timestamp_seconds", "acme", "payments"): (NOW - HOUR).timestamp(),
        ("mlc_flow_last_run", "acme", "payments", "failed"): 1,
        ("mlc_orders", "acme", "payments", "queued"): 2,
        ("mlc_orders", "acme", "payments", "running"): 1,
        ("mlc_orders_oldest_age_seconds", "acme", "payments"): 3600,
        ("mlc_exceptions", "acme", "payments", "closed_period"): 12,
        ("mlc_exceptions_oldest_age_seconds", "acme", "payments", "closed_period"): 7200,
        ("mlc_exceptions_stake", "acme", "payments", "closed_period", "EUR"): 41200.1,
        ("mlc_events_waiting", "acme", "airbase"): 5,
        ("mlc_events_oldest_age_seconds", "acme", "airbase"): 720,
        ("mlc_webhook_lag_seconds", "acme", "0.5"): 0.3,
        ("mlc_webhook_lag_seconds", "acme", "0.99"): 9.0,
        ("mlc_token_remaining_seconds", "acme"): 120,
        ("mlc_workers",): 1,
    }
    known = {key: value for key, value in told.items() if key[0] != "mlc_build_info"}
    assert known == expected, "of a removed connection nothing"


def test_an_empty_store_tells_all_names_and_some_zeros() -> None:
    text = metrics.text_of(Snapshot(NOW, {}))
    assert samples(text)["mlc_workers",] == 0
    assert samples(text)["mlc_lease_takeovers_total",] == 0
    named = set(re.findall(rb"^# HELP (\w+) \S", text, re.M))
    assert named == set(re.findall(rb"^# HELP (\w+) \S", metrics.text_of(FULL), re.M))


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([5.0], share) for share in (0.5, 0.99)] == [5, 5]
    assert quantile([float(n) for n in range(100)], 0.99) == 99


def test_figures_of_a_real_store(opened: wiring.Opened) -> None:
    joined = Connection(Ifs("https://acme.ifs.cloud", "acme", "mlc", ("10",)), Airbase("https://api.airbase.io"))
    wiring.connect(opened, "acme", joined, wiring.Secrets("canary-a", "canary-b"))
    orders = Orders(opened.database)
    orders.join("w", "host", 1, "1", 1, 60)
    orders.place(Order("1", 1, "payments"))
    order = orders.claim("w", {})
    assert order is not None
    orders.end("w", order, Ending(State.DONE, {"posted": 2}, seconds=1.5, requests={"ifs": 7}))
    answer = client(opened).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    told = samples(answer.content)
    assert told["mlc_runs_total", "acme", "payments", "schedule", "done"] == 1
    assert told["mlc_requests_total", "acme", "ifs"] == 7
    assert told["mlc_workers",] == 1
    assert b"canary" not in answer.content


def test_asking_often_reads_once() -> None:
    clock, read = [100.0], 0

    def snapshot() -> Snapshot:
        nonlocal read
        read += 1
        return FULL

    page = metrics.Page(snapshot, lambda: clock[0])
    assert page.text() == page.text()
    clock[0] += metrics.KEPT_S - 0.1
    page.text()
    assert read == 1
    clock[0] += 0.2
    page.text()
    assert read == 2


def test_while_the_store_hangs_the_others_do_not_wait_for_it() -> None:
    answered = list[StoreError]()

    def hanging() -> Snapshot:
        with pytest.raises(StoreError, match="not answered yet") as raised:
            page.text()
        answered.append(raised.value)
        return FULL

    page = metrics.Page(hanging, patience_s=0.01)
    assert page.text()
    assert len(answered) == 1


def test_a_store_out_of_reach_is_no_figure(opened: wiring.Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Snapshot:
        raise StoreError("the store is away")

    monkeypatch.setattr(metrics, "snapshot", broken)
    answer = client(opened).get("/metrics")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the store is away")


@pytest.mark.parametrize(
    ("token", "host", "given", "status"),
    [
        ("", "127.0.0.1", "", 200),
        ("", "::1", "", 200),
        ("", "10.0.0.9", "", 403),
        ("t0ken", "10.0.0.9", "Bearer t0ken", 200),
        ("t0ken", "10.0.0.9", "Bearer t0ken2", 401),
        ("t0ken", "127.0.0.1", "", 401),
        ("t0ken", "127.0.0.1", "Bearer tøken", 401),
    ],
)
def test_who_is_answered(opened: wiring.Opened, token: str, host: str, given: str, status: int) -> None:
    headers = {b"Authorization": given.encode("latin-1")} if given else {}
    assert client(opened, token, host).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    "name", ["evil.example:8600", "connector.example.com", "10.0.0.9:8600", "localhost.evil.example"]
)
def test_this_machine_is_answered_as_itself_alone(opened: wiring.Opened, name: str) -> None:
    """Not through a proxy on it, and not for a page whose name was made to point here."""
    assert client(opened).get("/metrics", headers={"Host": name}).status_code == 403
    assert client(opened).get("/metrics", headers={"Host": "[::1]:8600"}).status_code == 200
    headers = {"Host": name, "Authorization": "Bearer t0ken"}
    assert client(opened, "t0ken").get("/metrics", headers=headers).status_code == 200


def _expressions(panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", ()))
        yield from _expressions(panel.get("panels", []))


def test_the_dashboard_asks_for_what_there_is() -> None:
    board = json.loads(DASHBOARD.read_text())
    asked = set[str]()
    for expression in _expressions(board["panels"]):
        asked |= set(re.findall(r"\bmlc_\w+", expression))
    for variable in board["templating"]["list"]:
        asked |= set(re.findall(r"\bmlc_\w+", str(variable.get("query", ""))))
    there = {key[0] for key in samples(metrics.text_of(FULL))} | {"mlc_events_total"}
    assert asked <= there, asked - there
    assert there - asked <= {"mlc_build_info", "mlc_flow_last_success_timestamp_seconds"}, "every figure is shown"


def test_the_dashboard_is_whole() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["schemaVersion"] >= 39
    assert board["templating"]["list"][0]["type"] == "datasource"
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert rows == ["Is it fine?", "Flows", "Exceptions", "Systems", "Queue, workers, webhooks"]
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${source}"
            assert panel["targets"]
