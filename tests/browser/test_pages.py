"""Every page, looked at by somebody who has signed in: light and dark, on a desk and in a hand."""

from collections.abc import Callable, Generator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from addresses import table
from company import NAME, Company
from eyes import Eyes, looking
from playwright.sync_api import Browser, expect
from rig import open_store

from ml_connector.console.app import make_app

HERE = f"/c/{NAME}"
PERIOD = "2026-02"  # of which the demo has documents
# name of the picture: where it is, or how to find out
PLACES: dict[str, str | Callable[[Company], str]] = {
    "connections": "/",
    "access": "/access",
    "access-person": "/access/people/ola",
    "account": "/account",
    "installation-journal": "/journal",
    "home": HERE,
    "records": f"{HERE}/records",
    "search": f"{HERE}/records?q=GmbH",
    "record": lambda company: f"{HERE}/records/payments/{company.posted()}",
    "record-held": lambda company: "{}/records/{}/{}".format(HERE, *company.held("period_closed")),
    "replay": f"{HERE}/replay?flow=purchase_requests&cause=period_closed",
    "exceptions": f"{HERE}/exceptions",
    "exceptions-cause": f"{HERE}/exceptions/purchase_requests/period_closed",
    "exceptions-snoozed": f"{HERE}/exceptions?stage=snoozed",
    "exceptions-resolved": f"{HERE}/exceptions/resolved",
    "approvals": f"{HERE}/approvals",
    "flows": f"{HERE}/flows",
    "flow": f"{HERE}/flows/purchase_orders",
    "runs": f"{HERE}/runs",
    "run": lambda company: f"{HERE}/runs/{company.stopped()}",
    "order": f"{HERE}/orders/inbox/1/0",
    "mapping": f"{HERE}/mapping",
    "mapping-versions": f"{HERE}/mapping/versions",
    "mapping-version": f"{HERE}/mapping/versions/1",
    "inbox": f"{HERE}/inbox",
    "inbox-event": f"{HERE}/inbox/1",
    "journal": f"{HERE}/journal",
    "tie-out": lambda company: f"{HERE}/tie-out/{PERIOD}/{company.tied_out(PERIOD)}",
    "tie-out-period": f"{HERE}/tie-out/{PERIOD}",
    "tie-outs": f"{HERE}/tie-out",
    "new-connection": "/connect",
    "connect": f"{HERE}/connect",
    "fit": f"{HERE}/fit",
}
AGAIN = (
    "search",
    "record-held",
    "exceptions-snoozed",
    "fit",
    "tie-out-period",
)  # pages of which there is another picture
# Parts of pages, files, and what the walk looks at.
FILES = (".csv", ".json", ".jsonl", ".xlsx")
ELSEWHERE = (*FILES, "/preview", "/echo", "/events", "/sso", "/back", "/sign-in", "/set-up/{token}")


@pytest.fixture(scope="module")
def eyes(browser: Browser, company: Company) -> Generator[Eyes]:
    with looking(browser, company.console.url, company.cookie()) as made:
        yield made


@pytest.mark.parametrize("name", PLACES)
def test_a_page_can_be_read(eyes: Eyes, company: Company, name: str) -> None:
    place = PLACES[name]
    eyes.go(place if isinstance(place, str) else place(company))
    if name == "replay":
        expect(eyes.page.get_by_text("would").nth(1)).to_be_visible(timeout=30_000)
    (eyes.glance if name in AGAIN else eyes.picture)(name)
    eyes.calm()


def test_no_page_is_left_out(company: Company) -> None:
    seen = [urlsplit(place if isinstance(place, str) else place(company)).path for place in PLACES.values()]
    with closing(open_store(company.console.store)) as store:
        pages = [one for one in table(make_app(store, lambda: True, lambda: None)) if one.method == "GET"]
    shown = [one for one in pages if one.kind == "person" and not one.path.endswith(ELSEWHERE)]
    left = [one.path for one in shown if not any(one.route.path_regex.match(path) for path in seen)]
    assert len(shown) > 20
    assert left == []
