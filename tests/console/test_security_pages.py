"""What no page and no answer may do, for every address of the route table, so that a new one is covered by itself."""

import csv
import io
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import pytest
import structlog
from addresses import Address
from hostile import EVERYBODY, QUERIES, SECRETS, Hostile, bad, hostile, values
from page_checks import Form, Page
from rig import NAME

from ml_connector.console import static
from ml_connector.console.pages.routing import TWIN
from ml_connector.console.person import Needs, local
from ml_connector.store.api_tokens import Right
from ml_connector.store.rights import May, Role

CONSOLE = Path(static.__file__).parent.parent
STREAMS = ("/events",)  # they last
# What everybody who has signed in does for themselves.
OWN = {"/sign-out", "/account/password", "/account/sign-out"}
ALONE = {"/account"}  # of nobody's concern but one's own
# What of the hostile world has to be seen somewhere, else nothing is tested.
SHOWN = (
    *("after", "assignee", "author", "before", "blackouter", "body", "cause", "error", "event note", "event type"),
    *("fact", "inviter", "key", "maker", "note", "objection", "order", "orderer", "person", "reason", "remedy"),
    *("sentence", "signer", "subsidiary", "term", "tie-out note", "user", "value", "warning"),
)
EVIL = (
    "//evil.example/x",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:pwn()",
    "/a\nb",
    "\\\\evil",
    "evil.example",
)
PLACES = ("next", "back", "place", "then", "return")
KEPT = ("csrf", "once", *PLACES)
FORMS_MIN = 20
FORGED: tuple[dict[str, Any], ...] = (
    {"data": {"csrf": "no"}},
    {"data": {}},
    {"files": {"csrf": ("a", b"no")}},
    {"json": {}},
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
    return httpx2.Client(base_url=here.url, headers=headers, trust_env=False, timeout=60)


def rights_of(one: Address) -> set[May]:
    """What a page asks for."""
    needed = (each.dependency for each in one.route.dependencies)
    return {each.right for each in needed if isinstance(each, Needs)}


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
    with httpx2.Client(base_url=here.url, headers={"Accept": "text/html"}, trust_env=False, timeout=60) as client:
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
                for more in FORGED:
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
                address = one.filled(values(one, wild))
                for asked in ({}, QUERIES.get(one.path, {}), {name: bad(name) for name in one.asked}):
                    seen += checked(here, client.get(address, params=asked), f"{one.path} {wild} {bool(asked)}")
    for mark in SHOWN:
        assert f"{mark}\"'>" in seen, f"{mark} is shown nowhere, so that nothing is tested"


def test_what_was_said_is_text(here: Hostile) -> None:
    with here.looking(*EVERYBODY) as client:
        cookies = "; ".join(
            f"{name}={value}" for name, value in [*client.cookies.items(), ("mlc_said", quote(bad("said")))]
        )
        answer = client.get(f"/c/{NAME}", headers={"Cookie": cookies})
        assert 'said"' in checked(here, answer, "said")


def checked(here: Hostile, answer: httpx2.Response, where: str) -> str:
    """What is read on a page, once it is sure that nothing on it is what it should not be."""
    assert answer.status_code < 500, f"{where}: {answer.text[:500]}"
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/csv"):
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))], where
    if not kind.startswith("text/html"):
        return ""
    read = Page(answer.text, elsewhere(here))
    assert not read.faults, f"{where}: {read.faults[:5]}"
    assert COMPUTED not in answer.text, where
    assert all(action.startswith(("/sign-in", "/set-up/")) for action in read.forms_of_nobody), where
    return read.text


def elsewhere(here: Hostile) -> tuple[str, ...]:
    """Where links may lead besides: to both systems."""
    return tuple(str(urlsplit(place).hostname) for place in (here.joined.box.ifs_url, here.joined.box.airbase_url))


def test_each_page_is_found_as_data(here: Hostile) -> None:
    """Its twin is there, and answers."""
    with here.looking(*EVERYBODY) as person, programs(here, Right.ADMIN) as program:
        for one in looks(here, "person"):
            answer = person.get(one.filled(values(one, wild=False)))
            if one.path in ALONE or answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            twin = (one.route.openapi_extra or {}).get(TWIN, "")
            assert twin, f"{one.path} has no twin"
            told = program.get(f"/api/v1{twin.format_map(values(one, wild=False))}")
            assert told.status_code in (200, 405), f"{one.path}: {twin} {told.status_code}"


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
        asking = HTTPConnection(address.hostname or "", address.port, timeout=60)
        asking.request("GET", f"/static/{path}")
        assert asking.getresponse().status in (404, 422), path
        asking.close()


@pytest.mark.parametrize("place", EVIL)
def test_no_place_of_others_is_gone_to(place: str) -> None:
    assert local(place) == "/"


def test_no_form_leads_elsewhere(tmp_path: Path) -> None:
    """Every form of every page, sent as it stands, then with what is hostile in it; in a store of its own."""
    with hostile(tmp_path) as here, here.looking(*EVERYBODY) as client:
        forms = forms_of(here, client)
        assert len(forms) >= FORMS_MIN
        for form in forms:
            for changed in (
                dict.fromkeys(PLACES, EVIL[0]),
                {name: bad(name) for name in form.fields if name not in KEPT},
            ):
                answer = send(client, form, form.fields | changed)
                where = f"{form.method} {form.action} {sorted(changed)}"
                checked(here, answer, where)
                for header in ("location", "hx-redirect", "hx-location", "refresh"):
                    place = answer.headers.get(header, "/")
                    assert place == local(place), f"{where}: {place}"


def forms_of(here: Hostile, client: httpx2.Client) -> list[Form]:
    """The forms that there are, one of each kind, but for those that would end the session."""
    found: dict[Any, Form] = {}
    for one in looks(here, "person"):
        for wild in (False, True):
            answer = client.get(one.filled(values(one, wild)))
            for form in (
                Page(answer.text).forms if answer.headers.get("content-type", "").startswith("text/html") else ()
            ):
                form.action = form.action or answer.url.path
                if form.action not in OWN and "viewer-" not in form.action:
                    found.setdefault((form.action, *form.fields), form)
    return list(found.values())


def send(client: httpx2.Client, form: Form, fields: dict[str, str]) -> httpx2.Response:
    """Send a form as a browser would."""
    if form.method == "get":
        return client.get(form.action, params=fields)
    return client.post(form.action, data=fields, headers={"referer": "https://evil.example/c/acme"})


ATTRIBUTES = re.compile(r"\s(style|on[a-z]+|hx-on[a-z:-]*|hx-vars|srcdoc)\s*=", re.IGNORECASE)
JINJA = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
UNSAFE = ("|safe", "| safe", "autoescape", "<style", "javascript:", "<iframe", "Markup")


@pytest.mark.parametrize("file", sorted((CONSOLE / "templates").rglob("*.html")), ids=lambda file: file.name)
def test_no_template_holds_what_the_policy_forbids(file: Path) -> None:
    text = file.read_text()
    assert not ATTRIBUTES.search(JINJA.sub("", text))
    assert not [one for one in UNSAFE if one in text]
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_what_is_marked_as_safe_is_known() -> None:
    """Python that makes HTML by itself can be counted on one hand."""
    marking = {file.name for file in CONSOLE.rglob("*.py") if "Markup" in file.read_text()}
    assert marking <= {"words.py"}
