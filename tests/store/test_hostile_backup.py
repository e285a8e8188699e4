"""Backups of earlier programs into which somebody without the key put more: only what was sealed is restored."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select

from ml_connector.store import backup_file, copying, key_file, migrate, restoring, schema_people, schema_work
from ml_connector.store.backup_file import Manifest
from ml_connector.store.db import Database
from ml_connector.store.vault import Vault

from .conftest import KEY
from .full import fill

OLD = "0002"  # has neither people nor tokens
LATER = (schema_people.users, schema_work.api_tokens)
OWN = ("alembic_version", "data_keys", "chains", *copying.LEFT_OUT)
TRIGGER = """CREATE TRIGGER planted AFTER UPDATE ON alembic_version BEGIN
    UPDATE connections SET settings = '{"url":"https://evil.example"}'; END"""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup as an earlier program made it."""
    folder = tmp_path_factory.mktemp("older")
    file, config = folder / "night.db", Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    backup_file.create(file)
    with closing(Database.open(f"sqlite:///{folder}/store.db")) as db, closing(backup_file.writable(file)) as made:
        vault = Vault.open(db, KEY, None)
        with db.read() as source, made.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, OLD)
            fill(connection, skip=OWN)
            copying.raw_copied(source, connection, ["data_keys"])
            names = [name for name in _tables(connection.connection.driver_connection) if name not in OWN[:1]]
            sums = {name: copying.raw_sum(connection, name) for name in names if name not in copying.LEFT_OUT}
            told = (copying.counts(sums), copying.digests(sums))
            backup_file.keep(connection, vault, Manifest(datetime.now(UTC), "0.1", OLD, key_file.called(KEY), *told))
    return file


def _tables(raw: sqlite3.Connection | None) -> list[str]:
    assert raw is not None
    found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in found]


def _form(head: Path, name: str) -> str:
    with closing(sqlite3.connect(head)) as raw:
        return str(raw.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()[0])


@pytest.mark.parametrize("what", ["a trigger", "tables of later programs"])
def test_what_was_put_into_an_older_backup_is_not_restored(older: Path, tmp_path: Path, what: str) -> None:
    file = Path(shutil.copy(older, tmp_path / "night.db"))
    with closing(sqlite3.connect(file)) as raw, raw:
        if what == "a trigger":
            raw.execute(TRIGGER)
        if what == "tables of later programs":
            _plant(raw, older.with_name("store.db"))
    target = f"sqlite:///{tmp_path}/store.db"
    with closing(restoring.open_backup(file, KEY, None)) as checked, closing(Database.open(target)) as db:
        checked.restore(db)
        with db.read() as connection:
            assert not [row for table in LATER for row in connection.execute(select(table))]
            settings = connection.exec_driver_sql("SELECT settings FROM connections ORDER BY id").scalars().all()
            assert settings == ["{}"] * 3


def _plant(raw: sqlite3.Connection, head: Path) -> None:
    """An administrator and a token, and the word that all migrations were made."""
    with closing(sqlite3.connect(head)) as now:
        there = set(_tables(raw))
        for name in (name for name in _tables(now) if name not in there):
            raw.execute(_form(head, name))
    with closing(Database.open(f"sqlite:///{head}")) as db, db.read() as connection:
        made = {table.name: [column.name for column in table.columns] for table in LATER}
        assert not any(connection.execute(select(table)).all() for table in LATER)
    for name, columns in made.items():
        marks = ", ".join("?" for _ in columns)
        raw.execute(f"INSERT INTO {name} VALUES ({marks})", [7] + ["evil"] * (len(columns) - 1))  # noqa: S608
    raw.execute("UPDATE alembic_version SET version_num = ?", [migrate.HEAD])
