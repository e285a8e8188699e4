"""`backup`, `restore` and `clean` as somebody types them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rig import NAME, rig, sqlite_url

from ml_connector import wiring


def typed(store: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("ml-connector")), "--store", store, *words]
    own = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "ML_CONNECTOR_KEEP_RUNS_DAYS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=own)


def answer(done: "subprocess.CompletedProcess[str]") -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_backed_up_and_restored_by_command(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path)) as joined:
        joined.run()
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
        assert typed(new, "restore", file).returncode == 2
        assert answer(typed(new, "journal", "verify", NAME, "--json"))["ok"]
        assert answer(typed(new, "clean", "--json")) == {"bodies": 0, "runs": 0, "changes": 0, "exceptions": 0}
        wrong = typed(new, "clean", ML_CONNECTOR_KEEP_JOURNAL_YEARS="0")
        assert (wrong.returncode, "ML_CONNECTOR_KEEP_JOURNAL_YEARS" in wrong.stderr) == (2, True)
        for output in (made, done, without):
            assert "sandbox-secret" not in output.stdout + output.stderr
        assert wiring.journal(joined.store, NAME).verify().sound
