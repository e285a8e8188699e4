"""Databases as each migration left them, opened by today's program: nothing is lost, and work goes on."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Select, Table, create_engine, insert, select

from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store import backup_file, copying, key_file, migrate, restoring, schema
from ml_connector.store.backup_file import Manifest
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.vault import Vault
from ml_connector.sync.outcome import Held
from ml_connector.sync.ports import Noted

from .conftest import KEY
from .full import fill
from .samples import entry, intended, settled

RELEASED = ("0001", "0002", "0003", "0004")
EMPTY: tuple[str, ...] = ("alembic_version", "data_keys", "chains")  # made-up rows of these would be damage


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Database]:
    """A store in use: something settled, something open, something that waits, a secret."""
    url = f"sqlite:///{tmp_path_factory.mktemp('today')}/store.db"
    with closing(Database.open(url)) as db:
        vault = Vault.open(db, KEY, None)
        Connections(db, vault).save("demo", {"a": 1}, {"ifs": "a secret"})
        store = FlowStore(db, vault, 1, "suppliers", Supplier, Vendor)
        run_id = settled(store, [entry("A"), entry("B")])
        intended(store, [entry("C")], run_id)
        store.note(run_id, [Noted("D", held=Held("cause", "sentence", "remedy"))])
        store.keep_cursors({"name": "content"})
    return lambda: Database.open(url)


def migrated(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrate.FOLDER))
    command.upgrade(config, revision)


def put_back(today: Database, connection: Connection) -> None:
    """The rows of a store in use, as far as the older tables hold them, and made-up ones in every table."""
    older = MetaData()
    older.reflect(connection)
    with today.read() as source:
        for there in (one for one in older.sorted_tables if one.name in schema.metadata.tables):
            rows = [dict(row) for row in source.execute(query(schema.metadata.tables[there.name], there)).mappings()]
            connection.execute(insert(there), rows) if rows else None
    fill(connection, skip=EMPTY)


def query(table: Table, there: Table) -> Select[Any]:
    return select(*(table.c[column.name] for column in there.columns))


def contents(connection: Connection, older: MetaData) -> dict[str, Sequence[Any]]:
    """Everything, by the columns that the older tables had."""
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
        for table in older.sorted_tables
        if table.name != "alembic_version"
    }


@pytest.mark.parametrize("revision", RELEASED)
def test_nothing_is_lost_and_work_goes_on(empty_url: str, revision: str, today: Callable[[], Database]) -> None:
    older = MetaData()
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://"))
    with closing(today()) as source, engine.begin() as connection:
        migrated(connection, revision)
        put_back(source, connection)
        older.reflect(connection)
        before = contents(connection, older)
    engine.dispose()
    assert all(before.values())
    with closing(Database.open(empty_url)) as db:
        with db.read() as connection:
            assert contents(connection, older) == before
            assert migrate.current(connection) == migrate.HEAD
        with db.write() as connection:
            copying.set_sequences(connection)  # the numbers were given by hand here
        assert_works(db)


def assert_works(db: Database, digest: bool = True) -> None:
    """What was kept is read, and a run goes on where it was left."""
    vault = Vault.open(db, KEY, None)
    assert Connections(db, vault).get("demo").settings == {"a": 1}
    assert Connections(db, vault).secret("demo", "ifs") == "a secret"
    assert [one.key for one in Exceptions(db, 1).open(10)] == ["D"]
    store = FlowStore(db, vault, 1, "suppliers", Supplier, Vendor)
    assert {(link.key, bool(link.digest)) for link in store.links("suppliers", ["A", "B"]).values()} == {
        ("A", digest),
        ("B", digest),
    }
    run_id = store.begin("run")
    assert [change.key for change in store.open_changes(10)] == ["C"]
    settled(store, [entry("E")], run_id)
    store.finish(run_id, "done", {})
    assert Journal(db, vault, 1).verify().sound


@pytest.mark.parametrize("revision", RELEASED)
def test_an_older_backup_is_restored(url: str, tmp_path: Path, revision: str, today: Callable[[], Database]) -> None:
    file = tmp_path / "older.db"
    backup_file.create(file)
    with closing(backup_file.writable(file)) as made, closing(today()) as source, made.write() as connection:
        migrated(connection, revision)
        put_back(source, connection)
        sums = {name: copying.raw_sum(connection, name) for name in schema.metadata.tables}
        told = (copying.counts(sums), copying.digests(sums))
        manifest = Manifest(datetime.now(UTC), "0.0.1", revision, key_file.called(KEY), *told)
        backup_file.keep(connection, Vault.open(source, KEY, None), manifest)
    before = file.read_bytes()
    with closing(restoring.open_backup(file, KEY, None)) as checked, closing(Database.open(url)) as db:
        checked.restore(db)
        assert_works(db, digest=False)
    assert file.read_bytes() == before
