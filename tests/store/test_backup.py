"""Backups: whole and of one moment, opened only by their key, refused when anything of them was changed."""

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from ml_connector.errors import ConnectorError, SettingsError, StoreError, VaultError
from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store import backup, copying, migrate, restoring, schema, schema_work
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.vault import Vault

from .conftest import KEY
from .full import fill
from .samples import entry, intended, settled

OWN = (*copying.LEFT_OUT, "alembic_version", "data_keys", "chains")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "night.db"


def restore(file: Path, url: str, key: bytes = KEY) -> restoring.Restored:
    with closing(restoring.open_backup(file, key, None)) as checked, closing(Database.open(url)) as db:
        return checked.restore(db)


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that is backed up, without what a restore changes."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with db.read() as connection:
        for table in schema.metadata.sorted_tables:
            columns = [column for column in table.columns if (table.name, column.name) not in CHANGED]
            query = select(*columns).order_by(*table.primary_key.columns)
            query = query.where(table.c.kind != "restored") if table is schema.journal else query
            if table.name not in (*copying.LEFT_OUT, "chains"):
                found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


KINDS = (Supplier, Vendor)
CHANGED = {("links", "digest"), ("approvals", "used_at")}


def test_from_one_kind_into_the_other_and_back_all_is_the_same(both: list[Database], tmp_path: Path) -> None:
    lite, server = both
    vault = Vault.open(lite, KEY, None)
    Connections(lite, vault).save("demo", {"a": 1}, {"ifs": "secret"})
    with lite.write() as connection:
        fill(connection, skip=OWN)
    first = backup.back_up(lite, vault, tmp_path / "1.db")
    with closing(restoring.open_backup(tmp_path / "1.db", KEY, None)) as checked:
        checked.restore(server)
    assert contents(server) == contents(lite)
    moved = Vault.open(server, KEY, None)
    assert Connections(server, moved).secret("demo", "ifs") == "secret"
    assert_numbers_go_on(server, moved)
    again = backup.back_up(server, moved, tmp_path / "2.db")
    restore(tmp_path / "2.db", f"sqlite:///{tmp_path}/back.db")
    with closing(Database.open(f"sqlite:///{tmp_path}/back.db")) as back:
        assert contents(back) == contents(server)
        assert Journal(back, Vault.open(back, KEY, None), 1).verify().sound
    same = {"secrets", "exceptions", "runs", "inbox", "hooks", "tallies"}
    assert {first.digests[name] for name in same} == {again.digests[name] for name in same}


def assert_numbers_go_on(db: Database, vault: Vault) -> None:
    """What is new comes after what was copied."""
    assert Connections(db, vault).save("next", {}, {}).id > 103
    with db.write() as connection:
        values = {"plan_id": "p", "person": "x", "at": "t", "connection_id": 1, "used_at": "t"}
        assert (
            connection.execute(insert(schema.approvals).values(values).returning(schema.approvals.c.id)).scalar() == 104
        )


def test_what_is_left_out(db: Database, vault: Vault, store: FlowStore, file: Path) -> None:
    settled(store, [entry("A")])
    run_id = store.begin("run")
    store.stage(run_id, [entry("B")])
    with db.write() as connection:
        connection.execute(insert(schema.reservations).values(name="a", due_at=0, resume_at=0))
    made = backup.back_up(db, vault, file)
    assert made.counts["changes"] == made.counts["links"] == 1
    assert not made.counts.keys() & set(copying.LEFT_OUT)
    with closing(sqlite3.connect(file)) as raw:
        left = [raw.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in copying.LEFT_OUT]  # noqa: S608
    assert not any(left)
    assert KEY not in file.read_bytes()


def test_what_is_restored_is_not_believed(
    store: FlowStore, db: Database, vault: Vault, file: Path, connection_id: int
) -> None:
    settled(store, [entry("A"), entry("B")])
    intended(store, [entry("C")])
    store.keep_cursors({"basis": "x"})
    with db.write() as connection:
        row = {
            "id": "o",
            "connection_id": connection_id,
            "flow": "f",
            "what": "{}",
            "cause": "person",
            "person": "",
            "rank": 1,
        }
        row |= {"state": "running", "placed_at": "t", "not_before": 0.0, "worker": "dead", "attempts": 1}
        connection.execute(insert(schema_work.orders).values(row | {"run_id": "", "figures": "{}", "error": ""}))
    backup.back_up(db, vault, file)
    other = f"sqlite:///{file.parent}/other.db"
    assert restore(file, other).doubted == 2
    with closing(Database.open(other)) as again:
        opened = FlowStore(again, Vault.open(again, KEY, None), connection_id, "suppliers", *KINDS)
        assert (opened.cursor("basis"), opened.rows_known()) == ("", 0)
        assert {link.digest for link in opened.links("suppliers", ["A", "B"]).values()} == {""}
        opened.begin("run")
        assert [change.key for change in opened.open_changes(10)] == ["C"]
        with again.read() as connection:
            orders = connection.execute(select(schema_work.orders.c.state, schema_work.orders.c.worker)).all()
            assert [tuple(row) for row in orders] == [("queued", None)]


def test_the_file_is_the_owners_alone_and_replaces_nothing_unasked(db: Database, vault: Vault, file: Path) -> None:
    backup.back_up(db, vault, file)
    before = file.read_bytes()
    with pytest.raises(SettingsError, match="there already"):
        backup.back_up(db, vault, file)
    assert file.read_bytes() == before
    backup.back_up(db, vault, file, replace=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.glob("*night*")] == ["night.db"]
    with pytest.raises(StoreError, match="folder that can be written to"):
        backup.back_up(db, vault, file.parent / "nowhere" / "x.db")


def test_the_store_is_not_replaced_by_its_own_backup(tmp_path: Path) -> None:
    with closing(Database.open(f"sqlite:///{tmp_path / 'store.db'}")) as db:
        vault = Vault.open(db, KEY, None)
        with pytest.raises(SettingsError, match="the store itself"):
            backup.back_up(db, vault, tmp_path / "." / "store.db", replace=True)


def test_a_backup_that_fails_leaves_nothing(
    db: Database, vault: Vault, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_sums: Any) -> Any:
        raise StoreError("the disk is full")

    monkeypatch.setattr(copying, "digests", fail)
    with pytest.raises(StoreError, match="full"):
        backup.back_up(db, vault, file)
    assert not list(file.parent.glob("*night*"))


def test_another_key_is_refused_before_anything_is_written(db: Database, vault: Vault, file: Path) -> None:
    backup.back_up(db, vault, file)
    with pytest.raises(VaultError, match=r"sealed with key \w{8}, the one given is \w{8}"):
        restoring.open_backup(file, bytes(32), None)
    with pytest.raises(VaultError, match=r"opens with key \w{8}; put that key into"):
        restoring.open_backup(file, None, file.parent / "store.key")
    assert not (file.parent / "store.key").exists()


def test_a_newer_backup_is_refused(db: Database, vault: Vault, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup.back_up(db, vault, file)
    monkeypatch.setattr(migrate, "HEAD", "0002")
    with pytest.raises(StoreError, match="install that one or a newer one"):
        restoring.open_backup(file, KEY, None)


def test_what_is_no_backup_is_said_so(tmp_path: Path, file: Path) -> None:
    with pytest.raises(SettingsError, match="no backup at"):
        restoring.open_backup(file, KEY, None)
    file.write_text("Dear Sir or Madam, " * 500)
    with pytest.raises(ConnectorError, match="no backup"):
        restoring.open_backup(file, KEY, None)
    Database.open(f"sqlite:///{tmp_path}/store.db").close()
    with pytest.raises(SettingsError, match="is no backup"):
        restoring.open_backup(tmp_path / "store.db", KEY, None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    with closing(Database.open(f"sqlite:///{folder}/store.db")) as db:
        vault = Vault.open(db, KEY, None)
        Connections(db, vault).save("demo", {}, {})
        with db.write() as connection:
            fill(connection, skip=OWN)
        backup.back_up(db, vault, folder / "night.db")
    return folder / "night.db"


@settings(max_examples=20, deadline=None)
@given(share=st.floats(0.05, 0.98))
def test_a_backup_that_was_cut_off_is_refused(kept: Path, share: float) -> None:
    whole = kept.read_bytes()
    file = kept.with_name("cut.db")
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ConnectorError, match=r"take another backup|no backup"):
        restoring.open_backup(file, KEY, None)


TAMPERED: dict[str, Callable[[sqlite3.Connection], Any]] = {
    "a value": lambda c: c.execute("UPDATE links SET target_id = 'other' WHERE connection_id = 101"),
    "a row less": lambda c: c.execute("DELETE FROM exceptions WHERE id = 102"),
    "a row more": lambda c: c.execute("INSERT INTO tallies VALUES ('a', 'b', 1)"),
    "a table less": lambda c: c.execute("DROP TABLE tallies"),
    "a flag": lambda c: c.execute("UPDATE links SET active = NOT active"),
    "another type": lambda c: c.execute("UPDATE links SET target_id = CAST(target_id AS BLOB)"),
    "no text": lambda c: c.execute("UPDATE links SET target_id = CAST(x'ff00' AS TEXT)"),
    "the list": lambda c: c.execute("UPDATE backup SET manifest = replace(manifest, '\"links\":3', '\"links\":4')"),
    "no list": lambda c: c.execute("DELETE FROM backup"),
    "a list of nonsense": lambda c: c.execute("UPDATE backup SET manifest = 'x'"),
    "a long list": lambda c: c.execute("UPDATE backup SET manifest = printf('%.*c', 2000000, 'x')"),
    "the seal": lambda c: c.execute("UPDATE backup SET sealed = x'00'"),
    "a key": lambda c: c.execute("UPDATE data_keys SET wrapped = x'0001'"),
    "no key": lambda c: c.execute("DELETE FROM data_keys"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_backup_that_was_altered_is_refused(kept: Path, what: str) -> None:
    file = Path(shutil.copy(kept, kept.with_name("altered.db")))
    with closing(sqlite3.connect(file)) as raw, raw:
        assert TAMPERED[what](raw).rowcount != 0
    with pytest.raises(ConnectorError, match=r"another backup|damaged|key"):
        restoring.open_backup(file, KEY, None)


def test_a_backup_that_is_altered_while_it_is_restored_leaves_nothing(kept: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(kept, tmp_path / "night.db"))
    with closing(restoring.open_backup(file, KEY, None)) as checked:
        with closing(sqlite3.connect(file)) as raw, raw:
            TAMPERED["a value"](raw)
        with closing(Database.open(f"sqlite:///{tmp_path}/store.db")) as db:
            with pytest.raises(StoreError, match="changed while it was read"):
                checked.restore(db)
            with db.read() as connection:
                assert not connection.execute(select(schema.connections)).all()


def test_only_an_empty_store_without_workers_is_restored_into(kept: Path, url: str) -> None:
    with closing(Database.open(url)) as db, closing(restoring.open_backup(kept, KEY, None)) as checked:
        with db.write() as connection:
            row = {"id": "w", "host": "h", "pid": 1, "version": "", "threads": 1, "started_at": "t"}
            connection.execute(insert(schema_work.workers).values(row | {"lease_until": 4e9}))
        with pytest.raises(SettingsError, match="stop it"):
            checked.restore(db)
        with db.write() as connection:
            connection.execute(update(schema_work.workers).values(lease_until=1.0))
        Vault.open(db, bytes(32), None)  # somebody opened it before, with another key even
        checked.restore(db)
        assert Connections(db, Vault.open(db, KEY, None)).names()
        with pytest.raises(SettingsError, match="not empty"):
            checked.restore(db)
        with db.read() as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM journal WHERE kind = 'restored'")).scalar() == 4


def test_a_backup_is_of_one_moment(db: Database, vault: Vault, store: FlowStore, file: Path) -> None:
    """While another thread settles change after change, every backup is true in itself."""
    stop, went_on = threading.Event(), threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            settled(store, [entry(f"{number}")])
            went_on.set()

    def once_more(number: int) -> backup.Manifest:
        went_on.clear()
        assert went_on.wait(60)
        return backup.back_up(db, vault, file.with_name(f"{number}.db"))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        made = [once_more(number) for number in range(5)]
    finally:
        stop.set()
        thread.join()
    assert made[-1].counts["links"] > made[0].counts["links"]
    for number in range(5):
        with closing(sqlite3.connect(file.with_name(f"{number}.db"))) as raw:
            (links,), (done,), (entries,), (head,) = (raw.execute(query).fetchone() for query in TOGETHER)
            assert (links, entries) == (done, head)


TOGETHER = (
    "SELECT COUNT(*) FROM links",
    "SELECT COUNT(*) FROM changes WHERE state = 'settled'",
    "SELECT COUNT(*) FROM journal",
    "SELECT seq FROM chains",
)
