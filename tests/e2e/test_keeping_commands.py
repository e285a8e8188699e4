"""`backup`, `restore`, `clean`, `vault` and `disconnect` as somebody types them."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rig import NAME, connection, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.cli import main
from ml_connector.settings import person
from ml_connector.store.access import Access
from ml_connector.store.rights import Role


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


Typed = Callable[..., Done]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs a command as if it was typed."""

    def run(store: str, *words: str, **environment: str) -> Done:
        with monkeypatch.context() as here:
            here.setattr("sys.argv", ["ml-connector", "--store", store, *words])
            for name, value in {"ML_CONNECTOR_KEEP_RUNS_DAYS": "1", **environment}.items():
                here.setenv(name, value)
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def answer(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_backed_up_and_restored_by_command(tmp_path: Path, typed: Typed) -> None:
    with rig(sqlite_url(tmp_path)) as joined:
        joined.run()
        left = Access(joined.store.database, joined.store.vault)
        for name in ("kari", "ola"):
            left.invite(name, [Role.CLERK], "root")
        left.disable("ola", "root")
        url, file = joined.url, str(tmp_path / "night.db")
        made = typed(url, "backup", file, "--json")
        told = answer(made)
        assert told["rows"] == sum(told["counts"].values()) > 100
        assert f"opens only with key {told['key']}, which is not in it" in made.stderr.replace("\n", " ")
        refused = typed(url, "backup", file)
        assert (refused.returncode, "--force" in refused.stderr) == (2, True)

        new = f"sqlite:///{tmp_path / 'new' / 'store.db'}"
        without = typed(new, "restore", file)
        assert (without.returncode, f"opens with key {told['key']}" in without.stderr) == (2, True)
        assert not (tmp_path / "new" / "store.db").exists()
        shutil.copy(tmp_path / "store.key", tmp_path / "new" / "store.key")
        done = typed(new, "restore", file, "--json")
        assert answer(done)["connections"] == [NAME]
        assert "the next run asks both systems" in done.stderr
        assert f"It opens with key {told['key']}, as then" in done.stderr
        assert "could then: 1; disable those who left since" in done.stderr.replace("\n", " ")
        assert typed(new, "restore", file).returncode == 2
        assert answer(typed(new, "journal", "verify", NAME, "--json"))["ok"]
        assert answer(typed(new, "clean", "--json")) == {"bodies": 0, "runs": 0, "changes": 0, "exceptions": 0}
        wrong = typed(new, "clean", ML_CONNECTOR_KEEP_JOURNAL_YEARS="0")
        assert (wrong.returncode, "ML_CONNECTOR_KEEP_JOURNAL_YEARS" in wrong.stderr) == (2, True)
        for output in (made, done, without):
            assert "sandbox-secret" not in output.stdout + output.stderr
        assert wiring.journal(joined.store, NAME).verify().sound


def test_the_key_is_changed_by_command(tmp_path: Path, typed: Typed) -> None:
    made = {"SECRET": "s", "TOKEN": "t", "NEW_KEY": base64.b64encode(bytes(32)).decode()}
    url, key = sqlite_url(tmp_path), tmp_path / "store.key"
    where = ("--ifs-url", "https://a.ifs.cloud", "--ifs-realm", "r", "--ifs-client-id", "c", "--ifs-company", "10")
    secrets = ("--ifs-secret-env", "SECRET", "--airbase-url", "https://a.io", "--airbase-token-env", "TOKEN")
    assert typed(url, "connect", NAME, *where, *secrets, **made).returncode == 0
    old = key.read_text()
    assert "New data key in use" in typed(url, "vault", "rotate").stderr
    done = typed(url, "vault", "rekey")
    assert (done.returncode, f"It is in {key}: keep a copy" in done.stderr) == (0, True)
    (kept,) = tmp_path.glob("store.key.*")
    assert (kept.read_text(), f"Keep {kept}" in done.stderr) == (old, True)
    assert old != key.read_text()
    assert key.read_text().strip() not in done.stderr
    assert answer(typed(url, "connections", "--json")) == {"connections": [NAME]}
    (tmp_path / "link").symlink_to(key)
    linked = typed(url, "vault", "rekey", ML_CONNECTOR_KEY_FILE=str(tmp_path / "link"))
    assert f"It is in {key}: keep a copy" in linked.stderr
    done = typed(url, "vault", "rekey", "--key-env", "NEW_KEY", **made)
    assert (done.returncode, "start it anew" in done.stderr, made["NEW_KEY"] in done.stderr) == (0, True, False)
    left = typed(url, "connections")
    assert (left.returncode, "give the first, and start anew" in left.stderr.replace("\n", " ")) == (2, True)
    key.unlink()
    by_variable = {"ML_CONNECTOR_KEY": made["NEW_KEY"]}
    assert answer(typed(url, "connections", "--json", **by_variable)) == {"connections": [NAME]}
    refused = typed(url, "vault", "rekey", **by_variable)
    assert (refused.returncode, "--key-env" in refused.stderr) == (2, True)
    wrong = typed(url, "vault", "rekey", "--key-env", "SECRET", **made | by_variable)
    assert (wrong.returncode, "openssl rand -base64 32" in wrong.stderr) == (2, True)
    told = answer(typed(url, "journal", "verify", "--json", **by_variable))
    assert {name: told[name] for name in ("ok", "entries", "broken")} == {"ok": True, "entries": 3, "broken": []}
    assert answer(typed(url, "journal", "verify", "--head", told["head"], "--json", **by_variable)) == told
    early = typed(url, "journal", "verify", "--head", "0" * 63 + "1", **by_variable)
    assert (early.returncode, "another journal, or an earlier state of it" in early.stdout) == (1, True)


def test_a_connection_that_linked_nothing_is_removed_by_command(tmp_path: Path, typed: Typed) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=3, orders=0)) as joined:
        number, store = joined.store.connections.get(NAME).id, joined.store.database
        with store.lock(f"flow suppliers of connection {number}", 0.0):
            assert typed(joined.url, "disconnect", NAME).returncode == 3
        joined.run()
        linked = typed(joined.url, "disconnect", NAME)
        assert (linked.returncode, "has linked records" in linked.stderr) == (2, True)
        wiring.connect(joined.store, "typo", connection(joined.box), wiring.Secrets("a", "b"))
        journal = wiring.journal(joined.store, "typo")
        assert "Connection typo is gone" in typed(joined.url, "disconnect", "typo").stderr
        assert joined.store.connections.names() == [NAME]
        assert journal.timeline(None, "")[-1].facts == {"event": "removed", "person": person()}
        strict = connection(joined.box, two_persons=True)
        wiring.connect(joined.store, "strict", strict, wiring.Secrets("a", "b"))
        alone = typed(joined.url, "disconnect", "strict")
        assert (alone.returncode, "somebody else has to agree" in alone.stderr.replace("\n", " ")) == (2, True)
