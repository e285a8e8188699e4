"""The store kept safe and kept small: backup, restore, clean, another key.

Rule: it builds and hands over; it decides nothing.
Must not know: how anything is shown.
"""

from contextlib import closing
from pathlib import Path

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.settings import Installation
from ml_connector.store import backup, key_file, rekeying, restoring, retention
from ml_connector.store.backup_file import Manifest
from ml_connector.store.db import Database
from ml_connector.store.rekeying import Rekeyed
from ml_connector.store.restoring import Restored
from ml_connector.store.retention import Cleaned, Terms
from ml_connector.wiring.opened import Opened, given_key


def back_up(opened: Opened, file: Path, *, replace: bool = False) -> Manifest:
    """Copy the store into a file, while others work. Raises: SettingsError, StoreError."""
    return backup.back_up(opened.database, opened.vault, file, replace=replace)


def restore(installation: Installation, file: Path) -> Restored:
    """Put a backup into the installation's store, which must be empty; nothing is made before the backup is checked.

    Raises: SettingsError, StoreError.
    """
    checked = restoring.open_backup(file, given_key(installation), settings.key_file(installation))
    with closing(checked), closing(Database.open(installation.store)) as database:
        return checked.restore(database)


def clean(opened: Opened, installation: Installation) -> Cleaned:
    """Forget what is older than the installation keeps it. Raises: StoreError."""
    terms = Terms(installation.keep_journal_years, installation.keep_runs_days, installation.keep_changes_days)
    return retention.clean(opened.database, opened.vault, terms)


def rekey(opened: Opened, installation: Installation, given: str = "") -> Rekeyed:
    """Have the store open with another key: the one given as base64, else a new one in the key file.

    Raises: SettingsError, StoreError.
    """
    if installation.key and not given:
        raise SettingsError(
            "the key is given by ML_CONNECTOR_KEY; give the new one by another variable: --key-env NAME"
        )
    new = key_file.decoded(given, "the new key") if given else None
    return rekeying.rekey(opened.database, opened.vault, new, settings.key_file(installation), settings.person())
