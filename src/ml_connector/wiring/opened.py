"""The open store, and the connections kept in it.

Rule: it opens and hands over; it changes nothing.
Must not know: how anything is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from ml_connector import settings
from ml_connector.errors import SettingsError, StoreError
from ml_connector.settings import Connection, Installation
from ml_connector.store import key_file
from ml_connector.store.approvals import Approvals
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.journal import Journal
from ml_connector.store.schema import INSTALLATION
from ml_connector.store.vault import Vault


class Secrets(msgspec.Struct, frozen=True):
    """The secrets of a connection; its text form shows none of them."""

    ifs: str
    airbase: str
    further: Mapping[str, str] = {}

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
    """The key from the environment, if it is there. Raises: VaultError."""
    given = installation.key
    return key_file.decoded(given.get_secret_value(), "ML_CONNECTOR_KEY") if given else None
