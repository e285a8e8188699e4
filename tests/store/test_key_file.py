"""The key in its file: made once, private, and nothing else taken for it."""

import base64
import stat
from pathlib import Path

import pytest

from ml_connector.errors import VaultError
from ml_connector.store import key_file
from ml_connector.store.db import Database
from ml_connector.store.vault import Vault

from .conftest import KEY

PLACE = ("1", "links", "suppliers", "S1")


def test_a_key_file_is_made_once_and_kept_private(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "vault.key"
    blob = Vault.open(db, None, file).seal(b"kept", *PLACE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Vault.open(db, None, file).unseal(blob, *PLACE) == b"kept"
    with pytest.raises(VaultError, match="can't be created"):
        key_file.create(file)
    file.chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.open(db, None, file)
    file.unlink()
    with pytest.raises(VaultError, match="restore the file from backup"):
        Vault.open(db, None, file)


def test_a_key_file_with_something_else_is_refused(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "vault.key"
    file.write_text("hello")
    file.chmod(0o600)
    with pytest.raises(VaultError, match="does not hold a key"):
        Vault.open(db, None, file)


def test_keys_from_the_environment_are_base64() -> None:
    assert key_file.decoded(base64.b64encode(KEY).decode() + "\n", "it") == KEY
    for wrong in ("", "hello", base64.b64encode(b"short").decode()):
        with pytest.raises(VaultError):
            key_file.decoded(wrong, "it")
