"""Access in the console: coming in, staying in, and who may let others in."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from serving import answering, looking

from ml_connector import wiring
from ml_connector.console import attempts
from ml_connector.console.attempts import WRONG_MAX
from ml_connector.console.cookies import COOKIE
from ml_connector.console.pages import signing
from ml_connector.settings import Installation
from ml_connector.store import passwords
from ml_connector.store.access import Access
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.db import Database
from ml_connector.store.invitations import Invitations
from ml_connector.store.rights import Role
from ml_connector.store.sessions import IDLE, Sessions
from ml_connector.store.users import Users

PASSWORD, OTHER = "correct horse battery", "staple of the other kind"
ADMINISTRATORS = (Role.ADMINISTRATOR, Role.APPROVER)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost little, and refusals at once."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(signing, "REFUSED_S", 0.0)


@pytest.fixture
def url(opened: wiring.Opened) -> Iterator[str]:
    with answering(opened) as address:
        yield address


def browser(url: str, **more: str) -> httpx2.Client:
    """Somebody without a session."""
    return httpx2.Client(base_url=url, headers={"Accept": "text/html", **more}, trust_env=False, timeout=60)


def come_in(opened: wiring.Opened, client: httpx2.Client, name: str, *roles: Role) -> httpx2.Response:
    """Accept an invitation."""
    token = Access(opened.database, opened.vault).invite(name, roles, "root")
    return client.post(f"/set-up/{token}", data={"password": PASSWORD, "again": PASSWORD})


def csrf(client: httpx2.Client) -> str:
    """What the forms of this session carry."""
    return re.findall(r'name="csrf" value="([0-9a-f]{64})"', client.get("/account").text)[0]


def sign_in(client: httpx2.Client, name: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return client.post("/sign-in", data={"name": name, "password": password, **more})


def events(opened: wiring.Opened, about: str) -> list[str]:
    return [str(one.facts["event"]) for one in wiring.installation_journal(opened).timeline(None, about)]


def test_the_first_start(url: str, opened: wiring.Opened) -> None:
    link = Invitations(opened.database, opened.vault).set_up("root")
    with browser(url) as client:
        first = client.get("/", follow_redirects=True)
        assert "look at the terminal" in first.text.lower()
        assert link
        assert link not in first.text
        assert client.get(f"/set-up/{link}").status_code == client.get(f"/set-up/{link}").status_code == 200
        typed = {"name": " Kari ", "password": PASSWORD}
        refused = client.post(f"/set-up/{link}", data=typed | {"again": "other"})
        assert (refused.status_code, "not the same" in refused.text, PASSWORD in refused.text) == (422, True, False)
        assert client.post(f"/set-up/{link}", data=typed | {"again": PASSWORD}).headers["location"] == "/"
        assert "administrator, approver" in client.get("/account").text
        over = client.get(f"/set-up/{link}")
        assert (over.status_code, "used already" in over.text) == (404, True)


def test_wrong_passwords_and_unknown_names_look_alike(url: str, opened: wiring.Opened) -> None:
    with browser(url) as client:
        come_in(opened, client, "kari", *ADMINISTRATORS)
    with browser(url) as client:
        known, unknown = (sign_in(client, name, "wrong") for name in ("kari", "nobody"))
        assert known.status_code == unknown.status_code == 422
        assert known.text.replace("kari", "") == unknown.text.replace("nobody", "")
        right = sign_in(client, " KARI ", next="/access?a=b")
        assert (right.status_code, right.headers["location"]) == (303, "/access?a=b")


def test_a_refusal_takes_its_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "REFUSED_S", 0.3)
    with browser(url) as client:
        began = time.monotonic()
        assert sign_in(client, "nobody", "wrong").status_code == 422
        assert time.monotonic() - began >= 0.3  # never sooner; later on a busy machine


def test_an_address_that_tries_many_names_waits(url: str, opened: wiring.Opened) -> None:
    with browser(url) as client:
        come_in(opened, client, "kari", *ADMINISTRATORS)
        assert sign_in(client, "kari").status_code == 303
        answers = [sign_in(client, f"n{number}", "wrong").status_code for number in range(WRONG_MAX + 2)]
        assert answers == [422] * WRONG_MAX + [429] * 2
        assert sign_in(client, "kari").status_code == 303  # who came in from there lately does not wait


def test_a_name_that_came_in_lately_can_be_tried_so_often_only(
    url: str, opened: wiring.Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try takes a processor's time: who knows a name could take all of it."""
    monkeypatch.setattr(attempts, "WRONG_MAX", 3)
    looked_at: list[str] = []

    def fits(_kept: str, given: str) -> bool:
        looked_at.append(given)
        return given == PASSWORD

    monkeypatch.setattr(passwords, "fits", fits)
    with browser(url) as client:
        come_in(opened, client, "kari", *ADMINISTRATORS)
        assert sign_in(client, "kari").status_code == 303
        answers = [sign_in(client, " Kari ", "wrong").status_code for _ in range(5)]
    assert answers == [422] * 3 + [429] * 2
    assert looked_at == [PASSWORD] + ["wrong"] * 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 422),
        ({}, 422),
    ],
)
def test_nobody_is_signed_in_by_somebody_elses_page(url: str, headers: dict[str, str], status: int) -> None:
    with browser(url, **headers) as client:
        assert sign_in(client, "kari", "wrong").status_code == status
    with browser(url, Origin=url) as client:
        assert sign_in(client, "kari", "wrong").status_code == 422


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/\n/x"])
def test_after_signing_in_one_stays_here(url: str, opened: wiring.Opened, place: str) -> None:
    with browser(url) as client:
        come_in(opened, client, "kari", *ADMINISTRATORS)
        assert sign_in(client, "kari", next=place).headers["location"] == "/"
        assert client.get("/sign-in", params={"next": place}).headers["location"] == "/"


def test_a_session_that_was_planted_is_not_taken_up(url: str, opened: wiring.Opened) -> None:
    with browser(url) as client:
        come_in(opened, client, "kari", *ADMINISTRATORS)
        before = client.cookies[COOKIE]
        sign_in(client, "kari")
        after = client.cookies[COOKIE]
        assert before != after
    for planted, status in ((before, 303), (after, 200), ("x" * 43, 303)):
        with httpx2.Client(base_url=url, cookies={COOKIE: planted}, trust_env=False, timeout=60) as other:
            assert other.get("/account").status_code == status
    with httpx2.Client(base_url=url, cookies={COOKIE: "p" * 43}, trust_env=False, timeout=60) as victim:
        sign_in(victim, "kari")
        assert "p" * 43 not in [cookie.value for cookie in victim.cookies.jar if cookie.domain == "127.0.0.1"]


def test_cookies_are_for_this_host_and_no_script(opened: wiring.Opened) -> None:
    token = Access(opened.database, opened.vault).invite("kari", ADMINISTRATORS, "root")
    typed = {"password": PASSWORD, "again": PASSWORD}
    public = Installation(public_url="https://connector.example.com/")
    with answering(opened, installation=public) as url, browser(url) as client:
        given = client.post(f"/set-up/{token}", data=typed).headers.get_list("set-cookie")
        session = next(one for one in given if "mlc_session" in one)
        assert session.startswith("__Host-mlc_session=")
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(session.split("; "))
        assert "Domain" not in session
        value = session.partition("=")[2].partition(";")[0]
        for name, status in ((COOKIE, 303), (f"__Host-{COOKIE}", 200)):
            headers = {"Cookie": f"{name}={value}"}
            assert client.get("/account", headers=headers).status_code == status


def test_signing_out_and_a_session_that_is_over(
    url: str, opened: wiring.Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with looking(url, opened, *ADMINISTRATORS) as client:
        token = client.cookies[COOKIE]
        assert client.post("/sign-out").headers["location"] == "/sign-in"
        client.cookies.set(COOKIE, token)
        assert client.get("/account").headers["location"] == "/sign-in?next=%2Faccount"
    with looking(url, opened) as client:
        later = datetime.now(UTC) + IDLE

        def tomorrow(db: Database) -> Sessions:
            return Sessions(db, lambda: later)

        monkeypatch.setattr("ml_connector.console.site.Sessions", tomorrow)
        lost = client.post("/access/people", headers={"referer": f"{url}/access?x=1"})
        assert lost.headers["location"] == "/sign-in?next=%2Faccess&again=1"
        assert "Your session is over" in client.get(lost.headers["location"]).text


def test_inviting_changing_disabling(url: str, opened: wiring.Opened) -> None:
    with looking(url, opened, *ADMINISTRATORS) as kari, browser(url) as ola:
        with browser(url) as eva:
            come_in(opened, eva, "eva", Role.ADMINISTRATOR)
        made = kari.post("/access/people", data={"name": "Ola", "roles": ["clerk", "viewer"]})
        link = re.findall(r'value="(http\S+/set-up/\S+)"', made.text)[0]
        assert link.startswith(url)
        assert ola.post(link, data={"password": OTHER, "again": OTHER}).status_code == 303
        assert link.rpartition("/")[2] not in kari.get("/access").text
        again = kari.post("/access/people", data={"name": "ola", "roles": ["clerk"]})
        assert (again.status_code, "already" in again.text) == (422, True)
        assert kari.post("/access/people", data={"name": "x", "roles": ["king"]}).status_code == 422
        assert ola.get("/access").status_code == 403
        assert ola.get("/account").status_code == 200
        there = kari.post("/access/people/ola/roles", data={"roles": ["administrator"]})
        assert there.headers["location"] == "/access/people/ola"
        assert ola.get("/account").status_code == 303
        sign_in(ola, "ola", OTHER)
        assert ola.get("/access").status_code == 200
        ApiTokens(opened.database).create("bi", Right.READ, "ola")
        kari.post("/access/people/ola/disable")
        assert "go on working; revoke those that they may know: bi." in kari.get("/access/people/ola").text
        assert ola.get("/account").status_code == 303
        assert sign_in(ola, "ola", OTHER).status_code == 422
        kari.post("/access/people/ola/enable")
        assert sign_in(ola, "ola", OTHER).status_code == 303
        kari.post("/access/people/ola/sign-out")
        assert ola.get("/account").status_code == 303
        assert kari.get("/access/people/nobody").status_code == 404
        assert kari.post("/access/people/nobody/disable").status_code == 422
    told = ["invited", "password_chosen", "roles", "signed_in", "disabled", "enabled", "signed_in", "signed_out"]
    assert [one for one in events(opened, "ola") if one != "sign_in_failed"] == told
    assert wiring.installation_journal(opened).verify().sound


def test_somebody_without_a_role_sees_nothing_but_their_account(url: str, opened: wiring.Opened) -> None:
    with looking(url, opened) as client:
        assert client.get("/").status_code == 403
        shown = client.get("/account")
        assert (shown.status_code, "no role yet" in shown.text) == (200, True)
        assert client.post("/sign-out").status_code == 303


def test_with_two_persons_another_administrator_confirms(opened: wiring.Opened) -> None:
    careful = Installation(access_two_persons=True)
    with answering(opened, installation=careful) as url, looking(url, opened, *ADMINISTRATORS) as kari:
        kari.post("/access/people", data={"name": "ola", "roles": ["approver"]})
        assert "to confirm" in kari.get("/access").text
        refused = kari.post("/access/people/ola/confirm")
        assert (refused.status_code, "nother administrator has to" in refused.text) == (422, True)
        with looking(url, opened, Role.ADMINISTRATOR, name="eva") as eva:
            assert eva.post("/access/people/ola/confirm").status_code == 303
        assert next(one for one in Users(opened.database).all() if one.name == "ola").roles == (Role.APPROVER,)


def test_a_changed_password_ends_all_other_sessions(url: str, opened: wiring.Opened) -> None:
    with browser(url) as here, browser(url) as elsewhere:
        come_in(opened, here, "kari", *ADMINISTRATORS)
        sign_in(elsewhere, "kari")
        assert elsewhere.get("/account").text.count("another") == 1
        form = {"csrf": csrf(here), "password": OTHER, "again": OTHER}
        wrong = here.post("/account/password", data=form | {"old": "wrong"})
        assert (wrong.status_code, "is not right" in wrong.text) == (422, True)
        assert here.post("/account/password", data=form | {"old": PASSWORD, "again": "x"}).status_code == 422
        assert here.post("/account/password", data=form | {"old": PASSWORD}).headers["location"] == "/account"
        assert (here.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)
        assert sign_in(elsewhere, "kari").status_code == 422
        sign_in(elsewhere, "kari", OTHER)
        here.post("/account/sign-out", data={"csrf": csrf(here)})
        assert (here.get("/account").status_code, elsewhere.get("/account").status_code) == (303, 303)


def test_a_token_is_shown_once_and_revoked(url: str, opened: wiring.Opened) -> None:
    with looking(url, opened, *ADMINISTRATORS) as kari:
        made = kari.post("/access/tokens", data={"token": " grafana ", "scope": "admin", "days": "30"})
        token = re.findall(r"mlc_[\w-]{43}", made.text)[0]
        assert token not in kari.get("/access").text
        bearer = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=url, headers=bearer, trust_env=False, timeout=60) as program:
            users, tokens = program.get("/api/v1/users").json(), program.get("/api/v1/tokens").json()
            assert [(one["name"], set(one["roles"]), one["state"]) for one in users["users"]] == [
                ("kari", {"administrator", "approver"}, "invited")
            ]
            assert [(one["name"], one["scope"], one["state"]) for one in tokens["tokens"]] == [
                ("grafana", "admin", "in force")
            ]
            for odd in ("", "0", "-1", "x", "99999", "1.5"):
                status = 422 if odd else 200
                assert kari.post("/access/tokens", data={"token": f"t{odd}", "days": odd}).status_code == status
            kari.post("/access/tokens/grafana/revoke")
            assert program.get("/api/v1/users").status_code == 401
    assert events(opened, "token:grafana") == ["token_made", "token_revoked"]


def test_access_is_told_to_administrators_alone(url: str, opened: wiring.Opened) -> None:
    tokens = {right: ApiTokens(opened.database).create(str(right), right, "kari") for right in Right}
    for right, token in tokens.items():
        for noun in ("users", "tokens"):
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx2.get(f"{url}/api/v1/{noun}", headers=headers, trust_env=False, timeout=60)
            assert answer.status_code == (200 if right is Right.ADMIN else 403)
    with looking(url, opened, Role.APPROVER, Role.CLERK, name="ola") as ola:
        for place in ("/access", "/access.csv", "/access.json", "/access/people/ola"):
            assert ola.get(place).status_code == 403


def test_the_access_list_is_exported_and_no_formula(url: str, opened: wiring.Opened) -> None:
    Users(opened.database).create("=cmd|' /C calc'!A0", [Role.CLERK], "@evil")
    with looking(url, opened, *ADMINISTRATORS) as kari:
        rows = list(csv.reader(io.StringIO(kari.get("/access.csv").text)))
        assert [row[0] for row in rows if row] == ["name", "'=cmd|' /C calc'!A0", "kari", "token"]
        assert rows[1][6] == "'@evil"
        data = json.loads(kari.get("/access.json").text)
        assert [one["name"] for one in data["users"]] == ["=cmd|' /C calc'!A0", "kari"]


def test_who_was_locked_is_told_so(url: str, opened: wiring.Opened) -> None:
    with browser(url) as client:
        come_in(opened, client, "ola", Role.CLERK)
        for _ in range(5):
            sign_in(client, "ola", "wrong")
    found = next(one for one in Users(opened.database).all() if one.name == "ola")
    assert found.locked_until
    assert timedelta(0) < found.locked_until - datetime.now(UTC) <= timedelta(minutes=1)
    with looking(url, opened, *ADMINISTRATORS) as kari:
        assert "End the lock-out" in kari.get("/access/people/ola").text
