"""The file of a backup: an SQLite store that only its owner may read, with a list of contents.

Rule: it gets its name once all of it is on the disk; it is read without being written to.
Must not know: what is in the tables.
"""

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import (
    URL,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    NullPool,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
)

from ml_connector.errors import SettingsError, StoreError, VaultError
from ml_connector.store.db import Database
from ml_connector.store.locks import ThreadLocks
from ml_connector.store.vault import Vault

MANIFEST_BYTES_MAX = 1_000_000
_SEAL = ("backup", "manifest")

_backup = Table(
    "backup", MetaData(), Column("manifest", Text, nullable=False), Column("sealed", LargeBinary, nullable=False)
)


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself; counts and digests by table. `key`: the fingerprint of the key that opens it."""

    made_at: datetime
    program: str
    migration: str
    key: str
    counts: dict[str, int]
    digests: dict[str, str]

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(self.counts.values())


def keep(connection: Connection, vault: Vault, manifest: Manifest) -> None:
    """Write the list of contents, sealed."""
    told = _encoded(manifest)
    _backup.create(connection)
    sealed = vault.seal(_digest(told).encode(), *_SEAL)
    connection.execute(insert(_backup).values(manifest=told.decode(), sealed=sealed))


def told(db: Database, file: Path) -> tuple[bytes, bytes]:
    """The list of contents and its seal, as written. Raises: SettingsError when it is no backup, StoreError."""
    with db.read() as connection:
        if not inspect(connection).has_table(_backup.name):
            raise SettingsError(f"{file} is no backup; `ml-connector backup FILE` makes one")
        size = (
            connection.execute(
                select(func.max(func.length(_backup.c.manifest) + func.length(_backup.c.sealed)))
            ).scalar()
            or 0
        )
        row = None if size > MANIFEST_BYTES_MAX else connection.execute(select(_backup).limit(1)).one_or_none()
    if row is None:
        raise altered(file)
    return str(row.manifest).encode(), bytes(row.sealed)


def decoded(told: bytes, file: Path) -> Manifest:
    """The list of contents. Raises: StoreError."""
    try:
        return msgspec.json.decode(told, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise altered(file) from None


def check_seal(vault: Vault, told: bytes, sealed: bytes, file: Path) -> None:
    """Make sure that the list of contents is ours. Raises: StoreError."""
    try:
        same = vault.unseal(sealed, *_SEAL) == _digest(told).encode()
    except VaultError:
        same = False
    if not same:
        raise altered(file)


def altered(file: Path) -> StoreError:
    """What is wrong with a file that somebody changed."""
    return StoreError(f"{file} is not as it was made: its list of contents was altered; take another backup")


def _encoded(manifest: Manifest) -> bytes:
    return msgspec.json.encode(manifest, order="sorted")


def _digest(told: bytes) -> str:
    return hashlib.sha256(told).hexdigest()


def digest(manifest: Manifest) -> str:
    """What identifies a backup."""
    return _digest(_encoded(manifest))


def read_only(file: Path) -> Database:
    """A backup, to be read."""
    address = URL.create("sqlite", database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"})
    return _database(address, "PRAGMA trusted_schema=OFF")


def writable(part: Path) -> Database:
    """A file in the making."""
    # Until it is whole it has another name, so a power cut may leave anything of it.
    return _database(URL.create("sqlite", database=str(part)), "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF")


def _database(address: URL, *pragmas: str) -> Database:
    engine = create_engine(address, hide_parameters=True, poolclass=NullPool)

    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return Database(engine, ThreadLocks(), None)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def create(part: Path) -> None:
    """Create the file so that nobody else can read it. Raises: StoreError."""
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"{part.parent}: {error.strerror}; the backup needs a folder that can be written to"
        ) from error


def publish(part: Path, file: Path) -> None:
    """Give the file its name once all of it is on the disk. Raises: StoreError."""
    try:
        _sync(part)
        os.replace(part, file)
        _sync(file.parent)
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; the backup was not kept") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        with suppress(OSError):
            os.close(descriptor)
