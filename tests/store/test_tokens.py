"""The token shelf: one fetches, the others take."""

import threading
import time

import pytest

from ml_connector.errors import UnreachableError
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.tokens import TokenShelf
from ml_connector.store.vault import Vault

from .processes import together
from .test_flow_store import raw_bytes


@pytest.fixture
def shelf(db: Database, vault: Vault, connection_id: int) -> TokenShelf:
    return TokenShelf(db, vault, connection_id)


class Issuer:
    """Issues tokens one after the other."""

    def __init__(self, lasts_s: float = 3600) -> None:
        self.count = 0
        self.lasts_s = lasts_s

    def __call__(self) -> tuple[str, float]:
        self.count += 1
        return f"Kanarienvogel{self.count}", time.time() + self.lasts_s


def test_a_token_is_fetched_once_and_kept_sealed(shelf: TokenShelf, url: str, db: Database) -> None:
    assert shelf.get() is None
    issue = Issuer()
    first = shelf.renew(None, issue)
    assert (shelf.renew(None, issue), shelf.get(), issue.count) == (first, first, 1)
    assert b"Kanarienvogel" not in raw_bytes(url, db)


def test_a_stale_token_is_replaced_but_only_once(shelf: TokenShelf) -> None:
    issue = Issuer()
    stale, _ = shelf.renew(None, issue)
    fresh, _ = shelf.renew(stale, issue)
    assert fresh != stale
    assert shelf.renew(stale, issue)[0] == fresh, "another had renewed it meanwhile"


def test_a_token_about_to_expire_is_replaced(shelf: TokenShelf) -> None:
    issue = Issuer(lasts_s=20)
    shelf.renew(None, issue)
    shelf.renew(None, issue, 10)
    assert issue.count == 1
    shelf.renew(None, issue, 30)
    assert issue.count == 2


def test_a_failed_fetch_leaves_what_was(shelf: TokenShelf) -> None:
    kept = shelf.renew(None, Issuer())

    def fail() -> tuple[str, float]:
        raise UnreachableError("ifs", "token")

    with pytest.raises(UnreachableError):
        shelf.renew(kept[0], fail)
    assert shelf.get() == kept


def test_connections_have_tokens_of_their_own(db: Database, vault: Vault, connection_id: int) -> None:
    issue, other = Issuer(), Connections(db, vault).save("other", {}, {}).id
    tokens = {owner: TokenShelf(db, vault, owner).renew(None, issue) for owner in (connection_id, other)}
    assert issue.count == len(set(tokens.values())) == 2


def test_threads_fetch_once(shelf: TokenShelf) -> None:
    issue = Issuer()
    threads = [threading.Thread(target=shelf.renew, args=(None, issue)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issue.count == 1


@pytest.mark.usefixtures("vault")
def test_processes_fetch_once(url: str, connection_id: int) -> None:
    said = sorted(together("renew", url, connection_id, count=3))
    assert said == [["fetched", "token"], ["token"], ["token"]]
