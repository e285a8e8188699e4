"""The vault: bytes sealed so that they open only with the key, and only where they belong.

Rule: AES-GCM with data keys, which lie in the database wrapped by the installation's key. What a value belongs to
(connection, table, flow, key) is bound into its seal: moved elsewhere, it does not open.
Shape: a sealed value is version (1 byte), data key number (4), nonce (12), ciphertext with tag.
Must not know: what is sealed.
"""

import hmac
import os
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Row, insert, select, update

from ml_connector.errors import VaultError
from ml_connector.store import key_file, schema
from ml_connector.store.db import Database

LOCK, WAIT_S = "vault", 30.0
VERSION = 1
_HEAD = struct.Struct(">BI")
_NONCE_BYTES = 12
_CLOSED = "a sealed value does not open: it was altered, or moved from where it belongs"


class Vault:
    """Seals and opens; safe to share between threads."""

    def __init__(self, db: Database, key: bytes, file: Path | None = None) -> None:
        self._db = db
        self._key = key
        self._file = file
        self._ciphers: dict[int, AESGCM] = {}
        self._newest = 0
        self._oldest = b""

    @classmethod
    def open(cls, db: Database, key: bytes | None, file: Path | None) -> "Vault":
        """Open the vault of a database with a key, or with a key file, which is created for a new database.

        Raises: VaultError when the key is missing, malformed or not the one that this database was sealed with.
        """
        with db.lock(LOCK, WAIT_S):
            rows = _rows(db)
            vault = cls(db, key_file.checked(key)) if key is not None else cls(db, _from_file(file, rows), file)
            if not rows:
                with db.write() as connection:
                    _add(connection, vault._key)
            vault._load()
        return vault

    def seal(self, plain: bytes, *aad: str) -> bytes:
        """Seal bytes to the place that `aad` names."""
        head = _HEAD.pack(VERSION, self._newest)
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plain, _bound(head, aad))

    def unseal(self, blob: bytes, *aad: str) -> bytes:
        """The bytes that were sealed to this place.

        Raises: VaultError.
        """
        if len(blob) < _HEAD.size + _NONCE_BYTES:
            raise VaultError(_CLOSED)
        head, nonce = blob[: _HEAD.size], blob[_HEAD.size : _HEAD.size + _NONCE_BYTES]
        version, number = _HEAD.unpack(head)
        if version != VERSION:
            raise VaultError(_CLOSED)
        try:
            return self._cipher(number).decrypt(nonce, blob[_HEAD.size + _NONCE_BYTES :], _bound(head, aad))
        except InvalidTag:
            raise VaultError(_CLOSED) from None

    def derived(self, purpose: str) -> bytes:
        """A key for something else than sealing: the same for ever, however often keys are rotated or wrapped anew."""
        return hmac.digest(self._oldest, f"ml-connector {purpose}".encode(), "sha256")

    def rotate(self) -> None:
        """Seal with a new data key from now on; what was sealed before stays readable."""
        with self._db.lock(LOCK, WAIT_S):
            self._load()  # the key may have been changed meanwhile
            with self._db.write() as connection:
                _add(connection, self._key)
            self._load()

    def rewrap(self, connection: Connection, new_key: bytes) -> str:
        """Wrap all data keys with another key, and one more, which the key until now never opened; that key's name.

        Hold the vault's lock, and have the new key where it can't be lost. Raises: VaultError.
        """
        for row in connection.execute(select(schema.data_keys)).all():
            _keep(connection, row.id, new_key, _unwrap(self._key, row))
        _add(connection, new_key)
        return key_file.called(self._key)

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._load()  # another process may have rotated
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise VaultError(_CLOSED)
        return cipher

    def _load(self) -> None:
        rows = _rows(self._db)
        if self._file and rows[-1].wrapped_by != key_file.called(self._key):
            self._key = key_file.found(self._file, rows[-1].wrapped_by)
        for row in rows:
            if row.id not in self._ciphers:
                plain = _unwrap(self._key, row)
                self._ciphers[row.id] = AESGCM(plain)
                self._oldest = self._oldest or plain
        self._newest = max(self._ciphers)


def _from_file(file: Path | None, rows: Sequence[Row[Any]]) -> bytes:
    if file is None:
        raise VaultError("no key given; set ML_CONNECTOR_KEY or ML_CONNECTOR_KEY_FILE")
    if rows or file.exists():
        return key_file.found(file, rows[-1].wrapped_by if rows else "")
    return key_file.create(file)


def _bound(head: bytes, aad: tuple[str, ...]) -> bytes:
    # Lengths first, so that ("a", "bc") and ("ab", "c") are different places.
    return head + "".join([f"{len(part)}:{part}" for part in aad]).encode()


def _rows(db: Database) -> list[Row[Any]]:
    with db.read() as connection:
        return list(connection.execute(select(schema.data_keys).order_by(schema.data_keys.c.id)).all())


def _add(connection: Connection, key: bytes) -> None:
    row = {"wrapped": b"", "wrapped_by": "", "created_at": schema.stamp(datetime.now(UTC))}
    made = connection.execute(insert(schema.data_keys).values(row).returning(schema.data_keys.c.id))
    _keep(connection, made.scalar_one(), key, AESGCM.generate_key(256))


def _keep(connection: Connection, number: int, key: bytes, data_key: bytes) -> None:
    nonce = os.urandom(_NONCE_BYTES)
    wrapped = nonce + AESGCM(key).encrypt(nonce, data_key, f"data key {number}".encode())
    values = {"wrapped": wrapped, "wrapped_by": key_file.called(key)}
    connection.execute(update(schema.data_keys).where(schema.data_keys.c.id == number).values(values))


def _unwrap(key: bytes, row: Row[Any]) -> bytes:
    if row.wrapped_by != key_file.called(key):
        raise VaultError(
            f"this database was sealed with key {row.wrapped_by}, the one given is {key_file.called(key)}; give the "
            "first, and start anew whatever runs with the other"
        )
    try:
        nonce, sealed = row.wrapped[:_NONCE_BYTES], row.wrapped[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, sealed, f"data key {row.id}".encode())
    except (InvalidTag, ValueError):
        raise VaultError("a data key in the database is damaged; restore the database from backup") from None
