"""Flows and schedules: what is typed is told before it is kept, and an order is placed once."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from rig import NAME
from serving import Served, looking, serving

from ml_connector.store.orders import Orders
from ml_connector.store.rights import Role
from ml_connector.store.schedules import Schedules
from ml_connector.wiring import ticking, versions

HERE = f"/c/{NAME}"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("flows")) as served:
        yield served


@pytest.fixture
def admin(here: Served) -> Iterator[httpx2.Client]:
    with looking(here.url, here.joined.store, Role.ADMINISTRATOR, name="asta") as client:
        yield client


def _once(client: httpx2.Client, path: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def _schedules(here: Served) -> Schedules:
    return Schedules(here.joined.store.database, here.joined.store.vault)


def test_a_press_twice_places_one_order(here: Served, admin: httpx2.Client) -> None:
    once = _once(admin, f"{HERE}/flows")
    wish = {"once": once, "extent": "since", "since": "2026-01-01"}
    places = {admin.post(f"{HERE}/flows/suppliers/run", data=wish).headers["location"] for _ in range(3)}
    assert len(places) == 1
    (order,) = [one for one in Orders(here.joined.store.database).open() if one.extent.since]
    assert (order.person, f"{HERE}/orders/{order.id}") == ("asta", places.pop())
    assert here.nudges


def test_what_waits_already_is_not_ordered_again(here: Served, admin: httpx2.Client) -> None:
    path = f"{HERE}/flows/purchase_orders/run"
    first, second = (admin.post(path, data={"once": _once(admin, f"{HERE}/flows")}) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    taken = admin.post(first.headers["location"] + "/cancel")
    assert taken.status_code == 303
    assert "taken back" in admin.get(first.headers["location"]).text


@pytest.mark.parametrize("since", ["", "soon", "2999-01-01"])
def test_a_backfill_from_no_day_is_refused_in_a_sentence(admin: httpx2.Client, since: str) -> None:
    once = _once(admin, f"{HERE}/flows")
    answer = admin.post(f"{HERE}/flows/suppliers/run", data={"once": once, "extent": "since", "since": since})
    assert answer.status_code == 422
    assert "day" in answer.text


def test_a_schedule_is_told_in_words_while_it_is_typed(here: Served, admin: httpx2.Client) -> None:
    told = admin.get(f"{HERE}/flows/echo", params={"spec": " */15   * * * * "}).text
    assert "Every 15th minute" in told
    assert told.count("<li>") == 5
    assert "is no schedule" in admin.get(f"{HERE}/flows/echo", params={"spec": "now & then"}).text
    assert "for 60 h" in admin.get(f"{HERE}/blackouts/echo", params={"spec": "0 18 L * * for 60h"}).text
    assert here.ask("GET", f"/connections/{NAME}/slots", params={"spec": "every 1h"}).json()["in_words"] == "every hour"


def test_a_schedule_is_set_paused_resumed_and_removed(here: Served, admin: httpx2.Client) -> None:
    wish = {"flow": "suppliers", "spec": " every  15m ", "catch_up": "1"}
    assert admin.post(f"{HERE}/schedules", data=wish).status_code == 303
    (one,) = _schedules(here).all()
    assert (one.spec, one.changed_by, one.catch_up, one.census) == ("every 15m", "asta", True, False)
    assert "every 15 minutes" in admin.get(f"{HERE}/flows").text
    for what, paused in (("pause", True), ("resume", False)):
        admin.post(f"{HERE}/schedules/suppliers/{what}")
        assert _schedules(here).all()[0].paused is paused
    admin.post(f"{HERE}/schedules/suppliers/remove")
    assert _schedules(here).all() == []
    assert admin.post(f"{HERE}/schedules/suppliers/remove").status_code == 404


def test_what_was_typed_wrongly_stays_to_be_mended(here: Served, admin: httpx2.Client) -> None:
    answer = admin.post(f"{HERE}/schedules", data={"flow": "suppliers", "spec": "at noon"})
    assert answer.status_code == 422
    assert 'value="at noon"' in answer.text
    assert "is no schedule" in answer.text
    answer = admin.post(f"{HERE}/blackouts", data={"spec": "never", "reason": "<b>"})
    assert answer.status_code == 422
    assert 'value="&lt;b&gt;"' in answer.text
    assert _schedules(here).blackouts() == []


def test_a_blackout_is_added_told_and_removed(here: Served, admin: httpx2.Client) -> None:
    admin.post(f"{HERE}/blackouts", data={"spec": "0 18 L * * for 60h", "reason": "close"})
    (one,) = _schedules(here).blackouts()
    assert "for 60 h" in admin.get(f"{HERE}/flows").text
    assert admin.post(f"{HERE}/blackouts/{one.id}/remove").status_code == 303
    assert admin.post(f"{HERE}/blackouts/{one.id}/remove").status_code == 404


def test_a_flow_is_switched_off_and_on_by_a_person(here: Served, admin: httpx2.Client) -> None:
    path = f"{HERE}/flows/purchase_orders/switch"
    place = admin.post(path, data={"state": "off", "back": f"{HERE}/flows"}).headers["location"]
    assert place == f"{HERE}/flows"
    assert ticking.place(here.joined.store, NAME).off == ("purchase_orders",)
    assert "It is switched off." in admin.get(f"{HERE}/flows/purchase_orders").text
    run = admin.post(f"{HERE}/flows/purchase_orders/run", data={"once": _once(admin, f"{HERE}/flows")})
    assert run.status_code == 422
    assert "switched off" in run.text
    admin.post(path, data={"state": "on", "back": "https://elsewhere.example"})
    assert ticking.place(here.joined.store, NAME).off == ()
    version = versions.of(here.joined.store, NAME).in_force()
    assert version is not None
    assert (version.author, version.note) == ("asta", "purchase_orders switched on")


def test_a_clerk_runs_but_does_not_schedule_and_a_viewer_does_neither(here: Served) -> None:
    with looking(here.url, here.joined.store, Role.CLERK, name="kim") as clerk:
        page = clerk.get(f"{HERE}/flows").text
        assert "Run now" in page
        assert "Set a schedule" not in page
        assert clerk.post(f"{HERE}/schedules", data={"spec": "every 1h"}).status_code == 403
        assert clerk.post(f"{HERE}/flows/suppliers/switch", data={"state": "off"}).status_code == 403
    with looking(here.url, here.joined.store, Role.VIEWER, name="vera") as viewer:
        assert "Run now" not in viewer.get(f"{HERE}/flows").text
        assert viewer.post(f"{HERE}/flows/suppliers/run", data={"once": "x" * 16}).status_code == 403
