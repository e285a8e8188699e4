"""`user …` as somebody types it, and the link that `serve` shows, against an application that answers."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from rig import open_store, sqlite_url
from serving import answering

from ml_connector import wiring
from ml_connector.store.api_tokens import ApiTokens, Right

PASSWORD = "correct horse battery"
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(command: Typed, tmp_path: Path) -> Typed:
    """Runs a command."""
    return partial(command, sqlite_url(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[wiring.Opened]:
    made = open_store(sqlite_url(tmp_path))
    yield made
    made.close()


def test_somebody_is_invited_changed_and_let_in_no_longer(typed: Typed, store: wiring.Opened) -> None:
    code, link, _ = typed("user", "invite", "Kari", "--role", "administrator", PUBLIC_URL="https://x.example/")
    assert (code, link.startswith("https://x.example/set-up/")) == (0, True)
    with answering(store) as url, httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        again = json.loads(typed("user", "invite", "kari", "--json")[1])
        assert (again["name"], again["new"], again["link"][:27]) == ("kari", False, "http://127.0.0.1:8600/set-u")
        path = again["link"].removeprefix("http://127.0.0.1:8600")
        assert client.post(path, data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
        assert typed("user", "invite", "ola", "--role", "clerk")[0] == 0
        assert typed("user", "roles", "ola", "--role", "approver", "--role", "viewer")[0] == 0
        assert client.get("/account").status_code == 200
        code, _, said = typed("user", "disable", "kari")
        assert (code, "last administrator" in said) == (2, True)
        for number in range(7):
            ApiTokens(store.database).create(f"bi-{number}", Right.READ, "ola")
        ApiTokens(store.database).revoke("bi-0")
        code, _, said = typed("user", "disable", "ola")
        assert (code, "revoke those that they may know: bi-1, bi-2, bi-3, bi-4, bi-5 and 1 more." in said) == (0, True)
        listed = json.loads(typed("user", "list", "--json")[1])["users"]
    assert [(one["name"], set(one["roles"])) for one in listed] == [
        ("kari", {"administrator"}),
        ("ola", {"approver", "viewer"}),
    ]
    assert "disabled" in typed("user", "list")[1]
    assert typed("user", "enable", "ola")[0] == 0
    assert "password" not in json.dumps(listed)


def test_with_two_persons_the_one_who_asked_does_not_confirm(typed: Typed, store: wiring.Opened) -> None:
    careful = {"ACCESS_TWO_PERSONS": "true"}
    typed("user", "invite", "ola", "--role", "clerk", **careful)
    assert "wait: clerk" in typed("user", "list")[1]
    code, _, said = typed("user", "confirm", "ola", **careful)
    assert (code, "another administrator" in said) == (2, True)
    assert typed("user", "confirm", "ola", "--reject", **careful)[0] == 0
    told = [one.facts["event"] for one in wiring.installation_journal(store).timeline(None, "ola")]
    assert told == ["invited", "roles_rejected"]


def test_the_installations_journal_is_verified(typed: Typed, store: wiring.Opened) -> None:
    typed("user", "invite", "ola", "--role", "clerk")
    typed("token", "create", "grafana", "--scope", "read")
    verdict = json.loads(typed("journal", "verify", "--json")[1])
    assert len(verdict.pop("head")) == 64
    assert verdict == {"connection": None, "ok": True, "entries": 2, "broken": []}
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE journal SET facts = replace(facts, 'ola', 'eva') WHERE connection_id = 0")
    assert typed("journal", "verify")[0] == 1


def test_a_wrong_name_is_told(typed: Typed, store: wiring.Opened) -> None:
    for words in (("roles", "nobody"), ("disable", "nobody"), ("enable", "nobody"), ("confirm", "nobody")):
        code, _, said = typed("user", *words)
        assert (code, "nobody called" in said) == (2, True)
    assert typed("user", "invite", "a b")[0] == 2
    assert "Nobody yet" in typed("user", "list")[1]
