"""What no page and no answer may do, for every address of the route table, so that a new one is covered by itself."""

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import structlog
from addresses import Address
from hostile import EVERYBODY, SECRETS, Hostile, hostile, values
from page_checks import Page

from ml_connector.console import static
from ml_connector.console.person import local
from ml_connector.store.api_tokens import Right
from ml_connector.store.rights import May, Role

CONSOLE = Path(static.__file__).parent.parent
STREAMS = ("/events",)  # they last
# What everybody who has signed in does for themselves.
OWN = {"/sign-out", "/account/password", "/account/sign-out"}
EVIL = (
    "//evil.example/x",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:pwn()",
    "/a\nb",
    "\\\\evil",
    "evil.example",
)
COMPUTED = str(7 * 1234567)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    with hostile(tmp_path_factory.mktemp("hostile")) as one:
        yield one


def acts(here: Hostile, kind: str) -> list[Address]:
    return [one for one in here.addresses if not one.looks and one.kind == kind]


def looks(here: Hostile, *kinds: str) -> list[Address]:
    found = [one for one in here.addresses if one.method == "GET" and one.kind in kinds]
    return [one for one in found if not one.path.endswith(STREAMS)]


def programs(here: Hostile, right: Right) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {here.tokens[right]}"}
    return httpx2.Client(base_url=here.url, headers=headers, trust_env=False)


def rights_of(one: Address) -> set[May]:
    """What a page asks for."""
    return {right for needed in one.route.dependencies if (right := getattr(needed.dependency, "right", None))}


def test_every_address_is_guarded_or_known_to_be_open(here: Hostile) -> None:
    """Whoever adds an address for anybody says so here."""
    known = {"/static/{name}", "/healthz", "/readyz", "/metrics", "/hooks/{token}", "/sign-in", "/set-up/{token}"}
    open_to_all = {one.path for one in here.addresses if one.kind == "anybody"}
    assert open_to_all <= known | {path for path in open_to_all if path.startswith("/sign-in/")}


def test_a_viewer_changes_nothing_by_any_page(here: Hostile) -> None:
    with here.looking(Role.VIEWER) as client:
        before = here.rows()
        for one in acts(here, "person"):
            if one.path not in OWN:
                answer = client.request(one.method, one.filled(values(one, wild=False)), data={"x": "1"})
                assert answer.status_code == 403, f"{one.method} {one.path}: {answer.status_code}"
                assert rights_of(one) - {May.READ}, f"{one.path} needs no more than to read"
    assert here.rows() == before


def test_a_token_that_may_read_changes_nothing(here: Hostile) -> None:
    before = here.rows()
    with programs(here, Right.READ) as client:
        for one in acts(here, "program"):
            answer = client.request(one.method, one.filled(values(one, wild=False)), json={})
            assert answer.status_code == 403, f"{one.method} {one.path}: {answer.status_code}"
    assert here.rows() == before


def test_without_a_session_there_is_only_sign_in(here: Hostile) -> None:
    before = here.rows()
    with httpx2.Client(base_url=here.url, headers={"Accept": "text/html"}, trust_env=False) as client:
        for one in (one for one in here.addresses if one.kind == "person"):
            for cookie in ({}, {"Cookie": "mlc_session=" + "A" * 43}):
                answer = client.request(one.method, one.filled(values(one, wild=False)), headers=cookie)
                assert answer.status_code == 303, f"{one.method} {one.path}"
                assert answer.headers["location"].startswith("/sign-in?next=%2F")
        for one in (one for one in here.addresses if one.kind == "program"):
            assert client.request(one.method, one.filled(values(one, wild=False))).status_code == 401
    assert here.rows() == before


def test_no_form_but_ours_does_anything(here: Hostile) -> None:
    with here.looking(*EVERYBODY) as client, here.looking(Role.CLERK) as other:
        before = here.rows()
        wrong = (
            {"x-csrf": ""},
            {"x-csrf": other.headers["x-csrf"]},
            {"x-csrf": "0" * 64},
            {"x-csrf": "é".encode("latin-1")},
        )
        for one in acts(here, "person"):
            for headers in wrong:
                address = one.filled(values(one, wild=False))
                for more in ({"data": {"csrf": "no"}}, {"data": {}}, {"files": {"csrf": ("a", b"no")}}, {"json": {}}):
                    answer = client.request(one.method, address, headers=headers, **more)
                    assert answer.status_code in (400, 403), f"{one.method} {one.path}: {answer.status_code}"
        assert here.rows() == before


def test_who_only_looks_changes_nothing(here: Hostile) -> None:
    with here.looking(*EVERYBODY) as person, programs(here, Right.ADMIN) as program:
        before = here.rows()
        for one in looks(here, "person", "program", "anybody"):
            for wild in (False, True):
                (program if one.kind == "program" else person).get(one.filled(values(one, wild)))
        assert here.rows() == before


def test_nothing_hostile_becomes_part_of_a_page(here: Hostile) -> None:
    seen = ""
    with here.looking(*EVERYBODY) as client:
        for one in looks(here, "person", "anybody"):
            for wild in (False, True):
                answer = client.get(one.filled(values(one, wild)))
                where = f"{one.path} {'hostile' if wild else 'plain'}"
                assert answer.status_code < 500, f"{where}: {answer.text[:500]}"
                if not answer.headers.get("content-type", "").startswith("text/html"):
                    continue
                read = Page(answer.text, elsewhere(here))
                assert not read.faults, f"{where}: {read.faults[:5]}"
                assert COMPUTED not in answer.text, where
                seen += read.text
    for mark in SHOWN:
        assert f"{mark}\"'>" in seen, f"{mark} is shown nowhere, so that nothing is tested"


SHOWN: tuple[str, ...] = ()


def elsewhere(here: Hostile) -> tuple[str, ...]:
    """Where links may lead besides: to both systems."""
    return tuple(str(urlsplit(place).hostname) for place in (here.joined.box.ifs_url, here.joined.box.airbase_url))


def test_every_answer_says_what_a_browser_may_do(here: Hostile) -> None:
    with here.looking(*EVERYBODY) as person, programs(here, Right.ADMIN) as program:
        for one in looks(here, "person", "program", "anybody"):
            answer = (program if one.kind == "program" else person).get(one.filled(values(one, wild=False)))
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'"), one.path
            assert "unsafe" not in policy, one.path
            assert "frame-ancestors 'none'" in policy, one.path
            assert answer.headers["x-content-type-options"] == "nosniff"
            kept = answer.headers["cache-control"]
            assert kept == (static.KEPT if one.path.startswith("/static") and answer.status_code == 200 else "no-store")


def test_no_secret_is_shown_or_logged(here: Hostile, capfd: pytest.CaptureFixture[str]) -> None:
    said = ""
    with structlog.testing.capture_logs() as logged, here.looking(*EVERYBODY) as person:
        session = person.cookies.get("mlc_session") or ""
        with programs(here, Right.ADMIN) as program:
            for one in here.addresses:
                client = program if one.kind == "program" else person
                if one.path.endswith(STREAMS) or one.path in OWN:
                    continue
                answer = client.request(one.method, one.filled(values(one, wild=False)), headers={"x-csrf": "no"})
                said += f"{answer.headers}{answer.text}"
    out = capfd.readouterr()
    said += json.dumps(logged, default=str) + out.out + out.err
    secrets = SECRETS | {"session": session} | {f"token {right}": token for right, token in here.tokens.items()}
    for name, secret in secrets.items():
        assert secret not in said, f"the {name} is told"


def test_nothing_but_our_files_is_served(here: Hostile) -> None:
    address = urlsplit(here.url)
    outside = (
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "....//app.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "..\\app.py",
    )
    for path in (*outside, "style.css/../../app.py", "style.css%00", "__init__.py", "%252e%252e%252fapp.py", ""):
        asking = HTTPConnection(address.hostname or "", address.port, timeout=10)
        asking.request("GET", f"/static/{path}")
        assert asking.getresponse().status in (404, 422), path
        asking.close()


@pytest.mark.parametrize("place", EVIL)
def test_no_place_of_others_is_gone_to(place: str) -> None:
    assert local(place) == "/"


def test_no_form_leads_elsewhere(tmp_path: Path) -> None:
    """Every field of a form that might be a place to go to, with places of others; in a store of its own."""
    with hostile(tmp_path) as here, here.looking(*EVERYBODY) as client:
        for one in [one for one in here.addresses if one.kind == "person" and one.path not in OWN]:
            if one.path.endswith(STREAMS):
                continue
            for evil in EVIL[:3]:
                fields = dict.fromkeys(("next", "back", "place", "then", "to", "return", "url", "path"), evil)
                more = {"params": fields} if one.looks else {"data": fields, "params": {"next": evil}}
                headers = {"referer": "https://evil.example/c/acme"}
                answer = client.request(one.method, one.filled(values(one, wild=False)), headers=headers, **more)
                for header in ("location", "hx-redirect", "hx-location", "refresh"):
                    there = answer.headers.get(header, "/")
                    assert there.startswith("/"), f"{one.path}: {there}"
                    assert not there.startswith(("//", "/\\")), f"{one.path}: {there}"


ATTRIBUTES = re.compile(r"\s(style|on[a-z]+|hx-on[a-z:-]*|hx-vals|hx-vars|srcdoc)\s*=", re.IGNORECASE)
UNSAFE = ("|safe", "| safe", "autoescape", "<style", "javascript:", "<iframe", "Markup")
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL | re.IGNORECASE)


@pytest.mark.parametrize("file", sorted((CONSOLE / "templates").rglob("*.html")), ids=lambda file: file.name)
def test_no_template_holds_what_the_policy_forbids(file: Path) -> None:
    text = file.read_text()
    assert not ATTRIBUTES.search(text)
    assert not [one for one in UNSAFE if one in text]
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    open_to_all = file.name in ("sign_in.html", "set_up.html")  # nobody has a session there
    for form in [] if open_to_all else FORM.findall(text):
        assert "hidden()" in form, "a form without csrf"


def test_what_is_marked_as_safe_is_known() -> None:
    """Python that makes HTML by itself can be counted on one hand."""
    marking = {file.name for file in CONSOLE.rglob("*.py") if "Markup" in file.read_text()}
    assert marking <= {"words.py"}
