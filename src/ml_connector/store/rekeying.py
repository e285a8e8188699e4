"""Changing the key that the store opens with.

Rule: the new key is kept before anything is wrapped with it, the one until now stays beside it; all of the store opens
with the one or all of it with the other, wherever this is ended. It is in the journal, in the same transaction.
Must not know: what is sealed.
"""

from pathlib import Path

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.store import key_file
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database
from ml_connector.store.vault import LOCK, WAIT_S, Vault


class Rekeyed(msgspec.Struct, frozen=True):
    """The names of the key that opens the store from now on, and of the one until now."""

    key: str
    before: str


def rekey(db: Database, vault: Vault, given: bytes | None, file: Path, person: str) -> Rekeyed:
    """Have the store open with the key that is given, or with a new one in the key file.

    Raises: SettingsError, StoreError; then it opens as before.
    """
    with db.lock(LOCK, WAIT_S):
        key = given or key_file.prepare(file)
        name = key_file.called(key)
        with db.write() as connection:
            before = vault.rewrap(connection, key)
            if before == name:
                raise SettingsError(f"the store opens with key {name} already; give another one")
            AccessLog(db, vault).note(connection, "key_changed", person, name, before=before)
        if not given:
            key_file.put_in_place(file, name)
    return Rekeyed(name, before)
