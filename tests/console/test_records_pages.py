"""Records, replay and the journal as people look at them, over a store that a sandbox has filled."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import pytest
from markupsafe import escape
from serving import Served, looking, serving
from sqlalchemy import delete, select, update

from ml_connector.store import schema
from ml_connector.store.api_tokens import Right
from ml_connector.store.exceptions import note
from ml_connector.store.rights import Role
from ml_connector.store.schema_people import terms
from ml_connector.store.schema_work import orders
from ml_connector.store.scope import Scope
from ml_connector.sync.orders import Cause
from ml_connector.sync.outcome import Held
from ml_connector.wiring import indexing

BASE = "/c/acme"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("records")) as served:
        yield served


@pytest.fixture(scope="module")
def clerk(here: Served) -> Iterator[httpx2.Client]:
    with looking(here.url, here.joined.store, Role.CLERK) as client:
        yield client


def linked(here: Served, flow: str) -> Any:
    """A record that is linked."""
    with here.joined.store.database.read() as connection:
        query = select(schema.links).where(schema.links.c.flow == flow).order_by(schema.links.c.key)
        return connection.execute(query.limit(1)).one()


def held(here: Served) -> Any:
    """A record that needs a person."""
    with here.joined.store.database.read() as connection:
        return connection.execute(select(schema.exceptions).order_by(schema.exceptions.c.id).limit(1)).one()


def test_a_record_is_found_by_number_name_and_what_it_is_linked_to(here: Served) -> None:
    one = linked(here, "suppliers")
    shown = here.ask("GET", f"/connections/acme/record/suppliers/{one.key}").json()
    name = next(field["after"] for field in shown["fields"] if field["path"] == "name")
    for asked in (one.key, one.key.lower(), one.key[:-1], name, name.upper(), one.target_id):
        found = here.ask("GET", "/connections/acme/records", params={"q": asked}).json()
        assert (one.flow, one.key) in [(row["flow"], row["key"]) for row in found["items"]], asked
    nothing = here.ask("GET", "/connections/acme/records", params={"q": f"{one.key} nowhere"}).json()
    assert nothing["items"] == []


def test_an_order_is_found_by_its_amount(here: Served) -> None:
    one = linked(here, "purchase_orders")
    amount = here.ask("GET", f"/connections/acme/record/purchase_orders/{one.key}").json()["head"]["amount"]
    asked = f"{float(amount['amount']):,.3f}" if amount["currency"] == "KWD" else amount["amount"]
    found = here.ask("GET", "/connections/acme/records", params={"q": asked, "flow": "purchase_orders"}).json()
    assert one.key in [row["key"] for row in found["items"]]


def test_numbers_that_begin_so_are_found(here: Served) -> None:
    with here.joined.store.database.read() as connection:
        query = select(schema.links.c.key).where(schema.links.c.flow == "suppliers")
        wanted = sorted(connection.execute(query).scalars())
    page = here.ask("GET", "/connections/acme/records", params={"q": "S000", "flow": "suppliers", "limit": 500}).json()
    assert [row["key"] for row in page["items"] if row["target_id"]] == wanted


def test_a_search_goes_on_where_its_page_ended(here: Served) -> None:
    with here.joined.store.database.read() as connection:
        suppliers = connection.execute(select(schema.links.c.key).where(schema.links.c.flow == "suppliers")).scalars()
    searches = ({"q": key, "flow": "purchase_orders"} for key in suppliers)
    wanted, asked = max(((found(here, one, 500), one) for one in searches), key=lambda pair: len(pair[0]))
    assert len(wanted) > 2
    assert found(here, asked, 1) == found(here, asked, 2) == wanted


def found(here: Served, asked: dict[str, Any], limit: int) -> list[str]:
    """All pages of a search."""
    keys: list[str] = []
    asked = asked | {"limit": limit}
    while True:
        page = here.ask("GET", "/connections/acme/records", params=asked).json()
        keys += [row["key"] for row in page["items"]]
        if not page["next"]:
            return keys
        asked["cursor"] = page["next"]


def test_a_record_page_tells_its_whole_story(here: Served, clerk: httpx2.Client) -> None:
    one = linked(here, "suppliers")
    view = here.ask("GET", f"/connections/acme/record/suppliers/{one.key}").json()
    assert [step["name"] for step in view["way"]] == ["read", "mapped", "checked", "approved", "sent", "confirmed"]
    assert {step["mark"] for step in view["way"]} == {"ok"}
    (told,) = view["attempts"][0]["told"]
    assert told["method"] == "POST"
    assert told["status"] == 200
    assert told["request_id"]
    assert json.loads(told["sent"])["erp_reference_id"] == one.key
    assert json.loads(told["answered"])["id"] == one.target_id
    assert [entry["kind"] for entry in view["entries"]] == ["settled", "intended"]
    page = clerk.get(f"{BASE}/records/suppliers/{one.key}")
    assert page.status_code == 200
    for said in (one.target_id, view["entries"][0]["hash"], told["path"], "Confirmed", "(assumed address)"):
        assert said in page.text, said


def test_an_order_hangs_together_with_its_supplier(here: Served) -> None:
    one = linked(here, "purchase_orders")
    view = here.ask("GET", f"/connections/acme/record/purchase_orders/{one.key}").json()
    assert "suppliers" in [row["flow"] for row in view["related"]]


def test_a_held_record_says_why_and_how_far_it_came(here: Served, clerk: httpx2.Client) -> None:
    one = held(here)
    view = here.ask("GET", f"/connections/acme/record/{one.flow}/{one.key}").json()
    assert view["waits"]["sentence"] == one.sentence
    assert [step["mark"] for step in view["way"]][-1] == ""
    assert "warn" in [step["mark"] for step in view["way"]]
    assert view["said"], "what the source says of it is told, although nothing was sent"
    page = clerk.get(f"{BASE}/records/{one.flow}/{one.key}").text
    assert "Replay…" in page
    assert one.remedy in page.replace("&#39;", "'").replace("&#34;", '"')


def test_what_is_not_known_is_not_found(here: Served, clerk: httpx2.Client) -> None:
    assert clerk.get(f"{BASE}/records/suppliers/NOBODY").status_code == 404
    assert clerk.get(f"{BASE}/records/no_flow/X").status_code == 404
    assert "Nothing was found" in clerk.get(f"{BASE}/records", params={"q": "nowhere"}).text
    assert here.ask("GET", "/connections/acme/record/suppliers/NOBODY").status_code == 404


def test_a_viewer_sees_no_button_that_does_something(here: Served) -> None:
    one = linked(here, "suppliers")
    with looking(here.url, here.joined.store, Role.VIEWER, name="vera") as viewer:
        assert "Replay…" not in viewer.get(f"{BASE}/records/suppliers/{one.key}").text
        assert viewer.get(f"{BASE}/replay", params={"flow": "suppliers", "key": one.key}).status_code == 200
        assert viewer.get(f"{BASE}/replay/preview", params={"flow": "suppliers", "key": one.key}).status_code == 403


def test_a_replay_is_looked_at_and_then_placed_once(here: Served, clerk: httpx2.Client) -> None:
    one = held(here)
    asked = {"flow": one.flow, "key": one.key}
    page = clerk.get(f"{BASE}/replay", params=asked)
    preview = clerk.get(f"{BASE}/replay/preview", params=asked, headers={"hx-request": "true"})
    assert preview.status_code == 200
    assert "<html" not in preview.text
    assert "still held" in preview.text
    found = re.search(r'name="once" value="([^"]+)"', page.text)
    assert found
    form = asked | {"once": found[1]}
    places = [clerk.post(f"{BASE}/replay", data=form).headers["location"] for _ in range(2)]
    assert places[0] == places[1]
    with here.joined.store.database.read() as connection:
        query = select(orders.c.id, orders.c.person).where(orders.c.cause == Cause.REPLAY.value)
        listed = connection.execute(query).all()
    assert [(row.id, row.person) for row in listed] == [(places[0].rpartition("/")[2], "kari")]
    assert clerk.post(f"{BASE}/replay", data={"once": "12345678"}).status_code == 422, "of nothing"
    other = linked(here, "suppliers")
    group = {"flow": "suppliers", "key": other.key, "once": found[1]}
    with looking(here.url, here.joined.store, Role.CLERK, name="nils") as nils:
        theirs = {one.post(f"{BASE}/replay", data=group).headers["location"] for one in (clerk, nils)}
    assert len(theirs | {places[0]}) == 3, "what one form placed stands for no other form, and for nobody else's"


def test_a_value_is_put_right_and_ends_again(here: Served, clerk: httpx2.Client) -> None:
    one = linked(here, "suppliers")
    place = f"{BASE}/records/suppliers/{one.key}"
    form = {"flow": "suppliers", "key": one.key, "path": "name", "value": "Better Name", "reason": "typo at the source"}
    assert clerk.post(f"{BASE}/edit", data=form).headers["location"] == place
    page = clerk.get(place).text
    assert "typo at the source" in page
    refused = clerk.post(f"{BASE}/edit", data=form | {"path": "country"})
    assert refused.status_code == 422
    assert 'value="Better Name"' in refused.text, "what was typed is still there"
    undone = clerk.post(f"{BASE}/edit", data={"flow": "suppliers", "key": one.key, "undo": "true"})
    assert undone.headers["location"] == place


def test_the_journal_is_filtered_paged_and_exported(here: Served, clerk: httpx2.Client) -> None:
    one = linked(here, "suppliers")
    listed = here.ask("GET", "/connections/acme/journal", params={"key": one.key, "kind": "settled"}).json()
    assert [entry["key"] for entry in listed["items"]] == [one.key]
    lines = clerk.get(f"{BASE}/journal/export.jsonl", params={"flow": "suppliers"}).text.splitlines()
    assert {json.loads(text)["flow"] for text in lines} == {"suppliers"}
    rows = list(csv.DictReader(io.StringIO(clerk.get(f"{BASE}/journal/export.csv").text)))
    numbers = [int(row["entry"]) for row in rows]
    assert numbers == list(range(1, len(rows) + 1))
    assert all(len(row["hash"]) == 64 for row in rows)
    page = clerk.get(f"{BASE}/journal", params={"since": "", "until": "2020-01-01", "kind": ""})
    assert "No entries" in page.text
    assert clerk.get(f"{BASE}/journal", params={"since": "yesterday"}).status_code == 422


def verdict(here: Served) -> dict[str, Any]:
    while True:
        found = here.ask("GET", "/connections/acme/journal/verdict").json()
        if found["at"] and not found["busy"]:
            return found
        time.sleep(0.02)


def test_the_journal_is_verified_in_the_background(here: Served, clerk: httpx2.Client) -> None:
    assert "Not verified" in clerk.get(f"{BASE}/journal").text
    assert clerk.post(f"{BASE}/journal/verify").status_code == 303
    assert verdict(here)["ok"]
    assert "each in its place" in clerk.get(f"{BASE}/journal").text
    with here.joined.store.database.write() as connection:
        altered = schema.journal.c.seq == 5
        before = connection.execute(select(schema.journal.c.kind).where(altered)).scalar_one()
        connection.execute(update(schema.journal).where(altered).values(kind="held"))
    here.ask("POST", "/connections/acme/journal/verdict")
    assert verdict(here)["broken"][0]["seq"] == 5
    assert "Entry 5 was altered" in clerk.get(f"{BASE}/journal").text
    with here.joined.store.database.write() as connection:
        connection.execute(update(schema.journal).where(altered).values(kind=before))


def test_the_installations_journal_is_for_those_who_look_after_it(here: Served, clerk: httpx2.Client) -> None:
    assert clerk.get("/journal").status_code == 403
    assert here.ask("GET", "/journal", Right.OPERATE).status_code == 403
    assert here.ask("GET", "/journal", Right.ADMIN).status_code == 200
    for role in (Role.APPROVER, Role.ADMINISTRATOR):
        with looking(here.url, here.joined.store, role, name=f"the-{role}") as client:
            assert client.get("/journal").status_code == 200
            assert client.get("/journal/export.csv").status_code == 200


def test_what_an_older_version_linked_is_found_once_it_has_its_words(here: Served) -> None:
    one = linked(here, "suppliers")
    with here.joined.store.database.write() as connection:
        connection.execute(delete(terms))
    assert not found(here, {"q": one.target_id}, 50)
    assert indexing.index(here.joined.store, "acme") > 50
    assert one.key in found(here, {"q": one.target_id}, 50)


def test_a_replay_names_records_as_people_call_them(here: Served, clerk: httpx2.Client) -> None:
    key = linked(here, "suppliers").key
    name = here.ask("GET", f"/connections/acme/record/suppliers/{key}").json()["head"]["called"]
    asked = {"flow": "suppliers", "key": key}
    told = here.ask("GET", "/connections/acme/replay", params={"flow": "suppliers", "keys": key}).json()["named"]
    assert told == [{"flow": "suppliers", "key": key, "called": name}]
    for place in ("replay", "replay/preview"):
        assert f">{escape(name)}</a>" in clerk.get(f"{BASE}/{place}", params=asked).text


def test_a_held_record_leads_to_where_what_it_lacks_is_added(here: Served, clerk: httpx2.Client) -> None:
    store, key = here.joined.store, "lacking"
    scope = Scope(
        store.vault, store.connections.get("acme").id, "purchase_requests", object, object, store.database.now
    )
    held = Held("payment_term_not_mapped", "No row is for it.", "Add one.", lacks="30 & more")
    with store.database.write() as connection:
        note(connection, scope, "run", [(key, held)])
    place = f"{BASE}/records/purchase_requests/{key}"
    assert "An administrator puts it right in the mapping." in clerk.get(place).text
    with looking(here.url, store, Role.ADMINISTRATOR, name="adder") as client:
        found = re.search(r'href="([^"]*)">Add 30 &amp; more</a>', client.get(place).text)
        assert found
        page = client.get(unescape(found[1])).text
    assert 'value="30 &amp; more"' in page
