"""From the first start to an approved voucher, as two people walk it with real browsers."""

from collections.abc import Generator
from pathlib import Path

import pytest
from eyes import Eyes, looking
from playwright.sync_api import Browser, expect
from standing import Standing, alone

from ml_connector.demo import company

PASSWORD = "four words in a row"


@pytest.fixture
def console(tmp_path: Path) -> Generator[Standing]:
    options = company.made_up()
    options.suppliers, options.orders = 60, 40
    with alone(tmp_path, options) as made:
        yield made


def test_from_the_first_start_to_an_approved_voucher(browser: Browser, console: Standing) -> None:
    with looking(browser, console.url) as kari:
        set_up(kari, console)


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
