"""The feed of the reading bench: everybody gets what the source holds, also when it comes from memory."""

import importlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

feeds: Any = importlib.import_module("feed")

SETS = "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet"
SMALL = {"suppliers": 60, "orders": 10, "page_rows": 20}


@pytest.fixture
def feed() -> Iterator[Any]:
    with feeds.Feed(feeds.Options(**SMALL)) as made:
        yield made


@pytest.fixture
def client(feed: Any) -> Iterator[httpx2.Client]:
    realm = f"/auth/realms/{feed.told['realm']}/protocol/openid-connect/token"
    form: Any = {"grant_type": "client_credentials", "client_id": feed.told["client_id"], "client_secret": feeds.SECRET}
    with httpx2.Client(base_url=feed.url) as made:
        token = made.post(realm, data=form).json()["access_token"]
        made.headers["Authorization"] = f"Bearer {token}"
        yield made


def names(client: httpx2.Client) -> list[str]:
    return [row["Name"] for row in client.get(f"{SETS}?$orderby=SupplierId").raise_for_status().json()["value"]]


def test_a_page_from_memory_is_the_page_as_it_is(feed: Any, client: httpx2.Client) -> None:
    before = names(client)
    assert len(before) == SMALL["page_rows"]
    assert names(client) == before
    feed.change(1.0, seed=4)
    assert all(name.startswith("Changed 4") for name in names(client))
    assert feed.counted().requests == 3


def test_nobody_reads_without_a_token(feed: Any, client: httpx2.Client) -> None:
    names(client)
    assert httpx2.get(f"{feed.url}{SETS}?$orderby=SupplierId").status_code == 401


def test_rows_go_when_their_page_was_given(feed: Any, client: httpx2.Client) -> None:
    feed.edit_after("SupplierInfoGeneralSet", 1, {"op": "delete", "set": "SupplierInfoGeneralSet"})
    before, after = names(client), names(client)
    assert after[:-1] == before[1:]
