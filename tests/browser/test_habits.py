"""What people do besides what was meant: deep links, expired sessions, two tabs, back, reload, double clicks."""

from contextlib import closing

from company import KARI, PASSWORD, Company
from eyes import Eyes, looking
from playwright.sync_api import Browser, expect
from rig import open_store
from sqlalchemy import update

from ml_connector.store import schema_people

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
