"""From the first start to an approved voucher, as two people walk it with real browsers."""

import re
import tomllib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from eyes import Eyes, looking
from playwright.sync_api import Browser, expect
from standing import Standing, alone

from ml_connector.demo import company

NAME = "acme"
FLOWS = ("suppliers", "purchase_orders", "purchase_requests", "payments")
PATIENCE_MS = 60_000
PASSWORD = "four words in a row"


@pytest.fixture
def console(tmp_path: Path) -> Generator[Standing]:
    options = company.made_up()
    options.suppliers, options.orders = 60, 40
    with alone(tmp_path, options) as made:
        yield made


@pytest.mark.slow
def test_from_the_first_start_to_an_approved_voucher(browser: Browser, console: Standing) -> None:
    with looking(browser, console.url) as kari:
        set_up(kari, console)
        connect(kari, console)
        posting(kari)
        fit(kari)
        go_live(kari)
        held = replay(kari, console)
        look_up(kari, held)
        missing(kari)
        with looking(browser, console.url) as ola:
            come_in(ola, invite(kari))
            approve(ola)
        released(kari)


def set_up(kari: Eyes, console: Standing) -> None:
    """Without the link nobody gets in; with it, the first one does."""
    kari.go("/")
    expect(kari.page.get_by_text("Nobody has access yet")).to_be_visible()
    kari.picture("first-start")
    kari.go(console.set_up_link())
    kari.picture("set-up")
    kari.page.get_by_label("Your name").fill("kari")
    kari.page.get_by_label("Password").fill(PASSWORD)
    kari.page.get_by_label("The same again").fill(PASSWORD)
    kari.page.get_by_role("button", name="Set up").click()
    expect(kari.page.get_by_text("Welcome. You are signed in.")).to_be_visible()
    kari.picture("empty")


def connect(kari: Eyes, console: Standing) -> None:
    """A wrong secret is told, with what to do; the right one, pasted with what came along, is enough."""
    page, told = kari.page, console.box.told()
    page.get_by_role("main").get_by_role("link", name="Add a connection").click()
    page.get_by_label("Name of the connection").fill(NAME)
    ifs, airbase = page.get_by_role("group", name="IFS Cloud"), page.get_by_role("group", name="Airbase")
    ifs.get_by_label("Address").fill(f"  {told['ifs_url']}/main/ifsapplications/web\n")
    ifs.get_by_label("Realm").fill(told["ifs"]["realm"])
    ifs.get_by_label("Client id").fill(told["ifs"]["client_id"])
    ifs.get_by_label("Client secret").fill("another-secret")
    ifs.get_by_label("Companies").fill("10, 20")
    airbase.get_by_label("Address").fill(told["airbase_url"])
    airbase.get_by_label("API token").fill(f'"Bearer {told["airbase"]["token"]}" ')
    kari.glance("connect-form")
    page.get_by_label("Name of the connection").press("Enter")
    expect(page.get_by_text(re.compile(r"\d+ checks? failed"))).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#checks")).to_contain_text("secret")
    kari.glance("connect-wrong-secret")
    page.get_by_role("link", name="Change the credentials").click()
    page.get_by_label("Client secret").fill(f" {told['ifs']['client_secret']}\n")
    page.get_by_label("Which company is which subsidiary").fill("10 = SUB-10\n20 = SUB-20")
    page.get_by_role("button", name="Keep and check").click()
    expect(page.get_by_text("all well")).to_be_visible(timeout=PATIENCE_MS)
    assert told["ifs"]["client_secret"] not in page.content()
    kari.glance("connect-checked")


def fit(kari: Eyes) -> None:
    """What would happen, what is missing, and what may stand for it."""
    kari.go(f"/c/{NAME}/connect")
    kari.page.get_by_role("button", name="See if they fit").click()
    expect(kari.page.get_by_text("It fits in part")).to_be_visible(timeout=PATIENCE_MS)
    kari.picture("fit-report")


def posting(kari: Eyes) -> None:
    """How documents are posted, pasted as text, looked at, and kept as a version."""
    mapping = {"subsidiaries": company.SUBSIDIARIES, "dimensions": company.DIMENSIONS}
    gate = {"suppliers": {"change_share_max": 1.0}}
    changed = {"posting": company.POSTING, "mapping": mapping, "gate": gate, "quiet_s": 0.5}
    write(kari, changed, "Posting as agreed with the auditors")
    kari.glance("mapping-set")


def write(kari: Eyes, changed: dict[str, Any], why: str) -> None:
    """Change the settings as text."""
    page = kari.page
    kari.go(f"/c/{NAME}/mapping")
    page.get_by_text("The profile as TOML").click()
    text = page.get_by_label("Profile")
    text.fill(tomli_w.dumps({**tomllib.loads(text.input_value()), **changed}))
    page.get_by_role("button", name="Review", exact=True).click()
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(f"{kari.url}/c/{NAME}/mapping")


def go_live(kari: Eyes) -> None:
    """One flow at a time, in the order in which they need each other."""
    page = kari.page
    kari.go(f"/c/{NAME}/connect")
    for flow in FLOWS:
        page.get_by_role("button", name=f"Go live with {flow}").click()
        expect(page.get_by_role("row", name=flow).get_by_text("live", exact=True)).to_be_visible()
    kari.glance("connect-live")


def replay(kari: Eyes, console: Standing) -> str:
    """A voucher is held; its period is opened in IFS, and a replay that was looked at posts it."""
    page = kari.page
    until(kari, f"/c/{NAME}/exceptions", "Accounting period is closed")
    kari.glance("exceptions-of-acme")
    kari.follow(page.get_by_role("link", name="Accounting period is closed").first)
    kari.follow(page.get_by_role("table").get_by_role("link").first)
    held = page.url.removeprefix(console.url)
    kari.glance("record-that-waits")
    for number in ("10", "20"):
        console.box.edit_ifs({"op": "set_period", "company": number, "year": 2025, "period": 5, "status": "Open"})
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_text("would be posted").first).to_be_visible(timeout=PATIENCE_MS)
    kari.glance("replay-preview")
    kari.press("Replay 1 record")
    return held


def look_up(kari: Eyes, held: str) -> None:
    """The record's page tells the whole way."""
    until(kari, held, "Confirmed moments ago")
    for step in ("Read", "Mapped", "Checked", "Approved", "Sent", "Confirmed"):
        expect(kari.page.get_by_role("list", name="Its way").get_by_text(step)).to_be_visible()
    kari.glance("record-complete")


def missing(kari: Eyes) -> None:
    """From now on two persons; what the mapping lacks is then added, and waits."""
    page = kari.page
    write(kari, {"two_persons": True}, "Two persons from now on")
    kari.go(f"/c/{NAME}/exceptions")
    kari.follow(page.get_by_role("link", name="Account without a mapping").first)
    kari.glance("missing-in-the-mapping")
    kari.follow(page.get_by_role("link", name="Add").first)
    page.get_by_label("Goes to account").fill("6110")
    kari.glance("mapping-row")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Review and save").click()
    page.get_by_role("button", name="Show on real records").click()
    expect(page.get_by_text("decided otherwise").first).to_be_visible(timeout=PATIENCE_MS)
    kari.glance("mapping-preview")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("it counts once somebody else approves it")).to_be_visible()


def invite(kari: Eyes) -> str:
    """A link for a second person."""
    page = kari.page
    kari.go("/access")
    page.get_by_label("Name", exact=True).fill("ola")
    page.get_by_role("checkbox", name=re.compile("^approver")).check()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link").input_value()
    kari.glance("invited")
    return link


def come_in(ola: Eyes, link: str) -> None:
    """A second person chooses a password."""
    ola.go(link)
    ola.page.get_by_label("Password").fill(PASSWORD)
    ola.page.get_by_label("The same again").fill(PASSWORD)
    ola.page.get_by_role("button", name="Keep it and sign in").click()
    expect(ola.page.get_by_text("Welcome. You are signed in.")).to_be_visible()


def approve(ola: Eyes) -> None:
    """What the first person wanted, the second one looks at and agrees to."""
    page = ola.page
    ola.go(f"/c/{NAME}/approvals")
    ola.glance("approvals-of-settings")
    ola.follow(page.get_by_role("link", name=re.compile("Version")))
    ola.glance("version")
    ola.press("Approve")
    expect(page.get_by_text("in force").first).to_be_visible()


def released(kari: Eyes) -> None:
    """What waited for it is looked at again, and goes on."""
    page = kari.page
    kari.go(f"/c/{NAME}/exceptions/purchase_requests/account_not_mapped")
    kari.follow(page.get_by_role("link", name="Replay").first)
    kari.press("Replay")
    until(kari, f"/c/{NAME}/exceptions/purchase_requests/account_not_mapped", "Nothing waits for this")
    kari.go(f"/c/{NAME}/exceptions/resolved")
    kari.glance("resolved")
    kari.go(f"/c/{NAME}/journal")
    kari.press("Verify")
    until(kari, f"/c/{NAME}/journal", "unchanged")


def until(eyes: Eyes, path: str, text: str) -> None:
    """Look again until the page says it."""
    for _ in range(PATIENCE_MS // 500):
        eyes.go(path)
        if text in " ".join(eyes.page.inner_text("main").split()):
            return
        eyes.page.wait_for_timeout(500)
    raise AssertionError(f"{path} does not say {text!r}: {eyes.page.inner_text('main')}")
