"""Backups: what a store remembers, as it is at one moment, in one file.

Rule: it is made while others work, and holds up nobody; the key is never in it.
Must not know: flows, systems.
"""

import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from sqlalchemy import Connection, select

from ml_connector.errors import SettingsError
from ml_connector.store import backup_file, copying, faults, migrate, schema
from ml_connector.store.backup_file import Manifest
from ml_connector.store.db import Database
from ml_connector.store.vault import Vault


def back_up(db: Database, vault: Vault, file: Path, *, replace: bool = False) -> Manifest:
    """Copy the store into a new file, as it is at this moment, while others go on working.

    Raises: SettingsError when the file is there already, StoreError.
    """
    if db.file and file.resolve() == db.file.resolve():
        raise SettingsError(f"{file} is the store itself; give the backup another name")
    if file.exists() and not replace:
        raise SettingsError(f"{file} is there already; give another name, or --force to replace it")
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    try:
        backup_file.create(part)
        manifest = _filled(db, vault, part, datetime.now(UTC))
        backup_file.publish(part, file)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _filled(db: Database, vault: Vault, part: Path, now: datetime) -> Manifest:
    with faults.translated(), closing(backup_file.writable(part)) as file, file.write() as target:
        migrate.upgrade(target)
        with _moment(db) as source:
            sums = copying.copied(source, target)
            key: str = source.execute(select(schema.data_keys.c.wrapped_by).limit(1)).scalar_one()
        program = metadata.version("ml-connector")
        manifest = Manifest(now, program, migrate.HEAD, key, copying.counts(sums), copying.digests(sums))
        backup_file.keep(target, vault, manifest)
    return manifest


@contextmanager
def _moment(db: Database) -> Generator[Connection]:
    """A transaction that sees the store as it is now, however long it takes; SQLite's always does."""
    with faults.translated(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection
