"""Every page, looked at by somebody who has signed in: light and dark, on a desk and in a hand."""

from collections.abc import Generator

import pytest
from company import NAME, Company
from eyes import Eyes, looking
from playwright.sync_api import Browser, expect

HERE = f"/c/{NAME}"
# name of the picture: where it is
PLACES = {
    "connections": "/",
    "access": "/access",
    "access-person": "/access/people/ola",
    "account": "/account",
    "installation-journal": "/journal",
    "home": HERE,
    "records": f"{HERE}/records",
    "search": f"{HERE}/records?q=GmbH",
    "exceptions": f"{HERE}/exceptions",
    "exceptions-cause": f"{HERE}/exceptions/purchase_requests/period_closed",
    "exceptions-snoozed": f"{HERE}/exceptions?stage=snoozed",
    "exceptions-resolved": f"{HERE}/exceptions/resolved",
    "approvals": f"{HERE}/approvals",
    "flows": f"{HERE}/flows",
    "runs": f"{HERE}/runs",
    "mapping": f"{HERE}/mapping",
    "inbox": f"{HERE}/inbox",
    "inbox-event": f"{HERE}/inbox/1",
    "journal": f"{HERE}/journal",
    "tie-out": f"{HERE}/tie-out",
    "new-connection": "/connect",
    "connect": f"{HERE}/connect",
    "fit": f"{HERE}/fit",
}


@pytest.fixture(scope="module")
def eyes(browser: Browser, company: Company) -> Generator[Eyes]:
    with looking(browser, company.console.url, company.cookie()) as made:
        yield made


@pytest.mark.parametrize("name", PLACES)
def test_a_page_can_be_read(eyes: Eyes, name: str) -> None:
    eyes.go(PLACES[name])
    eyes.picture(name)
    eyes.calm()


def test_a_record_can_be_read(eyes: Eyes, company: Company) -> None:
    eyes.go(f"{HERE}/records/payments/{company.posted()}")
    eyes.picture("record")
    eyes.calm()


def test_a_record_that_waits_can_be_read(eyes: Eyes, company: Company) -> None:
    flow, key = company.held("period_closed")
    eyes.go(f"{HERE}/records/{flow}/{key}")
    eyes.picture("record-held")
    eyes.calm()


def test_what_a_replay_would_do_can_be_read(eyes: Eyes, company: Company) -> None:
    eyes.go(f"{HERE}/replay?flow=purchase_requests&cause=period_closed")
    expect(eyes.page.get_by_text("period").first).to_be_visible(timeout=30_000)
    eyes.picture("replay")
    eyes.calm()
