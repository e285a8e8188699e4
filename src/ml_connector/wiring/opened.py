"""The open store, and the connections kept in it.

Rule: a connection is kept only when everything in its profile is right.
Must not know: how anything is shown.
"""

import base64
import binascii
from dataclasses import dataclass

import msgspec

from ml_connector import settings
from ml_connector.errors import SettingsError, StoreError
from ml_connector.settings import Connection, Installation
from ml_connector.store.approvals import Approvals
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.journal import Journal
from ml_connector.store.schema import INSTALLATION
from ml_connector.store.vault import Vault
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.wiring import profile as profiles


class Secrets(msgspec.Struct, frozen=True):
    """The secrets of a connection; its text form shows none of them."""

    ifs: str
    airbase: str

    def __repr__(self) -> str:
        return "Secrets(…)"


@dataclass(frozen=True)
class Opened:
    """An open store."""

    database: Database
    vault: Vault
    connections: Connections

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_store(installation: Installation, *, create: bool = True) -> Opened:
    """Open the store; `create`: with its key, where they are missing.

    Raises: SettingsError, StoreError.
    """
    file = settings.store_file(installation.store)
    if file and not create and not file.exists():
        raise SettingsError(f"there is no store at {file}; `connect` makes one, or name another with --store")
    database = Database.open(installation.store)
    try:
        vault = Vault.open(database, given_key(installation), settings.key_file(installation))
    except StoreError:
        database.close()
        raise
    return Opened(database, vault, Connections(database, vault))


def connect(opened: Opened, name: str, connection: Connection, secrets: Secrets, *, same_tenants: bool = False) -> None:
    """Keep a connection, replacing one of the same name.

    `same_tenants`: a changed address leads to the systems that it led to before. Raises: SettingsError when a name in
    the profile is wrong, or when records are linked that the connection would no longer lead to; StoreError.
    """
    if name.startswith("-"):
        raise SettingsError(f"a connection can't be called {name!r}: it would be taken for an option")
    stored = msgspec.to_builtins(connection)
    read = profiles.read(settings.connection(stored))
    if opened.connections.in_use(name):
        before = settings.connection(opened.connections.get(name).settings)
        settings.check_move(name, before, connection, same_tenants=same_tenants)
        _check_landing(name, profiles.read(before).landing, read.landing)
    given = {"ifs": secrets.ifs, "airbase": secrets.airbase}
    opened.connections.save(name, stored, {field: value for field, value in given.items() if value})


def _check_landing(name: str, before: Landing | None, after: Landing | None) -> None:
    """Make sure that what was posted or handed over is still found. Raises: SettingsError."""
    if before and after and before.serie != after.serie:
        raise SettingsError(f"{name} has posted vouchers with the serie {before.serie}; with another they aren't found")
    if before and before.folder and (after is None or before.folder != after.folder):
        raise SettingsError(
            f"{name} has handed over voucher files in {before.folder}; keep it in [posting.landing] folder, whatever "
            "the kind, so that what is in them is still known"
        )


def kept(opened: Opened, name: str) -> Connection | None:
    """The connection of this name as it is, if there is one.

    Raises: StoreError.
    """
    there = name in opened.connections.names()
    return settings.connection(opened.connections.get(name).settings) if there else None


def journal(opened: Opened, name: str) -> Journal:
    """The journal of a connection."""
    return Journal(opened.database, opened.vault, opened.connections.get(name).id)


def installation_journal(opened: Opened) -> Journal:
    """The journal of what concerns no single connection, such as who may sign in."""
    return Journal(opened.database, opened.vault, INSTALLATION)


def exceptions(opened: Opened, name: str) -> Exceptions:
    """The exceptions of a connection."""
    return Exceptions(opened.database, opened.connections.get(name).id)


def approvals(opened: Opened, name: str) -> Approvals:
    """The approvals of a connection."""
    return Approvals(opened.database, opened.vault, opened.connections.get(name).id)


def given_key(installation: Installation) -> bytes | None:
    """The key from the environment, if it is there. Raises: SettingsError."""
    if installation.key is None:
        return None
    try:
        key = base64.b64decode(installation.key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError("ML_CONNECTOR_KEY is not 32 bytes in base64; make one: openssl rand -base64 32")
    return key
