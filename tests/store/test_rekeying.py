"""Another key: all that was sealed opens with it and nothing with the one before, wherever the change is killed."""

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ml_connector.errors import BusyError, SettingsError, VaultError
from ml_connector.store import backup, key_file, restoring, schema, vault
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal
from ml_connector.store.rekeying import rekey
from ml_connector.store.vault import Vault

from .conftest import KEY
from .processes import Worker

PLACE = ("1", "links", "suppliers", "S1")
NEW = bytes(32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "store.key"


@pytest.fixture
def keyed(db: Database, file: Path) -> Vault:
    """A vault whose key is in a file."""
    return Vault.open(db, None, file)


def there(file: Path) -> dict[str, str]:
    """The keys that are kept, by what comes after the file's name."""
    return {one.name.removeprefix(file.name): key_file.called(key_file.found(one, "")) for one in file.parent.iterdir()}


def test_a_new_key_is_put_in_place_and_the_one_before_opens_nothing(db: Database, keyed: Vault, file: Path) -> None:
    blob, old = keyed.seal(b"kept", *PLACE), key_file.found(file, "")
    if not os.geteuid():
        os.chown(file, 1234, 1234)
    owner = file.stat().st_uid
    done = rekey(db, keyed, None, file, "root")
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (owner, 0o600), "the service still reads it"
    assert there(file) == {"": done.key, f".{done.before}": done.before}
    assert key_file.called(old) == done.before != done.key
    again = Vault.open(db, None, file)
    later = again.seal(b"later", *PLACE)
    assert later[:5] != blob[:5], "whoever knows the key before, and an old backup, has no key to this"
    assert [again.unseal(one, *PLACE) for one in (blob, later)] == [b"kept", b"later"]
    assert keyed.unseal(later, *PLACE) == b"later", "a process that was running meanwhile"
    keyed.rotate()
    assert Vault.open(db, None, file).unseal(keyed.seal(b"last", *PLACE), *PLACE) == b"last"
    with pytest.raises(VaultError, match=f"sealed with key {done.key}, the one given is {done.before}"):
        Vault.open(db, old, None)
    journal = Journal(db, keyed, schema.INSTALLATION)
    (entry,) = journal.timeline("", done.key)
    assert entry.facts == {"event": "key_changed", "person": "root", "about": done.key, "before": done.before}
    assert journal.verify().sound


def test_a_key_that_is_given_leaves_files_alone(db: Database, keyed: Vault, file: Path) -> None:
    blob, before = keyed.seal(b"kept", *PLACE), there(file)
    done = rekey(db, keyed, NEW, file, "root")
    assert (there(file), done.key) == (before, key_file.called(NEW))
    now = Vault.open(db, NEW, None)
    assert now.unseal(blob, *PLACE) == b"kept"
    sealed = now.seal(b"later", *PLACE)
    for change in (lambda: keyed.unseal(sealed, *PLACE), keyed.rotate, lambda: rekey(db, keyed, KEY, file, "root")):
        with pytest.raises(VaultError, match=r"give the first, and start anew whatever runs with the other"):
            change()
    with pytest.raises(SettingsError, match="already; give another one"):
        rekey(db, now, NEW, file, "root")
    assert Vault.open(db, NEW, None).unseal(sealed, *PLACE) == b"later"


@pytest.mark.parametrize("where", ["kept", "written", "committed"])
def test_killed_anywhere_all_opens_with_one_key_and_none_is_lost(url: str, file: Path, where: str) -> None:
    with closing(Database.open(url)) as db:
        before = Vault.open(db, None, file)
        blob, (name,) = before.seal(b"kept", *PLACE), there(file).values()
        Worker("rekey", url, file, where).ready().kill()
        opened = Vault.open(db, None, file)
        assert opened.unseal(blob, *PLACE) == b"kept"
        changed = len(Journal(db, opened, schema.INSTALLATION).timeline("", name_of(db)))
        assert (changed, name_of(db) != name) == ((1, True) if where == "committed" else (0, False))
        assert {"": name, f".{name}": name, f".{name_of(db)}": name_of(db)}.items() <= there(file).items()
        done = rekey(db, opened, None, file, "root")
        assert there(file)[""] == done.key
        assert {name, done.before} <= set(there(file).values())
        assert Vault.open(db, key_file.found(file, ""), None).unseal(blob, *PLACE) == b"kept"
        assert Journal(db, opened, schema.INSTALLATION).verify().sound


def name_of(db: Database) -> str:
    """The key that opens the store."""
    with db.read() as connection:
        (name,) = set(connection.execute(schema.data_keys.select().with_only_columns(schema.data_keys.c.wrapped_by)))
    return name[0]


@pytest.mark.parametrize("name", ["", "x/../../store", "x\0", "\n"])
def test_a_name_that_no_key_has_leads_to_the_file(keyed: Vault, file: Path, name: str) -> None:
    assert key_file.found(file, name) == key_file.found(file, "")


def test_where_no_key_can_be_kept_nothing_changes(db: Database, keyed: Vault, file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    with pytest.raises(VaultError, match="--key-env"):
        rekey(db, keyed, None, file, "root")
    file.with_name("elsewhere").rename(file)
    assert Vault.open(db, None, file).seal(b"", *PLACE)[:5] == keyed.seal(b"", *PLACE)[:5]


def test_it_waits_for_who_opens_the_vault(
    db: Database, keyed: Vault, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_connector.store.rekeying.WAIT_S", 0.0)
    with db.lock(vault.LOCK, 0.0), pytest.raises(BusyError):
        rekey(db, keyed, None, file, "root")
    assert len(there(file)) == 1


def test_a_backup_made_before_opens_with_the_key_that_stayed(
    db: Database, keyed: Vault, file: Path, tmp_path: Path
) -> None:
    made = backup.back_up(db, keyed, tmp_path / "night.db")
    done = rekey(db, keyed, None, file, "root")
    assert made.key == done.before
    with closing(restoring.open_backup(tmp_path / "night.db", None, file)) as checked:
        assert checked.manifest == made
