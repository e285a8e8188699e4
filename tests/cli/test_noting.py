"""`exception` notes at one record, and `exceptions` tells who sees to it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rig import NAME, open_store

from ml_connector import wiring
from ml_connector.cli.app import main
from ml_connector.settings import Airbase, Connection, Ifs
from ml_connector.store.exceptions import note
from ml_connector.store.rights import Role
from ml_connector.store.scope import Scope
from ml_connector.store.users import Users
from ml_connector.sync.outcome import Held

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line over a store in which one record of two parts is held."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    kept = Connection(Ifs("https://ifs.example", "r", "c", ("10",)), Airbase("https://airbase.example"))
    wiring.connect(store, NAME, kept, wiring.Secrets("a", "b"))
    scope = Scope(store.vault, store.connections.get(NAME).id, "suppliers", object, object, store.database.now)
    with store.database.write() as connection:
        note(connection, scope, "run", [("S1\x1f10", Held("closed", "S1 waits.", "Do it."))])
    Users(store.database).create("ola", [Role.CLERK], "test")
    Users(store.database).create("vera", [Role.VIEWER], "test")
    store.close()

    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["ml-connector", "--store", url, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return called


def exceptions(call: Call) -> dict[str, Any]:
    return json.loads(call("exceptions", NAME, "--json")[1])["exceptions"][0]


def test_who_sees_to_it_and_until_when_it_rests(call: Call) -> None:
    noting = ("exception", NAME, "suppliers", "S1/10")
    code, _, said = call(*noting, "--assign", "ola", "--snooze", "7d", "--comment", "Asked.")
    assert (code, said) == (0, "Noted.\n")
    one = exceptions(call)
    assert one["assignee"] == "ola"
    assert one["snoozed_until"]
    assert "ola sees to it; rests until" in call("exceptions", NAME)[1]
    assert "noted" in call("record", NAME, "S1/10")[1]
    assert "noted already" in call(*noting, "--assign", "ola")[2]
    call(*noting, "--assign", "nobody", "--snooze", "now")
    one = exceptions(call)
    assert (one["assignee"], one["snoozed_until"]) == ("", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("S1/10",), "nothing was said"),
        (("S1/10", "--assign", "vera"), "may put records right"),
        (("S1/10", "--snooze", "yesterday"), "until when"),
        (("S2/10", "--assign", "ola"), "needs nobody"),
    ],
)
def test_what_cannot_be_noted(call: Call, given: tuple[str, ...], said: str) -> None:
    code, _, told = call("exception", NAME, "suppliers", *given)
    assert code == 2
    assert said in " ".join(told.split())
