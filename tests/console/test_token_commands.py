"""`token create`, `token list` and `token revoke` as somebody types them, against an application that answers."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import pytest
from rig import open_store, sqlite_url
from serving import API, answering

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(command: Typed, tmp_path: Path) -> Typed:
    """Runs a command on tokens."""
    return partial(command, sqlite_url(tmp_path), "token")


def test_a_token_is_shown_once_works_and_is_revoked(typed: Typed, tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    with answering(store) as url:

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx2.get(f"{url}{API}/workers", headers=headers, trust_env=False, timeout=60).status_code

        code, said, told = typed("create", "grafana", "--scope", "read", "--days", "30")
        token = said.strip()
        assert (code, said, "shown again" in told, status(token)) == (0, f"{token}\n", True, 200)
        made = json.loads(typed("create", "ops", "--scope", "operate", "--json")[1])
        assert (made["name"], made["scope"], status(made["token"])) == ("ops", "operate", 200)
        assert "already" in typed("create", "ops", "--scope", "read")[2]
        assert typed("revoke", "grafana")[0] == 0
        assert (status(token), status(made["token"])) == (401, 200)
        assert typed("revoke", "grafana")[0] == 2
        listed = typed("list")[1] + typed("list", "--json")[1]
    store.close()
    assert "revoked" in listed
    assert token not in listed
    assert made["token"] not in listed
    assert "digest" not in listed
