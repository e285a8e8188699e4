"""The first page: one sentence that is true, flows as they stand, and what was asked of the systems."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from rig import NAME, USUAL
from serving import Served, looking, serving

from ml_connector.console.app import make_app
from ml_connector.console.pages import runs
from ml_connector.console.site import Site
from ml_connector.console.views import home
from ml_connector.console.views.home import FlowLine, Overview
from ml_connector.store.orders import Orders, Progress
from ml_connector.store.overview import Past, latest, open_count
from ml_connector.store.rights import Role
from ml_connector.sync.orders import Cause, Ending, Order, State
from ml_connector.wiring import versions
from ml_connector.wiring.switching import switch


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("home")) as served:
        yield served


def _site(here: Served) -> Site:
    return make_app(here.joined.store, lambda: True, lambda: None).state.site


def _overview(here: Served) -> Overview:
    site = _site(here)
    return home.overview_of(site, site.opened.connections.get(NAME))


def _line(**changed: object) -> FlowLine:
    told: dict[str, object] = {"flow": "suppliers", "title": "Suppliers", "way": "IFS → Airbase", "on": True}
    told |= {"kind": "ok", "word": "done", "fresh_at": None, "last": "", "last_id": "1", "error": "", "columns": []}
    told |= {"columns_said": "", "queued": 0, "running": 0, "exceptions": 0, "next_at": None}
    return FlowLine.model_validate(told | changed)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([_line()], "All caught up."),
        ([_line(last_id="", kind="idle")], "Nothing has run yet."),
        ([_line(on=False)], "All flows are off."),
        ([_line(running=1), _line(flow="payments")], "At work on suppliers."),
        ([_line(kind="bad"), _line(kind="bad")], "Suppliers and 1 more did not get through."),
        ([_line(kind="bad", on=False), _line()], "All caught up."),
    ],
)
def test_the_verdict_says_the_worst_that_is_on(lines: list[FlowLine], said: str) -> None:
    assert home.verdict(lines) == said


def test_what_needs_a_person_is_counted(here: Served) -> None:
    view = _overview(here)
    assert view.need == open_count(here.joined.store.database, NAME, datetime.now(UTC)) > 0
    assert view.verdict == "All caught up."
    assert {line.flow for line in view.flows} == {*USUAL}
    assert view.need == sum(line.exceptions for line in view.flows) == sum(one.count for one in view.loud)


def test_amounts_stay_exact() -> None:
    stakes = {"EUR": Decimal("41200.10"), "JPY": Decimal("99999999999999999999.01")}
    assert [one.amount for one in home.amounts(stakes)] == ["99999999999999999999.01", "41200.1"]


def test_what_runs_asked_of_the_systems_is_kept_with_them(here: Served) -> None:
    assert all(one.requests > 0 for one in _overview(here).budgets)


def test_columns_are_shares_of_the_most_and_tell_what_failed() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    past = [
        Past(str(n), "suppliers", state, at + timedelta(hours=n), at + timedelta(hours=n, minutes=1), report)
        for n, (state, report) in enumerate(
            [("done", {"created": 10}), ("failed", {"created": 5}), ("done", {"held": 3})]
        )
    ]
    columns, said = home.columns(past)
    assert [(one.share, one.kind) for one in columns] == [(1.0, ""), (0.5, "bad"), (0.0, "")]
    assert said == "Records moved by the last 3 runs: 0 to 10; 1 failed"


def test_the_latest_runs_come_oldest_first_and_so_many_at_most(here: Served) -> None:
    opened, number = here.joined.store, here.joined.store.connections.get(NAME).id
    here.joined.run("suppliers")
    found = latest(opened.database, opened.vault, number, ["suppliers", "purchase_orders"], 2)["suppliers"]
    assert len(found) == 2
    assert found[0].started_at < found[1].started_at


def test_the_page_says_the_same_as_the_view_and_as_the_api(here: Served) -> None:
    view = _overview(here)
    with looking(here.url, here.joined.store, Role.VIEWER) as client:
        assert client.get("/").headers["location"] == f"/c/{NAME}"
        page = client.get(f"/c/{NAME}")
    assert page.status_code == 200
    assert f"{view.need} record" in page.text
    told = here.ask("GET", f"/connections/{NAME}/overview").json()
    assert (told["need"], told["verdict"]) == (view.need, view.verdict)


def test_a_flow_that_is_off_is_told_as_such(here: Served) -> None:
    switch(here.joined.store, NAME, "purchase_orders", on=False, person="kari")
    try:
        line = next(one for one in _overview(here).flows if one.flow == "purchase_orders")
        assert (line.on, line.word, line.next_at) == (False, "off", None)
    finally:
        switch(here.joined.store, NAME, "purchase_orders", on=True, person="kari")


def test_how_far_an_order_is_is_told_while_it_runs_and_not_after(here: Served) -> None:
    opened = here.joined.store
    orders, number = Orders(opened.database), opened.connections.get(NAME).id
    orders.join("w", "host", 1, "0", 1, 60.0)
    order_id = orders.place(Order("now/far", number, "suppliers", cause=Cause.PERSON, person="kari"))
    taken = orders.claim("w", {})
    assert taken is not None
    orders.tell(order_id, Progress("read", 7))
    with looking(here.url, opened, Role.VIEWER) as client:
        page = client.get(f"/c/{NAME}/orders/{order_id}")
        assert "reading the source, 7 records" in page.text
        with client.stream("GET", f"/c/{NAME}/orders/{order_id}/events") as events:
            lines = events.iter_lines()
            first = [next(lines) for _ in range(3)]
            assert first[0] == "event: part"
            assert 'id="how-far"' in "".join(first)
            orders.end("w", taken, Ending(State.DONE, {"read": 9, "created": 2}, "r1"))
            assert "event: over" in lines
        assert "2 created" in client.get(f"/c/{NAME}/orders/{order_id}").text
    orders.leave("w")
    found = orders.get(order_id)
    assert found is not None
    assert found.progress is None


@pytest.mark.parametrize("limit", ["STREAMS_MAX", "STREAMS_EACH_MAX"])
def test_so_many_follow_at_a_time(here: Served, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(runs, limit, 0)
    orders, number = Orders(here.joined.store.database), here.joined.store.connections.get(NAME).id
    order_id = orders.place(Order(f"now/{limit}", number, "suppliers", cause=Cause.PERSON, person="kari"))
    with looking(here.url, here.joined.store, Role.VIEWER) as client:
        answer = client.get(f"/c/{NAME}/orders/{order_id}/events", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 503
    assert orders.cancel(order_id, "kari")


def test_an_order_of_another_connection_is_not_there(here: Served) -> None:
    with looking(here.url, here.joined.store, Role.VIEWER) as client:
        assert client.get(f"/c/{NAME}/orders/now/none").status_code == 404
        assert client.get(f"/c/{NAME}/orders/now/none/events").status_code == 404


def test_a_run_is_told_in_full(here: Served, tmp_path: Path) -> None:
    view = _overview(here)
    run_id = next(line.last_id for line in view.flows if line.flow == "suppliers")
    with looking(here.url, here.joined.store, Role.VIEWER) as client:
        page = client.get(f"/c/{NAME}/runs/{run_id}")
        assert run_id in page.text
        assert "Requests to IFS" in page.text
        assert client.get(f"/c/{NAME}/runs?flow=suppliers").status_code == 200
        assert client.get(f"/c/{NAME}/runs/{'0' * 32}").status_code == 404
    assert here.ask("GET", f"/connections/{NAME}/runs/{run_id}").json()["flow"] == "suppliers"


def test_changes_that_wait_for_a_second_person_are_told(tmp_path: Path) -> None:
    with serving(tmp_path) as here:
        store = here.joined.store
        profile = versions.present(store, NAME).profile
        versions.change(store, NAME, replace(profile, two_persons=True), person="kari")
        versions.change(store, NAME, replace(profile, two_persons=True, timeout_s=41.0), person="kari")
        view = _overview(here)
        assert view.changes == 1
        with looking(here.url, store, Role.VIEWER) as client:
            assert "1 change of settings" in client.get(f"/c/{NAME}").text
