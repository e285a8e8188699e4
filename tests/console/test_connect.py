"""Connecting in the console: pasted credentials, live checks that say what to do, the fit report, going live."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from rig import NAME, generous, open_store, sqlite_url, started
from serving import answering, looking
from sqlalchemy import func, select

from ml_connector import sandbox, wiring
from ml_connector.sandbox import Sandbox
from ml_connector.sandbox.faults import Fault
from ml_connector.settings import Installation
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.findings import Findings
from ml_connector.store.inbox import Inbox
from ml_connector.store.rights import Role
from ml_connector.store.schema_work import orders
from ml_connector.wiring import checking, ticking, versions
from ml_connector.wiring.destined import destined
from ml_connector.wiring.hooking import Wish, set_up
from ml_connector.wiring.looking import Kind, Look, Looks, State

CLOSED = "</span>"
SYSTEMS = ("ifs", "airbase")
PRIVATE = Installation(allow_private_systems=True)


class World:
    """A console without any connection, beside a sandbox."""

    def __init__(self, stack: ExitStack, folder: Path, installation: Installation = PRIVATE) -> None:
        self.box: Sandbox = stack.enter_context(started(generous(suppliers=12, orders=12)))
        self.store = open_store(sqlite_url(folder))
        stack.callback(self.store.close)
        self.url = stack.enter_context(answering(self.store, installation=installation))
        self.person = stack.enter_context(looking(self.url, self.store, Role.ADMINISTRATOR))

    def form(self, **more: str) -> dict[str, str]:
        told = self.box.told()
        return {
            "name": NAME,
            "ifs_url": f"  {told['ifs_url']}/main/ifsapplications/web/ \n",
            "realm": told["ifs"]["realm"],
            "client_id": f" “{told['ifs']['client_id']}” ",
            "secret": " sandbox-secret\n",
            "companies": "10, 20",
            "airbase_url": told["airbase_url"],
            "auth": "token",
            "token": "Bearer sandbox-token ",
            "subsidiaries": "10 = SUB-10\n20=SUB-20",
            **more,
        }

    def wait(self, kind: str) -> dict[str, Any]:
        """The look once it is over, as the API has it."""
        token = ApiTokens(self.store.database).create(f"t{time.monotonic_ns()}", Right.READ, "kari")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60) as client:
            while True:
                found = client.get(f"/api/v1/connections/{NAME}/{kind}").json()
                if found["state"] not in (None, "running"):
                    return found
                time.sleep(0.05)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path)


def test_wrong_then_right_then_fit_then_live(world: World) -> None:
    made = world.person.post("/connect", data=world.form(secret="wrong"))
    assert (made.status_code, made.headers["location"]) == (303, f"/c/{NAME}/connect")
    failed = [one for one in world.wait("checks")["steps"] if one["state"] == "failed"]
    assert [one["name"] for one in failed] == ["IFS token"]
    assert "secret" in failed[0]["remedy"]
    page = world.person.get(f"/c/{NAME}/connect").text
    assert "Kept since" in page
    assert failed[0]["remedy"] in page

    again = world.person.post(f"/c/{NAME}/connect", data={"secret": "sandbox-secret"})
    assert again.status_code == 303
    checks = world.wait("checks")
    assert checks["failed"] == 0, checks
    names = {one["name"] for one in checks["steps"]}
    assert names >= {"IFS DNS", "IFS TLS", "IFS realm", "IFS token", "IFS companies", "IFS clock", "IFS page size"}
    assert names >= {"IFS names of suppliers", "IFS rows of suppliers", "Airbase rate limit", "Airbase subsidiaries"}
    assert names >= {"Airbase write permission", "Airbase webhook", "IFS webhook", "mapping of companies"}
    own = wiring.kept(world.store, NAME)
    assert own
    assert own.airbase.auth == "bearer"
    assert own.off  # nothing runs yet

    assert world.person.post(f"/c/{NAME}/fit").headers["location"] == f"/c/{NAME}/fit"
    fit = world.wait("fit")
    assert fit["fits"] is True
    page = world.person.get(f"/c/{NAME}/fit").text
    assert "It fits" in page
    assert fit["samples"][0]["key"] in page

    early = world.person.get(f"/c/{NAME}/connect").text
    assert "First: suppliers" in early
    form = {"flow": "suppliers", "every": "1", "run": "1", "once": "abc"}
    for _ in range(2):  # a second press orders nothing more
        assert world.person.post(f"/c/{NAME}/connect/live", data=form).status_code == 303
    own = wiring.kept(world.store, NAME)
    assert own
    assert "suppliers" not in own.off
    assert f"live{CLOSED}" in world.person.get(f"/c/{NAME}/connect").text
    with world.store.database.read() as transaction:
        ordered = transaction.execute(select(func.count()).select_from(orders).where(orders.c.flow == "suppliers"))
        assert ordered.scalar_one() == 1


def test_secrets_are_on_no_page_and_in_no_answer(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    said = world.person.get(f"/c/{NAME}/connect").text
    wrong = world.person.post(f"/c/{NAME}/connect", data=world.form(companies="1 / 2", secret="other-secret"))
    assert wrong.status_code == 422
    for page in (said, wrong.text):
        assert "sandbox-secret" not in page
        assert "sandbox-token" not in page
        assert "other-secret" not in page


@pytest.mark.parametrize("field", ["ifs_url", "airbase_url"])
def test_a_secret_that_is_kept_goes_to_no_other_address(world: World, field: str) -> None:
    """Else whoever may change the address could have it sent to a place of their own, and read it there."""
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    before = wiring.kept(world.store, NAME)
    with sandbox.start(generous(suppliers=1, orders=1)) as other:
        elsewhere = {field: getattr(other, field)}
        answer = world.person.post(f"/c/{NAME}/connect", data=elsewhere)
        assert answer.status_code == 422
        assert "was given for another address" in answer.text
        assert wiring.kept(world.store, NAME) == before
        assert not other.ifs_log.entries() + other.airbase_log.entries()
        given = elsewhere | {"secret": "of-the-other", "token": "of-the-other"}
        assert world.person.post(f"/c/{NAME}/connect", data=given).status_code == 303


def test_with_two_persons_nobody_sends_a_secret_elsewhere_or_signs_in_with_another_alone(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    strict = msgspec.structs.replace(versions.present(world.store, NAME).profile, two_persons=True)
    versions.change(world.store, NAME, strict, person="ola")
    here, before = f"/c/{NAME}", wiring.kept(world.store, NAME)
    with sandbox.start(generous(suppliers=1, orders=1)) as other:
        given = {"airbase_url": other.airbase_url, "token": "of-the-other"}
        world.person.post(f"{here}/connect", data=given)
        world.person.post(f"{here}/connect", data={"secret": "another"})
        assert wiring.kept(world.store, NAME) == before
        assert [world.store.connections.secret(NAME, one) for one in SYSTEMS] == ["sandbox-secret", "sandbox-token"]
        assert all(one["state"] != "failed" for one in world.wait("checks")["steps"]), "what counts still counts"
        assert not other.airbase_log.entries()
        with looking(world.url, world.store, Role.APPROVER, name="per") as per:
            waiting, page = per.get(f"{here}/approvals").text, per.get(f"{here}/mapping/versions/3").text
            told = f"a new secret, given with this version, goes to {other.airbase_url}, not to {world.box.airbase_url}"
            assert (told in waiting, told in page, "IFS: a new secret" in page) == (True, True, False)
            assert f"IFS: a new secret, given with this version, goes to {world.box.ifs_url}." in waiting
            assert "of-the-other" not in waiting + page
            assert per.post(f"{here}/mapping/versions/3/approve").status_code == 303
        assert world.store.connections.secret(NAME, "airbase") == "of-the-other"
        said = world.person.post(f"{here}/mapping/versions/4/rebase")
        assert (said.status_code, "make the change anew" in said.text) == (422, True)


def test_a_kept_secret_is_told_with_the_address_that_it_would_go_to(world: World) -> None:
    """As the command line may change an address alone."""
    world.person.post("/connect", data=world.form())
    own = wiring.kept(world.store, NAME)
    assert own
    strict = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, two_persons=True))
    wiring.connect(world.store, NAME, strict, versions.NO_SECRETS, person="ola")
    moved = msgspec.structs.replace(strict, ifs=msgspec.structs.replace(strict.ifs, url="https://elsewhere.example"))
    made = wiring.connect(world.store, NAME, moved, versions.NO_SECRETS, person="ola")
    assert made
    (told,) = destined(world.store, NAME, made)
    assert told.startswith("IFS: the secret kept since 2")
    assert told.endswith(f"goes to https://elsewhere.example, not to {world.box.ifs_url} any more.")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "a b", "can't name a connection"),
        ("name", "-x", "taken for an option"),
        ("secret", "", "client secret is missing"),
        ("token", "  ", "Airbase token is missing"),
        ("companies", " ", "Which companies"),
        ("realm", "", "realm of IFS is missing"),
        ("client_id", "a;b", "has characters that none has"),
        ("subsidiaries", "10 SUB-10", "is no pair"),
        ("airbase_url", "ftp://x", "not a usable address"),
        ("ifs_url", "https://user:pw@company.ifs.cloud", "name or password in it is not a usable address"),
        ("ifs_url", "https://:pw@company.ifs.cloud", "not a usable address"),
        ("ifs_url", "http://company.ifs.cloud", "not encrypted"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_stays_in_the_form(world: World, field: str, value: str, said: str) -> None:
    answer = world.person.post("/connect", data=world.form(**{field: value}))
    assert answer.status_code == 422
    assert said.replace("'", "&#39;") in answer.text
    assert 'value="10, 20"' in answer.text or field == "companies"
    assert world.store.connections.names() == []


INSIDE = (
    "https://127.0.0.1",
    "https://localhost",
    "https://127.1",
    "https://2130706433",
    "https://0x7f.0.0.1",
    "https://[::1]",
    "https://[::ffff:10.0.0.1]",
    "https://[64:ff9b::a00:1]",
    "https://169.254.169.254",
    "https://192.168.1.1:8443",
    "https://10.0.0.1/main/ifsapplications",
    "http://localhost:8600",
    "localhost",
)


def test_addresses_inside_the_network_are_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = World(stack, tmp_path, Installation())
        for field in ("ifs_url", "airbase_url"):
            for address in INSIDE:
                outside = {"ifs_url": "https://8.8.8.8", "airbase_url": "https://8.8.4.4", field: address}
                answer = world.person.post("/connect", data=world.form(**outside))
                assert answer.status_code == 422, address
                assert "inside the network" in answer.text, address
        assert world.store.connections.names() == []
        assert world.box.ifs_log.entries() == []


def test_an_address_of_the_command_line_stays_and_its_change_is_judged(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = World(stack, tmp_path)
        assert world.person.post("/connect", data=world.form()).status_code == 303
        strict = stack.enter_context(answering(world.store, installation=Installation()))
        client = stack.enter_context(looking(strict, world.store, Role.ADMINISTRATOR, name="ola"))
        kept = {"secret": "sandbox-secret", "ifs_url": world.box.ifs_url}
        assert client.post(f"/c/{NAME}/connect", data=kept).status_code == 303
        assert client.post(f"/c/{NAME}/connect", data={"airbase_url": "http://127.0.0.1:9"}).status_code == 422


def test_what_came_from_the_console_is_never_followed_inside(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    own = wiring.kept(world.store, NAME)
    assert own
    guarded = _public_only(own)
    wiring.connect(world.store, NAME, guarded, wiring.Secrets("", ""), person="kari")
    before = len(world.box.ifs_log.entries())
    world.person.post(f"/c/{NAME}/connect/check")
    steps = {one["name"]: one for one in world.wait("checks")["steps"]}
    assert steps["IFS DNS"]["state"] == "failed"
    assert "ALLOW_PRIVATE_SYSTEMS" in steps["IFS DNS"]["result"]
    assert "IFS realm" not in steps
    assert len(world.box.ifs_log.entries()) == before


def _public_only(own: Any) -> Any:
    ifs, airbase = (msgspec.structs.replace(one, public_only=True) for one in (own.ifs, own.airbase))
    return msgspec.structs.replace(own, ifs=ifs, airbase=airbase)


def test_who_may_not_does_not(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    with looking(world.url, world.store, Role.VIEWER, name="vera") as viewer:
        assert viewer.get("/connect").status_code == 403
        page = viewer.get(f"/c/{NAME}/connect").text
        assert "f-secret" not in page
        for place in ("/connect", f"/c/{NAME}/connect", f"/c/{NAME}/connect/check", f"/c/{NAME}/fit"):
            assert viewer.post(place, data=world.form()).status_code == 403
        assert viewer.post(f"/c/{NAME}/connect/live", data={"flow": "suppliers"}).status_code == 403


def test_another_of_the_same_name_is_not_replaced(world: World) -> None:
    world.person.post("/connect", data=world.form())
    answer = world.person.post("/connect", data=world.form(realm="other"))
    assert answer.status_code == 422
    assert "already" in answer.text


def test_a_look_ends_with_its_process(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = World(stack, tmp_path)
        world.person.post("/connect", data=world.form())
        world.wait("checks")
        number = world.store.connections.get(NAME).id
        held = world.box.faults.add(Fault("stalled_body", "ifs", path="*openid-configuration", options={"hold_s": 3}))
        looks = Looks(world.store, PRIVATE)
        looks.start(NAME, Kind.CHECK, "kari")
        looks.start(NAME, Kind.CHECK, "ola")  # one is under way: nothing more is done
        looks.stop()
        world.box.faults.remove(held)
        seen = looks.latest(number, Kind.CHECK)
        assert seen
        assert (seen.look.state, seen.person) == (State.BROKEN_OFF, "kari")
        looks.start(NAME, Kind.CHECK, "ola")  # none is begun any more
        again = looks.latest(number, Kind.CHECK)
        assert again == seen


def test_a_look_that_ends_while_it_is_asked_about_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    number = world.store.connections.get(NAME).id
    findings = Findings(world.store.database, world.store.vault, number)

    def ends(*_: object) -> bool:
        findings.keep("check", "kari", msgspec.json.encode(Look(State.DONE)))
        return True

    looks = Looks(world.store, PRIVATE)
    monkeypatch.setattr(looks, "_is_over", ends)
    findings.keep("check", "kari", msgspec.json.encode(Look(State.RUNNING)))
    seen = looks.latest(number, Kind.CHECK)
    assert seen
    assert seen.look.state is State.DONE


def test_what_a_process_left_behind_when_it_was_killed_is_told(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    stored = world.store.connections.get(NAME)
    running = msgspec.json.encode(Look(State.RUNNING))
    Findings(world.store.database, world.store.vault, stored.id).keep("check", "kari", running)
    assert world.wait("checks")["state"] == "broken off"
    assert "broke off" in world.person.get(f"/c/{NAME}/connect").text
    with world.store.database.lock(f"look/{stored.id}/check", 0):  # as another process that is at work
        assert "checking" in world.person.get(f"/c/{NAME}/connect").text


@pytest.mark.parametrize("kind", ["hmac", "standard"])
def test_a_signed_event_comes_round_and_leaves_no_trace(tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        world = World(stack, tmp_path)
        world.person.post("/connect", data=world.form())
        set_up(world.store, NAME, "airbase", Wish(scheme={"kind": kind}), "kari")
        set_up(world.store, NAME, "ifs", Wish(), "kari")
        outside = Installation(allow_private_systems=True, public_url=world.url)
        with wiring.joined(world.store, NAME) as both:
            found = {step.name: step for step in checking.webhooks(both, outside)}
            local = {step.name: step for step in checking.webhooks(both, PRIVATE)}
            lost = {step.name: step for step in checking.webhooks(both, Installation(public_url="http://127.0.0.1:9"))}
        for name in ("Airbase webhook", "IFS webhook"):
            assert found[name].ok
            assert "left no trace" in found[name].result
            assert "PUBLIC_URL" in local[name].remedy
            assert (lost[name].ok, lost[name].unreachable) == (False, True)
            assert "/hooks/" not in lost[name].result
        inbox = Inbox(world.store.database, world.store.vault)
        assert inbox.recent(world.store.connections.get(NAME).id, 10) == []


def test_what_is_posted_is_set_up_without_running(world: World) -> None:
    world.person.post("/connect", data=world.form(secret="wrong"))
    world.wait("checks")
    page = world.person.get(f"/c/{NAME}/connect").text
    assert "failed: a run would fail of the same" in page
    assert "Set up" in page
    for flow in ("purchase_requests", "payments", "payments"):
        assert world.person.post(f"/c/{NAME}/connect/post", data={"flow": flow}).status_code == 303
    at = ticking.place(world.store, NAME)
    assert at.flows == ()
    assert {"purchase_requests", "payments"} <= set(at.off)
    assert world.person.post(f"/c/{NAME}/connect/post", data={"flow": "suppliers"}).status_code == 422


def test_setting_up_turns_nothing_else_on(world: World) -> None:
    world.person.post("/connect", data=world.form())
    world.wait("checks")
    own = wiring.kept(world.store, NAME)
    assert own
    wiring.connect(world.store, NAME, msgspec.structs.replace(own, off=()), wiring.Secrets("", ""))
    before = ticking.place(world.store, NAME).flows
    world.person.post(f"/c/{NAME}/connect/post", data={"flow": "ledger_entries"})
    assert ticking.place(world.store, NAME).flows == before
    assert {"ledger_entries", "acknowledgements", "vendors"} <= set(ticking.place(world.store, NAME).off)
