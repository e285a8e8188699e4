"""What people do besides what was meant: deep links, expired sessions, two tabs, back, reload, double clicks."""

from contextlib import closing

import pytest
from company import KARI, NAME, PASSWORD, Company
from eyes import Eyes, looking, watch
from playwright.sync_api import Browser, expect
from rig import open_store
from sqlalchemy import func, select, update

from ml_connector.store import schema_people, schema_work

HERE = f"/c/{NAME}"
DEEP = "/access/people/ola"


def sign_in(eyes: Eyes) -> None:
    """Type and press Enter, with a space that came along when pasting."""
    eyes.page.get_by_label("Name").fill(f" {KARI} ")
    eyes.page.get_by_label("Password").fill(PASSWORD)
    eyes.page.keyboard.press("Enter")


def test_a_link_leads_there_after_signing_in(browser: Browser, company: Company) -> None:
    with looking(browser, company.console.url) as eyes:
        eyes.go(DEEP)
        expect(eyes.page).to_have_url(f"{eyes.url}/sign-in?next=%2Faccess%2Fpeople%2Fola")
        sign_in(eyes)
        expect(eyes.page).to_have_url(eyes.url + DEEP)


def test_a_session_that_is_over_leads_back_to_where_one_was(browser: Browser, company: Company) -> None:
    with looking(browser, company.console.url, company.cookie()) as eyes:
        eyes.go("/account")
        eyes.go("/access")
        eyes.page.get_by_label("Name", exact=True).fill("per")
        expire_sessions(company)
        eyes.page.get_by_role("button", name="Make a link").click()
        expect(eyes.page.get_by_text("Your session is over")).to_be_visible()
        sign_in(eyes)
        expect(eyes.page).to_have_url(f"{eyes.url}/access")


def expire_sessions(company: Company) -> None:
    """Nobody did anything for hours."""
    with closing(open_store(company.console.store)) as store, store.database.write() as connection:
        connection.execute(update(schema_people.sessions).values(last_at="2026-01-01T00:00:00.000000Z"))


def replay_of(company: Company, cause: str) -> str:
    """Where a record that waits would be replayed."""
    flow, key = company.held(cause)
    return f"{HERE}/replay?flow={flow}&key={key}"


def orders(company: Company) -> int:
    """How many orders people placed so far."""
    with closing(open_store(company.console.store)) as store, store.database.read() as connection:
        query = select(func.count()).select_from(schema_work.orders).where(schema_work.orders.c.person == KARI)
        return connection.execute(query).scalar_one()


@pytest.mark.parametrize("scripts", [True, False])
def test_two_clicks_on_replay_are_one_order(browser: Browser, company: Company, scripts: bool) -> None:
    before = orders(company)
    with looking(browser, company.console.url, company.cookie(), scripts=scripts) as eyes:
        eyes.go(replay_of(company, "zero_amount"))
        eyes.page.get_by_role("button", name="Replay 1 record").dblclick()
        expect(eyes.page.get_by_text("is being looked at again")).to_be_visible()
    assert orders(company) == before + 1


def test_back_and_reload_place_nothing(browser: Browser, company: Company) -> None:
    before = orders(company)
    with looking(browser, company.console.url, company.cookie()) as eyes:
        eyes.go(replay_of(company, "code_part_not_valid"))
        eyes.page.get_by_role("button", name="Replay 1 record").click()
        eyes.page.wait_for_url("**/orders/**")
        eyes.page.reload()
        eyes.page.go_back()
        eyes.page.go_forward()
    assert orders(company) == before + 1


def test_two_tabs_do_not_get_into_each_others_way(browser: Browser, company: Company) -> None:
    with looking(browser, company.console.url, company.cookie()) as eyes:
        second = eyes.context.new_page()
        watch(eyes, second)
        for tab in (eyes.page, second):
            tab.goto(f"{eyes.url}{HERE}/exceptions")
        for tab in (eyes.page, second):
            tab.get_by_role("button", name="Take").first.click()
            expect(tab.get_by_role("status").first).to_be_visible()
        eyes.press("Sign out")
        second.get_by_role("button", name="Take").first.click()
        expect(second.get_by_text("Your session is over")).to_be_visible()


def test_the_keyboard_gets_past_the_menu(browser: Browser, company: Company) -> None:
    with looking(browser, company.console.url, company.cookie()) as eyes:
        eyes.go(HERE)
        eyes.page.keyboard.press("Tab")
        expect(eyes.page.get_by_role("link", name="Skip to content")).to_be_focused()
        eyes.page.keyboard.press("Enter")
        eyes.page.keyboard.press("Tab")
        assert eyes.page.evaluate("document.activeElement.closest('main') !== null")


def test_without_scripts_a_replay_can_be_looked_at(browser: Browser, company: Company) -> None:
    with looking(browser, company.console.url, company.cookie(), scripts=False) as eyes:
        eyes.go(replay_of(company, "period_closed"))
        eyes.page.get_by_role("link", name="Show what would happen").click()
        expect(eyes.page.get_by_role("heading", name="What would happen")).to_be_visible()
        expect(eyes.page.get_by_text("is closed in company").first).to_be_visible()
