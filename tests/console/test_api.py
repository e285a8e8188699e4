"""The API: what it shows, what it orders, whom it refuses, and how."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rig import NAME
from serving import API, Served, answering, serving
from sqlalchemy import select

from ml_connector import flows, wiring
from ml_connector.console import looking_ahead
from ml_connector.console.attempts import WRONG_MAX
from ml_connector.console.bounds import BODY_MAX, HEADERS
from ml_connector.engine.worker import Worker
from ml_connector.sandbox.faults import Fault
from ml_connector.store import inbox as inboxes
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.inbox import Event, Inbox
from ml_connector.store.orders import Orders
from ml_connector.store.schema import links
from ml_connector.sync.orders import Cause, Extent, Order, State
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.unattended import NEEDS, Logged

ROOT = Path(__file__).parents[2]
CONNECTION = f"/connections/{NAME}"
PATIENCE_S = 60.0
SCHEDULED = ("scheduled", "paused", "resumed", "unscheduled")
WRONG = "mlc_" + "A" * 43


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as one:
        yield one


@pytest.fixture(scope="module")
def routes(served: Served) -> list[tuple[str, str]]:
    """Method and path of each, as the description tells."""
    paths = httpx2.get(f"{served.url}{API}/openapi.json", trust_env=False, timeout=60).json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods if path.startswith(API)]


def filled(path: str) -> str:
    known = {
        "name": NAME,
        "flow": "suppliers",
        "key": "S000004",
        "number": "1",
        "order_id": "now/1",
        "run_id": "0" * 32,
        "period": "2026-09",
    }
    return re.sub(r"{(\w+)}", lambda found: known[found[1]], path.removeprefix(API))


def read(served: Served, path: str, **query: Any) -> Any:
    answer = served.ask("GET", path, Right.READ, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pages(served: Served, path: str, limit: int, **query: Any) -> list[list[dict[str, Any]]]:
    found, cursor = list[list[dict[str, Any]]](), ""
    while cursor is not None:
        page = read(served, path, limit=limit, cursor=cursor, **query)
        found.append(page["items"])
        cursor = page["next"]
    return found


def linked(served: Served) -> str:
    """A supplier that is in both systems."""
    with served.joined.store.database.read() as connection:
        return connection.execute(select(links.c.key).where(links.c.flow == "suppliers").limit(1)).scalar_one()


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json().keys() == {"error", "code"}
    return answer.json()["error"]


def test_an_order_is_carried_out_by_the_worker_beside(tmp_path: Path) -> None:
    with serving(tmp_path) as one, closing(Performing(one.joined.store)) as performing:
        worker = Worker("w" * 32, "0.1", Orders(one.joined.store.database), performing, NEEDS, Logged())
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            with answering(one.joined.store, worker.nudge) as url, one.client() as client:
                client.base_url = url + API
                made = client.post(f"{CONNECTION}/orders", json={"flow": "suppliers", "census": True})
                assert made.status_code == 202
                told = client.get(made.headers["Location"].removeprefix(API))
                until = time.monotonic() + PATIENCE_S
                while told.json()["state"] in ("queued", "running") and time.monotonic() < until:
                    told = client.get(made.headers["Location"].removeprefix(API))
        finally:
            worker.stop()
            thread.join()
    order = told.json()
    assert order["id"] == made.json()["orders"][0]
    assert (order["state"], order["cause"], order["person"]) == ("done", "person", "token:operate")
    assert order["figures"]["read"] == 30
    assert order["extent"] == {"census": True, "keys": [], "keys_total": 0, "since": None}


def test_what_is_ordered_wakes_the_worker_and_can_be_taken_back(served: Served) -> None:
    nudged = len(served.nudges)
    placed = served.ask("POST", f"{CONNECTION}/orders", json={"flow": "purchase_orders", "keys": ["100002", "100003"]})
    assert len(served.nudges) == nudged + 1
    (number,) = placed.json()["orders"]
    listed = read(served, "/orders", connection=NAME, flow="purchase_orders", state="queued")["items"]
    assert (number, ["100002", "100003"]) in [(one["id"], one["extent"]["keys"]) for one in listed]
    assert served.ask("DELETE", f"/orders/{number}").json()["state"] == "cancelled"
    assert "cancelled" in refused(served.ask("DELETE", f"/orders/{number}"), 409, "begun")


def test_a_backfill_is_ordered_from_a_day_on(served: Served) -> None:
    made = served.ask("POST", f"{CONNECTION}/orders", json={"flow": "suppliers", "since": "2026-01-31"}).json()
    order = read(served, f"/orders/{made['orders'][0]}")
    assert (order["cause"], order["extent"]["since"], order["person"]) == ("backfill", "2026-01-31", "token:operate")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"flow": "nonsense"}, "there is no flow"),
        ({"flow": "payments"}, "is off"),
        ({"flow": "suppliers", "census": True, "since": "2026-01-31"}, "at most one"),
        ({"flow": "suppliers", "since": "2999-01-01"}, "yet to come"),
        ({"flow": "suppliers", "keys": ["\u200b"]}, "which record?"),
        ({"flow": "suppliers", "nonsense": 1}, "nonsense"),
        ({"flow": "suppliers", "keys": ["x"] * 1001}, "keys"),
        ({}, "flow"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(served: Served, asked: dict[str, Any], said: str) -> None:
    assert said in refused(served.ask("POST", f"{CONNECTION}/orders", json=asked), 422, "invalid")


def test_lists_are_read_page_by_page_each_item_once(served: Served) -> None:
    orders = Orders(served.joined.store.database, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    owner = served.joined.store.connections.get(NAME).id
    for number in range(7):
        orders.place(Order(f"paged/{number}", owner, "suppliers", Extent(keys=(str(number),)), Cause.WEBHOOK))
    for path, query in (
        ("/orders", {}),
        ("/orders", {"flow": "suppliers", "state": "queued"}),
        (f"{CONNECTION}/runs", {}),
        (f"{CONNECTION}/exceptions", {}),
        (f"{CONNECTION}/records/suppliers/{linked(served)}", {}),
        ("/connections", {}),
    ):
        whole, cut = pages(served, path, 500, **query), pages(served, path, 1, **query)
        assert len(whole) == 1
        assert [one for page in cut for one in page] == whole[0]
        assert all(len(page) == 1 for page in cut)
        assert whole[0], path


def test_flows_tell_how_they_stand(served: Served) -> None:
    told = read(served, f"{CONNECTION}/flows")
    assert [one["flow"] for one in told["flows"]] == list(flows.FLOWS)
    suppliers = next(one for one in told["flows"] if one["flow"] == "suppliers")
    assert suppliers["on"]
    assert suppliers["last_run"]["state"] == "done"
    assert not next(one for one in told["flows"] if one["flow"] == "payments")["on"]


def test_exceptions_tell_what_is_at_stake_as_text(served: Served) -> None:
    listed = read(served, f"{CONNECTION}/exceptions", cause="supplier_not_linked")["items"]
    assert listed
    assert all(re.fullmatch(r"\d+(\.\d+)?", one["stake"]["amount"]) for one in listed)
    assert all(datetime.fromisoformat(one["opened_at"]).tzinfo for one in listed)
    (cause,) = [one for one in read(served, f"{CONNECTION}/causes")["causes"] if one["cause"] == "supplier_not_linked"]
    assert cause["count"] == len(listed)
    assert read(served, f"{CONNECTION}/exceptions", flow="suppliers")["items"] == []


def test_a_record_tells_its_story(served: Served) -> None:
    told = read(served, f"{CONNECTION}/records/suppliers/{linked(served)}")["items"]
    assert [one["kind"] for one in told][:2] == ["intended", "settled"]
    refused(served.ask("GET", f"{CONNECTION}/records/suppliers/nobody"), 404, "not_found")
    refused(served.ask("GET", f"{CONNECTION}/records/nonsense/S000004"), 404, "not_found")


def test_a_schedule_is_set_paused_resumed_and_forgotten(served: Served) -> None:
    path = f"{CONNECTION}/schedules/suppliers"
    made = served.ask("PUT", path, json={"spec": "every 15m"}).json()
    assert (made["in_words"], made["runs"], made["changed_by"]) == ("every 15 minutes", ["suppliers"], "token:operate")
    assert len(made["next"]) == 5
    standing = next(one for one in read(served, f"{CONNECTION}/flows")["flows"] if one["flow"] == "suppliers")
    assert standing["next"][0] in made["next"][:2]  # a quarter of an hour may begin meanwhile
    paused = served.ask("POST", f"{path}/pause").json()
    assert (paused["paused"], paused["next"]) == (True, [])
    assert not served.ask("POST", f"{path}/resume").json()["paused"]
    refused(served.ask("POST", f"{path}/pause", params={"census": True}), 404, "not_found")
    assert [one["flow"] for one in read(served, f"{CONNECTION}/schedules")["schedules"]] == ["suppliers"]
    assert served.ask("DELETE", path).status_code == 204
    refused(served.ask("DELETE", path), 404, "not_found")
    assert "is no schedule" in refused(served.ask("PUT", path, json={"spec": "now and then"}), 422, "invalid")
    kinds = wiring.journal(served.joined.store, NAME).timeline(None, "")
    events = [(one.facts["event"], one.facts["person"]) for one in kinds if one.facts.get("flow") == "suppliers"]
    events = [one for one in events if one[0] in SCHEDULED]
    assert events[:4] == [(event, "token:operate") for event in SCHEDULED]


def test_a_blackout_is_added_and_removed(served: Served) -> None:
    path = f"{CONNECTION}/blackouts"
    made = served.ask("POST", path, json={"spec": "0 0 * * * for 2d", "reason": "year-end"}).json()
    told = read(served, path)
    assert [one["id"] for one in told["blackouts"]] == [made["id"]]
    assert datetime.fromisoformat(told["until"]) > datetime.now(UTC)
    assert served.ask("DELETE", f"{path}/{made['id']}").status_code == 204
    refused(served.ask("DELETE", f"{path}/{made['id']}"), 404, "not_found")
    refused(served.ask("POST", path, json={"spec": "always"}), 422, "invalid")


def test_a_plan_tells_what_a_run_would_do(served: Served) -> None:
    made = served.ask("POST", f"{CONNECTION}/plan", json={"flows": ["purchase_orders"], "census": True}, timeout=60)
    assert made.status_code == 200, made.text
    (flow,) = made.json()["flows"]
    assert flow["figures"]["held"] == len(flow["first"]) or len(flow["first"]) >= 5
    assert {one["held"]["cause"] for one in flow["first"] if one["held"]} == {"supplier_not_linked"}


def test_a_replay_is_shown_then_ordered(served: Served) -> None:
    asked = {"cause": "supplier_not_linked", "since": "2h"}
    would = served.ask("POST", f"{CONNECTION}/replay/plan", json=asked, timeout=60).json()
    held = read(served, f"{CONNECTION}/exceptions", cause="supplier_not_linked")["items"]
    assert would["counts"] == {"purchase_orders": {"still blocked": len(held)}}
    assert {one["key"] for one in would["first"]} == {one["key"] for one in held}
    (number,) = served.ask("POST", f"{CONNECTION}/replay", json=asked).json()["orders"]
    order = read(served, f"/orders/{number}")
    assert (order["cause"], order["extent"]["keys_total"]) == ("replay", len(held))
    assert served.ask("POST", f"{CONNECTION}/replay", json={"cause": "no_such"}).json() == {"orders": []}


def test_an_event_is_shown_and_processed_again(served: Served) -> None:
    store, owner = served.joined.store, served.joined.store.connections.get(NAME).id
    inbox, at = Inbox(store.database, store.vault), datetime.now(UTC)
    events = [
        Event(owner, "airbase", f"e{n}", "bill_paid", "", at, True, state, "payments", f"k{n}", b"Kanarienvogel")
        for n, state in enumerate((inboxes.State.FAILED, inboxes.State.WAITING))
    ]
    numbers = [receipt.number for receipt in inbox.receive(events)]
    page = served.ask("GET", f"{CONNECTION}/inbox", Right.READ)
    assert [one["id"] for one in page.json()["items"]] == numbers[::-1]
    assert "Kanarienvogel" not in page.text
    assert [one for each in pages(served, f"{CONNECTION}/inbox", 1) for one in each] == page.json()["items"]
    again = served.ask("POST", f"{CONNECTION}/inbox/{numbers[0]}/again")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    refused(served.ask("POST", f"{CONNECTION}/inbox/{numbers[1]}/again"), 409, "begun")
    refused(served.ask("POST", f"{CONNECTION}/inbox/{numbers[1] + 1}/again"), 404, "not_found")


def test_workers_are_listed(served: Served) -> None:
    orders = Orders(served.joined.store.database)
    orders.join("w" * 32, "host", 1, "0.1", 4, 600.0)
    (one,) = read(served, "/workers")["workers"]
    assert (one["host"], 0 < one["lease_s"] <= 600) == ("host", True)
    orders.leave("w" * 32)


def test_no_route_answers_without_a_token_in_force(served: Served, routes: list[tuple[str, str]]) -> None:
    revoked = served.joined.store.database
    ApiTokens(revoked).create("gone", Right.ADMIN, "kari")
    assert len(routes) > 20
    with served.client(None) as client:
        for method, path in routes:
            answer = client.request(method, filled(path))
            refused(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_was_revoked_or_is_no_token_is_refused(served: Served) -> None:
    tokens = ApiTokens(served.joined.store.database)
    made = tokens.create("brief", Right.READ, "kari")
    with served.client(token=made) as client:
        assert client.get("/workers").status_code == 200
        tokens.revoke("brief")
        refused(client.get("/workers"), 401, "unauthorized")
        for header in ("", "Bearer", f"Basic {made}", "Bearer \xff", "Bearer " + "x" * 5000):
            headers = [(b"Authorization", header.encode("latin-1"))]
            refused(client.get("/workers", headers=headers), 401, "unauthorized")


def test_whatever_changes_something_needs_more_than_reading(served: Served, routes: list[tuple[str, str]]) -> None:
    changing = [(method, path) for method, path in routes if method != "GET"]
    assert len(changing) >= 10
    with served.client(Right.READ) as client:
        for method, path in changing:
            said = refused(client.request(method, filled(path)), 403, "forbidden")
            assert "operate" in said or "admin" in said, path
    with served.client(Right.ADMIN) as client:
        for method, path in changing:
            assert client.request(method, filled(path)).status_code not in (401, 403), path


def test_those_who_try_tokens_are_slowed_down_and_others_are_not(tmp_path: Path, served: Served) -> None:
    with answering(served.joined.store) as url, served.client() as good, served.client(token=WRONG) as wrong:
        good.base_url = wrong.base_url = url + API
        assert good.get("/workers").status_code == 200
        for _ in range(WRONG_MAX):
            refused(wrong.get("/workers"), 401, "unauthorized")
        answer = wrong.get("/workers")
        refused(answer, 429, "slow_down")
        assert 0 < int(answer.headers["Retry-After"]) <= 61
        assert good.get("/workers").status_code == 200


def test_what_is_too_large_is_refused_before_it_is_read(served: Served) -> None:
    body = json.dumps({"flow": "x" * BODY_MAX}).encode()
    refused(served.ask("POST", f"{CONNECTION}/orders", content=body), 413, "too_large")
    headers = {"Content-Type": "application/json"}
    parts = (body[at : at + 65536] for at in range(0, len(body), 65536))
    refused(served.ask("POST", f"{CONNECTION}/orders", content=parts, headers=headers), 413, "too_large")
    refused(served.ask("GET", "/orders", params={"cursor": "x" * 5000}), 414, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"flow": ' + b"9" * 5000 + b"}",
        b'{"flow": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"null",
    ],
    ids=["cut", "no text", "deep", "long number", "half a character", "half a name", "null"],
)
def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = served.ask("POST", f"{CONNECTION}/orders", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIngiXQ", "WzEsMl0"])
def test_a_made_up_cursor_is_refused(served: Served, cursor: str) -> None:
    for path in (
        "/orders",
        f"{CONNECTION}/runs",
        f"{CONNECTION}/exceptions",
        f"{CONNECTION}/records/suppliers/S000004",
    ):
        refused(served.ask("GET", path, params={"cursor": cursor}), 422, "invalid")


def test_control_characters_are_refused(served: Served) -> None:
    """PostgreSQL takes no NUL, so that it would look as if the store were out of reach."""
    for path in ("/connections/a%00/flows", "/orders/%00", "/orders?flow=%00", f"{CONNECTION}/records/suppliers/S%00"):
        refused(served.ask("GET", path), 422, "invalid")
    for asked in ({"flow": "a\0"}, {"flow": "suppliers", "keys": ["\0"]}):
        refused(served.ask("POST", f"{CONNECTION}/orders", json=asked), 422, "invalid")
    refused(
        served.ask("POST", f"{CONNECTION}/blackouts", json={"spec": "0 0 * * * for 2d", "reason": "\0"}), 422, "invalid"
    )


def test_what_is_not_there_is_said_to_be_not_there(served: Served) -> None:
    assert NAME in refused(served.ask("GET", "/connections/acmee/flows"), 404, "not_found")
    refused(served.ask("GET", "/orders/nonsense"), 404, "not_found")
    refused(served.ask("GET", "/orders", params={"connection": "nobody"}), 404, "not_found")
    refused(served.ask("GET", "/nonsense"), 404, "not_found")
    refused(served.ask("PATCH", "/workers"), 405, "method")
    refused(served.ask("GET", "/orders", params={"nonsense": "1"}), 422, "invalid")


def test_trouble_is_told_by_whose_it_is(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking_ahead, "_FREE", threading.BoundedSemaphore(1))
    with looking_ahead._FREE:  # pyright: ignore[reportPrivateUsage]
        refused(served.ask("POST", f"{CONNECTION}/plan", json={}), 409, "busy")
    monkeypatch.undo()
    served.joined.box.faults.add(Fault("status", site="ifs", path="/", options={"status": 403}))
    refused(served.ask("POST", f"{CONNECTION}/plan", json={}, timeout=60), 502, "remote")
    served.joined.box.faults.clear()


def test_a_fault_of_ours_tells_nothing_but_that(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Kanarienvogel")

    monkeypatch.setattr(Orders, "workers", fail)
    answer = served.ask("GET", "/workers")
    refused(answer, 500, "internal")
    assert "Kanarienvogel" not in answer.text
    assert HEADERS.items() <= dict(answer.headers).items()


def test_every_answer_has_the_headers_that_keep_browsers_safe(served: Served) -> None:
    for path, right in (("/workers", Right.READ), ("/workers", None), ("/nonsense", None), ("/openapi.json", None)):
        assert HEADERS.items() <= dict(served.ask("GET", path, right).headers).items()


def test_the_reference_lists_the_routes_there_are(routes: list[tuple[str, str]]) -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text()
    told = re.findall(r"^\| `([A-Z]+) (\S+)` \| (read|operate|admin) \|", text, re.MULTILINE)
    least = {"GET": "read"}  # some need admin, which covers both
    rows = [(method, path, least.get(method, "operate") if scope == "admin" else scope) for method, path, scope in told]
    scopes = {(method, path.removeprefix(API), "read" if method == "GET" else "operate") for method, path in routes}
    assert sorted(rows) == sorted(scopes)
    assert State.QUEUED in text


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples are for curl")
def test_the_examples_of_the_reference_work_as_they_stand(served: Served) -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text().replace("http://127.0.0.1:8600", served.url)
    examples = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if block.startswith("curl")]
    assert len(examples) == 2
    for example in examples:
        environment = {"TOKEN": served.tokens[Right.OPERATE], "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            ["/bin/bash", "-uc", example], env=environment, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout).keys() in ({"orders"}, {"items", "next"})
