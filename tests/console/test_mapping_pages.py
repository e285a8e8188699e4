"""Mapping in the console: row by row and as text, looked at, tried, saved as a version, approved by somebody else."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx2
import msgspec
import pytest
from rig import NAME
from serving import Served, looking, serving

from ml_connector.console.views.exceptions import fix
from ml_connector.store.rights import Role
from ml_connector.wiring import versions

HERE = f"/c/{NAME}/mapping"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("mapping")) as one:
        yield one


@pytest.fixture
def kari(here: Served) -> Iterator[httpx2.Client]:
    """Who looks after the mapping; what they changed is put back."""
    before = versions.present(here.joined.store, NAME)
    with looking(here.url, here.joined.store, Role.ADMINISTRATOR) as client:
        yield client
    now = versions.present(here.joined.store, NAME)
    for one in versions.of(here.joined.store, NAME).waiting():
        versions.end(here.joined.store, NAME, one.number, "kari")
    if now != before:
        versions.connect(here.joined.store, NAME, before, versions.NO_SECRETS, person="ola")
        for one in versions.waiting(here.joined.store, NAME):
            versions.approve(here.joined.store, NAME, one.number, "per")


def carried(page: str) -> dict[str, str]:
    """The draft that the forms of a page carry."""
    found = {name: re.findall(rf'name="{name}" value="([^"]*)"', page) for name in ("draft", "base")}
    return {name: unescape(values[0]) for name, values in found.items()}


def add(client: httpx2.Client, page: str, table: str, at: str = "", **cells: str) -> httpx2.Response:
    """Fill in a row."""
    typed = {f"c-{name}": value for name, value in cells.items()}
    return client.post(HERE, data={**carried(page), "do": f"set:{table}:{at}", **typed})


def profile(here: Served) -> Any:
    return versions.present(here.joined.store, NAME).profile


def with_two(here: Served) -> None:
    present = versions.present(here.joined.store, NAME)
    two = msgspec.structs.replace(present.profile, two_persons=True)
    versions.change(here.joined.store, NAME, two, person="ola")


def test_a_row_is_added_reviewed_and_saved(here: Served, kari: httpx2.Client) -> None:
    first = kari.get(HERE).text
    changed = add(kari, first, "payment_terms", term=" 30 ", value="Net 30")
    assert (changed.status_code, "1 change not saved yet" in changed.text) == (200, True)
    more = add(kari, changed.text, "payment_terms", term="14", value="Net 14").text
    review = kari.post(f"{HERE}/review", data=carried(more)).text
    assert ("Net 30" in review, "Net 14" in review) == (True, True)
    assert profile(here).mapping.payment_terms == {}, "nothing is kept before it is saved"
    saved = kari.post(f"{HERE}/save", data={**carried(review), "note": "new terms"})
    assert saved.headers["location"] == HERE
    assert profile(here).mapping.payment_terms == {"30": "Net 30", "14": "Net 14"}
    one = versions.of(here.joined.store, NAME).in_force()
    assert one
    assert (one.author, one.note) == ("kari", "new terms")
    again = kari.post(f"{HERE}/save", data={**carried(review), "note": "new terms"})
    assert again.status_code == 303, "a second press changes nothing"
    assert versions.number_in_force(here.joined.store, NAME) == one.number


def test_a_link_opens_a_row_for_a_value(kari: httpx2.Client) -> None:
    page = kari.get(HERE, params={"table": "payment_terms", "value": "45", "suggested": "Net 45"}).text
    assert ('value="45"' in page, 'value="Net 45"' in page) == (True, True)
    assert 'value="set:payment_terms:"' in page
    there = kari.get(HERE, params={"table": "subsidiaries", "value": "20"}).text
    assert 'value="set:subsidiaries:1"' in there, "the row that is there is changed"


def test_what_no_account_rule_takes_opens_a_row_with_its_own_condition(here: Served, kari: httpx2.Client) -> None:
    present = versions.present(here.joined.store, NAME)
    posting = {"documents": ["payments"], "accounts": {"bank": "1920"}}
    versions.change(here.joined.store, NAME, msgspec.structs.replace(present.profile, posting=posting), person="ola")
    page = kari.get(fix(NAME, "account_not_mapped", "vendor: Acme").href).text
    assert re.search(r'name="c-vendor"[^>]*value="Acme"', page)
    page = kari.get(fix(NAME, "account_not_mapped", "Pens: red").href).text
    assert re.search(r'name="c-category"[^>]*value="Pens: red"', page)
    assert not fix(NAME, "account_unknown", "6999").adds, "that one is put right in IFS, or where it stands"


def test_what_is_wrong_is_said_at_the_row_with_what_was_typed(kari: httpx2.Client) -> None:
    first = kari.get(HERE).text
    wrong = add(kari, first, "gate", flow="suppliers", change_share_max="much")
    assert (wrong.status_code, "is no number" in wrong.text, 'value="much"' in wrong.text) == (422, True, True)
    twice = add(kari, first, "subsidiaries", company="10", value="SUB-X")
    assert (twice.status_code, "is there already" in twice.text) == (422, True)
    missing = add(kari, first, "payment_terms", term="30")
    assert (missing.status_code, "Airbase terms is missing" in missing.text) == (422, True)


def test_text_that_is_wrong_stays_typed(kari: httpx2.Client) -> None:
    base = carried(kari.get(HERE).text)["base"]
    answer = kari.post(f"{HERE}/review", data={"draft": "quiet_s = [", "base": base})
    assert (answer.status_code, "not TOML" in answer.text, "quiet_s = [" in answer.text) == (422, True, True)
    unknown = kari.post(f"{HERE}/review", data={"draft": "quiets = 3", "base": base})
    assert ("nearest: quiet_s" in unknown.text, "/save" in unknown.text) == (True, True)
    assert ">Save<" not in unknown.text


def test_a_folder_on_the_server_is_not_set_here(here: Served, kari: httpx2.Client) -> None:
    text = '[posting]\ndocuments = ["payments"]\n[posting.landing]\nkind = "file"\nfolder = "/etc"\n'
    base = carried(kari.get(HERE).text)["base"]
    answer = kari.post(f"{HERE}/save", data={"draft": text, "base": base})
    assert (answer.status_code, "a place on the server" in answer.text) == (422, True)
    assert profile(here).posting == {}


def test_alerts_do_not_go_to_the_server_itself(here: Served, kari: httpx2.Client) -> None:
    for place in ("http://127.0.0.1:6379/x", "https://localhost/x", "http://[::1]:8600/"):
        base = carried(kari.get(HERE).text)["base"]
        answer = kari.post(f"{HERE}/save", data={"draft": f'[alerts]\nwebhook = "{place}"\n', "base": base})
        assert (answer.status_code, "leads to the server itself" in answer.text) == (422, True), place
    assert profile(here).alerts.webhook == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("posting." + "a." * 400_000 + "a = 1", id="one line"),
        pytest.param("\n".join(f"posting.{'a.' * 400}k{number} = 1" for number in range(500)), id="many lines"),
        pytest.param("posting." + "a." * 900 + "a = 1", id="deep"),
        pytest.param("posting.x = " + "[" * 900 + "]" * 900, id="lists"),
        pytest.param("posting.x = " + "{a = " * 300 + "1" + "}" * 300, id="tables"),
    ],
)
def test_tables_without_end_are_no_profile(kari: httpx2.Client, text: str) -> None:
    for place in (HERE, f"{HERE}/review", f"{HERE}/save", f"{HERE}/preview"):
        answer = kari.post(place, data={"draft": text, "base": carried(kari.get(HERE).text)["base"], "do": "text"})
        assert (answer.status_code, "this is not TOML" in answer.text) == (422, True), place


def test_an_address_that_alerts_go_to_is_kept_but_not_shown(here: Served, kari: httpx2.Client) -> None:
    present = versions.present(here.joined.store, NAME)
    alerts = msgspec.structs.replace(present.profile.alerts, webhook="https://hooks.example.com/canary-77")
    told = msgspec.structs.replace(present.profile, alerts=alerts)
    versions.change(here.joined.store, NAME, told, person="ola")
    number = versions.number_in_force(here.joined.store, NAME)
    first = kari.get(HERE).text
    with here.client() as client:
        pages = [first, kari.get(f"{HERE}/versions/{number}").text, client.get(f"/connections/{NAME}/settings").text]
    assert all("canary" not in page for page in pages)
    review = kari.post(f"{HERE}/review", data=carried(add(kari, first, "payment_terms", term="7", value="x").text))
    kari.post(f"{HERE}/save", data=carried(review.text))
    assert profile(here).alerts.webhook.endswith("canary-77")
    assert profile(here).mapping.payment_terms == {"7": "x"}


def test_what_changed_meanwhile_is_kept(here: Served, kari: httpx2.Client) -> None:
    """Two tabs: the second is put upon what the first saved; where both say something else, nobody wins unseen."""
    one, two = (add(kari, kari.get(HERE).text, "payment_terms", term=term, value=term).text for term in ("30", "60"))
    kari.post(f"{HERE}/save", data=carried(one))
    review = kari.post(f"{HERE}/review", data=carried(two)).text
    assert "came in force meanwhile" in review
    kari.post(f"{HERE}/save", data=carried(review))
    assert profile(here).mapping.payment_terms == {"30": "30", "60": "60"}
    stale = add(kari, kari.get(HERE).text, "payment_terms", at="0", term="30", value="mine").text
    other = add(kari, kari.get(HERE).text, "payment_terms", at="0", term="30", value="other").text
    kari.post(f"{HERE}/save", data=carried(other))
    answer = kari.post(f"{HERE}/save", data=carried(stale))
    assert (answer.status_code, "both changed mapping.payment_terms.30" in answer.text) == (422, True)
    assert "mine" in answer.text, "what was written is not lost"
    assert profile(here).mapping.payment_terms["30"] == "other"


def test_with_two_persons_somebody_else_approves(here: Served, kari: httpx2.Client) -> None:
    with_two(here)
    changed = add(kari, kari.get(HERE).text, "payment_terms", term="30", value="Net 30").text
    review = kari.post(f"{HERE}/review", data=carried(changed)).text
    assert ">Propose<" in review
    place = kari.post(f"{HERE}/save", data=carried(review)).headers["location"]
    assert kari.post(f"{HERE}/save", data=carried(review)).headers["location"] == place, "pressed twice, proposed once"
    assert profile(here).mapping.payment_terms == {}
    with looking(here.url, here.joined.store, Role.ADMINISTRATOR, Role.APPROVER, name="both") as both:
        assert both.post(f"{place}/approve").status_code == 303
    assert profile(here).mapping.payment_terms == {"30": "Net 30"}
    with looking(here.url, here.joined.store, Role.APPROVER, name="own") as own:
        assert own.post(f"{place}/approve").status_code == 422, "once is enough"


def test_nobody_approves_their_own(here: Served) -> None:
    with looking(here.url, here.joined.store, Role.ADMINISTRATOR, Role.APPROVER, name="all") as client:
        with_two(here)
        page = add(client, client.get(HERE).text, "payment_terms", term="30", value="Net 30").text
        place = client.post(f"{HERE}/save", data=carried(page)).headers["location"]
        assert client.post(f"{place}/approve").status_code == 422
        assert "/approve" not in client.get(place).text
        with looking(here.url, here.joined.store, Role.ADMINISTRATOR, name="another") as another:
            assert another.post(f"{place}/withdraw").status_code == 422, "who may not approve can't reject"
        assert client.post(f"{place}/withdraw").status_code == 303
    store = here.joined.store
    single = msgspec.structs.replace(profile(here), two_persons=False)
    made = versions.change(store, NAME, single, person="ola")
    assert made
    versions.approve(store, NAME, made.number, "per")


def test_a_preview_says_what_real_records_would_become(here: Served, kari: httpx2.Client) -> None:
    first = kari.get(HERE).text
    page = kari.post(HERE, data={**carried(first), "do": "remove:subsidiaries:1"}).text
    seen = kari.post(f"{HERE}/preview", data=carried(page)).text
    assert "would be decided otherwise" in seen
    assert "hold" in seen
    terms = add(kari, first, "payment_terms", term="60", value="Net 60").text
    shown = kari.post(f"{HERE}/preview", data=carried(terms)).text
    assert ("<dt>Payment terms</dt>" in shown, "Vendor(" in shown) == (True, False)
    assert (
        kari.post(f"{HERE}/preview", data=carried(page), headers={"hx-request": "true"})
        .text.lstrip()
        .startswith("<section")
    )
    before = here.joined.box.airbase_log.writes
    nothing = kari.post(f"{HERE}/preview", data=carried(first)).text
    assert "Nothing differs" in nothing
    assert here.joined.box.airbase_log.writes == before


def test_offers_are_what_is_there(kari: httpx2.Client) -> None:
    answer = kari.post(f"{HERE}/offers", data={"table": "subsidiaries"}).text
    assert ("SUB-10" in answer, 'id="offers-company"' in answer) == (True, True)
    assert kari.post(f"{HERE}/offers", data={"table": "no such"}).text.strip() == ""


def test_versions_are_listed_and_gone_back_to(here: Served, kari: httpx2.Client) -> None:
    before = versions.number_in_force(here.joined.store, NAME)
    page = add(kari, kari.get(HERE).text, "dimensions", label="Project", value="B").text
    kari.post(f"{HERE}/save", data=carried(page))
    assert profile(here).mapping.dimensions == {"Project": "B"}
    assert kari.post(f"{HERE}/versions/{before}/back").status_code == 303
    assert profile(here).mapping.dimensions == {}
    listed = kari.get(f"{HERE}/versions").text
    assert f"Back to version {before}." in listed
    with here.client() as client:
        told = client.get(f"/connections/{NAME}/versions").json()["versions"]
    assert [one["number"] for one in told][:2] == [before + 2, before + 1]
    assert kari.get(f"{HERE}/versions/9999").status_code == 404


def test_who_only_looks_sees_no_buttons(here: Served) -> None:
    with looking(here.url, here.joined.store, Role.VIEWER, name="viewer") as client:
        page = client.get(HERE, params={"table": "payment_terms", "value": "30"}).text
        assert '<button class="button button-small"' not in page
        assert 'name="draft"' not in page


def test_rows_keep_their_place(kari: httpx2.Client) -> None:
    text = '[posting]\ndocuments = ["payments"]\n[[posting.account]]\ncategory = "A"\naccount = "1"\n' + (
        '[[posting.account]]\ncategory = "B"\naccount = "2"\n[mapping.subsidiaries]\n10 = "SUB-10"\n20 = "SUB-20"\n'
    )
    base = carried(kari.get(HERE).text)["base"]
    moved = kari.post(HERE, data={"draft": text, "base": base, "do": "up:account:1"}).text
    draft = carried(moved)["draft"]
    assert draft.index('category = "B"') < draft.index('category = "A"')
