"""The vault: bytes sealed so that they open only with the key, and only where they belong.

Rule: AES-GCM with data keys, which lie in the database wrapped by the installation's key. What a value belongs to
(connection, table, flow, key) is bound into its seal: moved elsewhere, it does not open.
Shape: a sealed value is version (1 byte), data key number (4), nonce (12), ciphertext with tag.
Must not know: what is sealed.
"""

import base64
import binascii
import hashlib
import hmac
import os
import stat
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, insert, select, update

from ml_connector.errors import VaultError
from ml_connector.store import schema
from ml_connector.store.db import Database

KEY_BYTES = 32
WAIT_S = 30.0
VERSION = 1
_HEAD = struct.Struct(">BI")
_NONCE_BYTES = 12
_CLOSED = "a sealed value does not open: it was altered, or moved from where it belongs"


class Vault:
    """Seals and opens; safe to share between threads."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key
        self._ciphers: dict[int, AESGCM] = {}
        self._newest = 0
        self._oldest = b""

    @classmethod
    def open(cls, db: Database, key: bytes | None, key_file: Path | None) -> "Vault":
        """Open the vault of a database with a key, or with a key file, which is created for a new database.

        Raises: VaultError when the key is missing, malformed or not the one that this database was sealed with.
        """
        with db.lock("vault", WAIT_S):
            sealed_before = bool(_rows(db))
            vault = cls(db, _checked(key) if key is not None else _from_file(key_file, may_create=not sealed_before))
            if not sealed_before:
                vault.rotate()
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
        with self._db.write() as connection:
            number: int = connection.execute(
                insert(schema.data_keys)
                .values(wrapped=b"", wrapped_by=fingerprint(self._key), created_at=schema.stamp(datetime.now(UTC)))
                .returning(schema.data_keys.c.id)
            ).scalar_one()
            wrapped = _wrap(self._key, number, AESGCM.generate_key(256))
            connection.execute(update(schema.data_keys).where(schema.data_keys.c.id == number).values(wrapped=wrapped))
        self._load()

    def rewrap(self, new_key: bytes) -> None:
        """Wrap all data keys with another key; write that key to its file before, so that it can't be lost."""
        _checked(new_key)
        with self._db.lock("vault", WAIT_S), self._db.write() as connection:
            for row in connection.execute(select(schema.data_keys).with_for_update()).all():
                wrapped = _wrap(new_key, row.id, _unwrap(self._key, row))
                connection.execute(
                    update(schema.data_keys)
                    .where(schema.data_keys.c.id == row.id)
                    .values(wrapped=wrapped, wrapped_by=fingerprint(new_key))
                )
        self._key = new_key

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._load()  # another process may have rotated
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise VaultError(_CLOSED)
        return cipher

    def _load(self) -> None:
        for row in _rows(self._db):
            if row.id not in self._ciphers:
                plain = _unwrap(self._key, row)
                self._ciphers[row.id] = AESGCM(plain)
                self._oldest = self._oldest or plain
        self._newest = max(self._ciphers)


def fingerprint(key: bytes) -> str:
    """What names a key without telling it."""
    return hashlib.sha256(b"ml-connector key\0" + key).hexdigest()[:8]


def decode_key(text: str) -> bytes:
    """A key from its base64 text.

    Raises: VaultError.
    """
    try:
        return _checked(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise VaultError(
            f"the key is not base64 of {KEY_BYTES} bytes; make one with: openssl rand -base64 32"
        ) from None


def create_key_file(path: Path) -> bytes:
    """A new key, written to a file that only its owner may read.

    Raises: VaultError when the file is there already, or can't be written.
    """
    key = os.urandom(KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except OSError as error:
        raise VaultError(f"{path}: {error.strerror}; the key file can't be created") from error
    return key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _from_file(path: Path | None, *, may_create: bool) -> bytes:
    if path is None:
        raise VaultError("no key given; set ML_CONNECTOR_KEY or ML_CONNECTOR_KEY_FILE")
    if path.exists():
        return _read(path)
    if not may_create:
        raise VaultError(f"{path} is missing, and this database was sealed with a key; restore the file from backup")
    return create_key_file(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
            content = file.read(1000)
    except OSError as error:
        raise VaultError(f"{path}: {error.strerror}; the key file can't be read") from error
    if others:
        raise VaultError(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        return decode_key(content.decode("ascii"))
    except (VaultError, UnicodeDecodeError):
        raise VaultError(f"{path} does not hold a key; restore it from backup") from None


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise VaultError(f"the key has {len(key)} bytes; it needs {KEY_BYTES}")
    return key


def _bound(head: bytes, aad: tuple[str, ...]) -> bytes:
    # Lengths first, so that ("a", "bc") and ("ab", "c") are different places.
    return head + "".join([f"{len(part)}:{part}" for part in aad]).encode()


def _rows(db: Database) -> list[Row[Any]]:
    with db.read() as connection:
        return list(connection.execute(select(schema.data_keys).order_by(schema.data_keys.c.id)).all())


def _wrap(key: bytes, number: int, data_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data_key, f"data key {number}".encode())


def _unwrap(key: bytes, row: Row[Any]) -> bytes:
    if row.wrapped_by != fingerprint(key):
        raise VaultError(
            f"this database was sealed with key {row.wrapped_by}, the one given is {fingerprint(key)}; give the first"
        )
    try:
        nonce, sealed = row.wrapped[:_NONCE_BYTES], row.wrapped[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, sealed, f"data key {row.id}".encode())
    except (InvalidTag, ValueError):
        raise VaultError("a data key in the database is damaged; restore the database from backup") from None
