"""What nobody foresaw: where it was is told, and not a word of it, as that may be a record's or part of a secret."""

import errno
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_connector.store.connections import Connections
from ml_connector.store.db import Database

SECRET = "hush, a secret"
FULL = Path("/dev/full")
COMMAND = str(Path(sys.executable).with_name("ml-connector"))


def test_an_error_of_our_own_is_told_without_its_words(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: Connections) -> list[str]:
        raise ValueError(SECRET)

    url = f"sqlite:///{tmp_path / 'store.db'}"
    Database.open(url).close()
    monkeypatch.setattr(Connections, "names", fail)
    code, out, err = command(url, "connections", "--json", KEY_FILE=str(tmp_path / "key"))
    assert (code, json.loads(out)["exit_code"]) == (1, 1)
    assert "test_unforeseen.py" in err
    assert "ValueError" in err
    assert SECRET not in out + err


def test_a_file_that_is_closed_to_us_and_a_full_disk_need_no_trace(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_self: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", "/closed/store.db")

    monkeypatch.setattr(Path, "exists", closed)
    code, out, err = command(f"sqlite:///{tmp_path / 'store.db'}", "connections", "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
    assert "/closed/store.db: Permission denied" in err
    assert "app.py" not in err


class Silent(io.StringIO):
    """A terminal at which somebody says that there is nothing to say (Ctrl-D)."""

    def isatty(self) -> bool:
        return True


def test_a_question_without_an_answer_needs_no_trace(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Silent())
    code, _, err = command(f"sqlite:///{tmp_path / 'store.db'}", "connect", "acme", KEY_FILE=str(tmp_path / "key"))
    assert (code, "the question got no answer, so nothing is changed" in err) == (2, True)
    assert ".py" not in err


@pytest.mark.skipif(not FULL.exists(), reason="this machine has no disk that is always full")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 3, "the output can't be written: No space left on device"),
        (["--store", "sqlite:////nowhere/store.db", "flows", "x", "--json"], 2, "there is no store at"),
    ],
)
def test_output_that_can_not_be_written(words: list[str], code: int, said: str) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert f"error: {said}" in done.stderr
    assert ".py" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["flow", "x", "suppliers", "maybe"], "'maybe' is not one of 'on', 'off'"),
        (["backfill", "x", "suppliers", "--since", "1.9.2026"], "'1.9.2026' is no day; it looks like 2026-09-01"),
    ],
)
def test_what_is_typed_wrong_is_told_in_a_users_words(
    command: Callable[..., tuple[int, str, str]], words: list[str], said: str
) -> None:
    code, _, err = command("sqlite:////nowhere/store.db", *words)
    assert code == 2
    assert said in " ".join(err.split())
    assert "Value error" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], "Missing argument 'name'"),
        (["exceptions", "acme", "--limit", "0"], "Invalid value for '--limit': it should be at least 1"),
        (["exceptions", "acme", "--limit", "x"], "Invalid value for '--limit': it is no whole number"),
        (["connections", "--colour"], "No such option: --colour"),
        (["nonsense"], "No such command 'nonsense'"),
        (["flow", "acme", "suppliers", "maybe"], "'maybe' is not one of 'on', 'off'"),
    ],
)
def test_a_script_that_types_something_wrong_gets_an_object_too(
    command: Callable[..., tuple[int, str, str]], words: list[str], said: str
) -> None:
    code, out, err = command("sqlite:////nowhere/store.db", *words, "--json")
    told = json.loads(out)
    assert (code, told["exit_code"]) == (2, 2)
    assert said in told["error"]
    assert said in " ".join(err.split())
    assert "Usage: ml-connector" in err
    code, out, err = command("sqlite:////nowhere/store.db", *words)
    assert (code, out) == (2, "")
