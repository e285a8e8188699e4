"""Every page, looked at by somebody who has signed in: light and dark, on a desk and in a hand."""

from collections.abc import Generator

import pytest
from company import NAME, Company
from eyes import Eyes, looking
from playwright.sync_api import Browser

HERE = f"/c/{NAME}"
# name of the picture: where it is
PLACES = {
    "access": "/access",
    "access-person": "/access/people/ola",
    "account": "/account",
    "home": HERE,
    "records": f"{HERE}/records",
    "exceptions": f"{HERE}/exceptions",
    "approvals": f"{HERE}/approvals",
    "flows": f"{HERE}/flows",
    "runs": f"{HERE}/runs",
    "mapping": f"{HERE}/mapping",
    "inbox": f"{HERE}/inbox",
    "journal": f"{HERE}/journal",
    "tie-out": f"{HERE}/tie-out",
    "connect": f"{HERE}/connect",
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
