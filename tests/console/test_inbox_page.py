"""The inbox in the console: what came, what one event says, process it again; the webhooks there are."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import NAME
from serving import Served, looking, serving

from ml_connector import wiring
from ml_connector.console import masked
from ml_connector.store.hooks import Hooks
from ml_connector.store.inbox import Event, Inbox, State
from ml_connector.store.rights import Role

PLACE = f"/c/{NAME}/inbox"
SENT = b'{"id": "evt_1", "data": {"supplier": "<b>Acme</b>", "iban": "NO9386011117947", "token": "shh-canary"}}'


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with serving(tmp_path_factory.mktemp("inbox")) as served:
        store = served.joined.store
        connection_id, now = store.connections.get(NAME).id, datetime.now(UTC)

        def event(number: int, state: State, **more: Any) -> Event:
            told: dict[str, Any] = {
                "flow": "suppliers",
                "key": f"S00000{number}",
                "body": SENT,
                "verified": True,
                **more,
            }
            return Event(connection_id, "airbase", f"evt_{number}", "vendor.changed", "", now, state=state, **told)

        inbox = Inbox(store.database, store.vault)
        inbox.receive([event(1, State.DONE), event(2, State.FAILED, note="it failed"), event(1, State.DONE)])
        inbox.receive([event(3, State.UNKNOWN, flow="", key=""), event(4, State.DONE, body=b"\xff<x", verified=False)])
        yield served


@pytest.fixture
def administrator(here: Served) -> Generator[httpx2.Client]:
    with looking(here.url, here.joined.store, Role.CLERK, Role.ADMINISTRATOR) as client:
        yield client


def test_what_came_and_what_has_to_be_looked_at(here: Served, administrator: httpx2.Client) -> None:
    page = administrator.get(PLACE).text
    assert page.count("vendor.changed") == 4
    assert "came 2 times" in page
    assert "unverified" in page
    amiss = administrator.get(f"{PLACE}?amiss=true").text
    assert amiss.count("vendor.changed") == 2
    assert "it failed" in amiss
    standing = here.ask("GET", f"/connections/{NAME}/inbox/standing").json()
    assert standing["counts"] == {"failed": 1, "unknown": 1}


def test_one_event_says_what_may_be_looked_at(here: Served, administrator: httpx2.Client) -> None:
    page = administrator.get(f"{PLACE}/1").text
    assert "&lt;b&gt;Acme" in page
    assert f"/c/{NAME}/records/suppliers/S000001" in page
    for hidden in ("NO93", "shh-canary"):
        assert hidden not in page
        assert hidden not in here.ask("GET", f"/connections/{NAME}/inbox/1").text
    assert administrator.get(f"{PLACE}/4").status_code == 200, "a body that is no text"
    assert administrator.get(f"{PLACE}/999").status_code == 404


def test_processed_again_once_and_by_whom(here: Served, administrator: httpx2.Client) -> None:
    for said in ("It is being processed again.", "It is on its way already"):
        answer = administrator.post(f"{PLACE}/2/again")
        assert answer.status_code == 303
        assert said in administrator.get(answer.headers["location"]).text
    timeline = wiring.journal(here.joined.store, NAME).timeline("suppliers", "S000002")
    assert [one.facts["person"] for one in timeline if one.facts.get("event") == "event processed again"] == ["kari"]
    assert "no flow is for it" in administrator.get(administrator.post(f"{PLACE}/3/again").headers["location"]).text


def test_a_hook_is_made_and_its_secret_shown_once(here: Served, administrator: httpx2.Client) -> None:
    store = here.joined.store
    made = administrator.post(f"{PLACE}/hooks/airbase").text
    hook = Hooks(store.database, store.vault).get(store.connections.get(NAME).id, "airbase")
    assert hook
    assert f"{here.url}/hooks/airbase/{hook.kept.token}" in made
    assert hook.kept.current in made
    assert hook.kept.current not in administrator.post(f"{PLACE}/hooks/airbase").text
    page = administrator.get(PLACE).text
    assert hook.kept.token not in page
    assert "signed by HMAC-SHA256" in page
    rotated = administrator.post(f"{PLACE}/hooks/airbase", data={"rotate": "1"}).text
    after = Hooks(store.database, store.vault).get(store.connections.get(NAME).id, "airbase")
    assert after
    assert after.kept.current in rotated
    assert after.kept.previous == hook.kept.current
    assert administrator.post(f"{PLACE}/hooks/airbase/remove").status_code == 303
    assert administrator.post(f"{PLACE}/hooks/airbase/remove").status_code == 422
    assert administrator.post(f"{PLACE}/hooks/elsewhere").status_code == 422
    with looking(here.url, store, Role.APPROVER, name="ola") as ola:
        assert ola.post(f"{PLACE}/hooks/airbase").status_code == 403


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
JSON = st.recursive(st.none() | TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


@given(JSON, st.sampled_from(("iban", "Api-Key", "bankDetails", "client_secret", "AccountNumber")))
def test_what_is_called_a_secret_is_hidden_with_all_in_it(value: Any, name: str) -> None:
    canary = "canary-5519"
    sent = msgspec.json.encode([value, {name: [canary, {"x": canary}], "seen": "kept-77"}])
    text, cut = masked.body(sent)
    assert canary not in text
    assert cut or "kept-77" in text


@pytest.mark.parametrize(
    "sent", [b"", b"\xff\xfe", b"[" * 5000, b'"' + b"x" * 100_000 + b'"', b"<iban>NO9386011117947", b"password=NO93"]
)
def test_whatever_was_sent_is_shown_somehow(sent: bytes) -> None:
    text, cut = masked.body(sent)
    assert len(text) <= masked.SHOWN_MAX
    assert cut == (len(sent) > masked.SHOWN_MAX)
    assert "NO93" not in text
