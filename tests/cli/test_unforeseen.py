"""What nobody foresaw: where it was is told, and not a word of it, as that may be a record's or part of a secret."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_connector.store.connections import Connections
from ml_connector.store.db import Database

SECRET = "hush, a secret"


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
