"""Exceptions in the console: by cause, record by record, what is noted at them; the same as data."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from rig import NAME
from serving import Served, looking, serving

from ml_connector import wiring
from ml_connector.store.api_tokens import Right
from ml_connector.store.exceptions import Stage
from ml_connector.store.rights import Role
from ml_connector.wiring import noting
from ml_connector.wiring.noting import Which, Wish

PLACE = f"/c/{NAME}/exceptions"
CAUSE = ("purchase_orders", "supplier_not_linked")
GROUP = {"flow": CAUSE[0], "cause": CAUSE[1]}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with serving(tmp_path_factory.mktemp("exceptions")) as served:
        yield served


@pytest.fixture
def clerk(here: Served) -> Generator[httpx2.Client]:
    with looking(here.url, here.joined.store, Role.CLERK) as client:
        yield client
        noting.note(here.joined.store, NAME, _all("snoozed"), Wish(until=""), "kari")
        noting.note(here.joined.store, NAME, _all("open"), Wish(to=""), "kari")


def _all(stage: str) -> Which:
    return Which(flow=CAUSE[0], cause=CAUSE[1], stage=Stage(stage))


def listed(here: Served, **asked: Any) -> list[dict[str, Any]]:
    return here.ask("GET", f"/connections/{NAME}/exceptions", Right.READ, params=GROUP | asked).json()["items"]


def test_by_cause_and_record_by_record(here: Served, clerk: httpx2.Client) -> None:
    (group,) = here.ask("GET", f"/connections/{NAME}/exceptions/groups", Right.READ).json()["groups"]
    page = clerk.get(PLACE).text
    assert group["title"] in page
    assert f'href="{PLACE}/{CAUSE[0]}/{CAUSE[1]}"' in page
    assert all(one["currency"] in page for one in group["stakes"])
    records = listed(here)
    assert len(records) == group["count"] > 1
    of_cause = clerk.get(f"{PLACE}/{CAUSE[0]}/{CAUSE[1]}").text
    assert all(one["key"] in of_cause and one["sentence"] in of_cause for one in records)
    assert "Replay all" in of_cause


def test_every_tab_says_something(clerk: httpx2.Client) -> None:
    for place in ("?stage=snoozed", "?stage=retrying", "/resolved", "/suppliers/nothing_of_the_kind"):
        answer = clerk.get(f"{PLACE}{place}")
        assert answer.status_code == 200
        assert 'class="empty"' in answer.text
    assert clerk.get(f"{PLACE}/nowhere/closed").status_code == 404
    assert clerk.get(f"{PLACE}?stage=lost").status_code == 422


def test_taking_some_and_all(here: Served, clerk: httpx2.Client) -> None:
    first, second, *_ = [one["id"] for one in listed(here)]
    answer = clerk.post(
        f"{PLACE}/note", data=GROUP | {"number": [str(first)], "to": "kari", "text": "Asked <b>Nils</b>."}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}/{CAUSE[0]}/{CAUSE[1]}")
    assert [one["id"] for one in listed(here, assignee="kari")] == [first]
    page = clerk.get(answer.headers["location"]).text
    assert "1 record given to kari, 1 record commented on." in page
    assert "Asked &lt;b&gt;Nils&lt;/b&gt;." in page
    clerk.post(f"{PLACE}/note", data=GROUP | {"every": "1", "to": "kari"})
    assert second in [one["id"] for one in listed(here, assignee="kari")]
    clerk.post(f"{PLACE}/note", data=GROUP | {"number": [str(first)], "to": "-"})
    assert first not in [one["id"] for one in listed(here, assignee="kari")]


def test_what_rests_is_not_open_until_its_day(here: Served, clerk: httpx2.Client) -> None:
    count = len(listed(here))
    clerk.post(f"{PLACE}/note", data=GROUP | {"every": "1", "day": str(datetime.now(UTC).date() + timedelta(days=9))})
    assert here.ask("GET", f"/connections/{NAME}/exceptions/groups").json()["counts"]["snoozed"] == count
    assert listed(here, stage="open") == []
    assert "wakes" in clerk.get(f"{PLACE}/{CAUSE[0]}/{CAUSE[1]}?stage=snoozed").text
    clerk.post(f"{PLACE}/note", data=GROUP | {"every": "1", "stage": "snoozed", "rest": "-"})
    assert len(listed(here, stage="open")) == count


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"to": "kari"}, "choose records first"),
        ({"every": "1", "text": ""}, "nothing was said"),
        ({"every": "1", "to": "nobody-known"}, "may put records right"),
        ({"every": "1", "day": "2020-01-01"}, "a day to come"),
        ({"every": "1", "rest": "99999d"}, "until when"),
        ({"every": "1", "to": "kari", "text": "x\x01"}, "a comment is text"),
    ],
)
def test_what_was_typed_is_kept_with_what_is_wrong(
    here: Served, clerk: httpx2.Client, typed: dict[str, str], said: str
) -> None:
    answer = clerk.post(f"{PLACE}/note", data=GROUP | {"text": "Kept."} | typed)
    assert answer.status_code == 422
    assert said in answer.text.lower()
    assert typed.get("text", "Kept.")[:1] in answer.text
    assert listed(here, assignee="kari") == [], "all of it or nothing"


def test_a_program_notes_too(here: Served, clerk: httpx2.Client) -> None:
    first = listed(here)[0]["id"]
    asked = {"numbers": [first], "assignee": "kari", "comment": "By a script.", "snooze_until": "7d"}
    assert here.ask("POST", f"/connections/{NAME}/exceptions/note", json=asked).json() == {"noted": 1}
    (one,) = listed(here, stage="snoozed")
    assert (one["assignee"], one["comment"]["text"]) == ("kari", "By a script.")
    assert here.ask("POST", f"/connections/{NAME}/exceptions/note", json={"assignee": "kari"}).status_code == 422
    assert here.ask("POST", f"/connections/{NAME}/exceptions/note", Right.READ, json=asked).status_code == 403


def test_notes_are_in_the_records_timeline(here: Served, clerk: httpx2.Client) -> None:
    one = listed(here)[-1]
    clerk.post(f"{PLACE}/note", data=GROUP | {"number": [str(one["id"])], "text": "Seen.", "to": "kari"})
    entries = wiring.journal(here.joined.store, NAME).timeline(CAUSE[0], one["key"])
    told = [(entry.facts["event"], entry.facts["person"]) for entry in entries if entry.kind == "noted"][-2:]
    assert told == [("assigned", "kari"), ("commented", "kari")]


def test_what_is_put_right_resolves_by_itself(here: Served, clerk: httpx2.Client) -> None:
    held = listed(here)
    for row in here.joined.box.world.rows("IdentityInvoiceInfoSet"):  # whoever expired may be bought from again
        key = {name: row[name] for name in ("Company", "Identity", "PartyType")}
        op = {"op": "update", "set": "IdentityInvoiceInfoSet", "key": key, "values": {"ExpireDate": None}}
        here.joined.box.edit_ifs(op)
    run_id = here.joined.run(census=True)["purchase_orders"].run_id
    over = here.ask("GET", f"/connections/{NAME}/exceptions/resolved").json()["items"]
    assert len(over) == len(held) - len(listed(here)) > 0
    assert {one["run_id"] for one in over} == {run_id}
    page = clerk.get(f"{PLACE}/resolved").text
    assert all(one["key"] in page for one in over)
    assert run_id in page


def test_what_waits_goes_by_the_name_that_people_know_it_by(here: Served, clerk: httpx2.Client) -> None:
    wanted = {one["key"]: one["called"] for one in listed(here)}
    assert all(wanted.values())
    assert "Released" not in wanted.values()
    found = here.ask(
        "GET", f"/connections/{NAME}/records", Right.READ, params={"q": next(iter(wanted)), "flow": CAUSE[0]}
    )
    assert {one["key"]: one["called"] for one in found.json()["items"]}.items() <= wanted.items()
    page = clerk.get(f"{PLACE}/{CAUSE[0]}/{CAUSE[1]}").text
    assert all(f">{one}</a>" in page for one in wanted.values())
