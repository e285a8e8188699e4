"""The installation's key in a file that only its owner may read.

Rule: a key is known by its name, which does not tell it. One that is not in the file is looked for beside it, in
FILE.NAME: there the next key is before anything is sealed with it, and the earlier ones, for backups that need them.
Must not know: what a key opens.
"""

import base64
import binascii
import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from ml_connector.errors import VaultError

KEY_BYTES = 32
_READ_MAX = 1000


def called(key: bytes) -> str:
    """What names a key without telling it."""
    return hashlib.sha256(b"ml-connector key\0" + key).hexdigest()[:8]


def checked(key: bytes) -> bytes:
    """A key of the right length. Raises: VaultError."""
    if len(key) != KEY_BYTES:
        raise VaultError(f"the key has {len(key)} bytes; it needs {KEY_BYTES}")
    return key


def decoded(text: str, what: str) -> bytes:
    """A key from its base64 text; `what` holds it. Raises: VaultError."""
    try:
        return checked(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError, VaultError):
        raise VaultError(
            f"{what} is not {KEY_BYTES} bytes in base64; make a key with: openssl rand -base64 {KEY_BYTES}"
        ) from None


def found(path: Path, name: str) -> bytes:
    """The key of this name, or else the one in the file; "": whatever its name.

    Raises: VaultError.
    """
    # The file last, or a key that is put in place between both looks would be missed. The name is what a database says,
    # be it one that somebody else made.
    for file in [_beside(path, name), path] if name.isalnum() else [path]:
        with suppress(FileNotFoundError):
            return _read(file)
    raise VaultError(f"{path} is missing, and this database was sealed with a key; restore the file from backup")


def create(path: Path) -> bytes:
    """A new key, in a file of its own.

    Raises: VaultError when the file is there already, or can't be written.
    """
    key = os.urandom(KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, key, None)
    except OSError as error:
        raise VaultError(f"{path}: {error.strerror}; the key file can't be created") from error
    return key


def prepare(path: Path) -> bytes:
    """A new key, kept beside the one in the file, which gets a second name there.

    Raises: VaultError; then nothing changed.
    """
    key = os.urandom(KEY_BYTES)
    try:
        with suppress(FileExistsError):
            _beside(path, called(_read(path))).hardlink_to(path.resolve())
        _write(_beside(path, called(key)), key, path.stat())
    except OSError as error:
        raise VaultError(
            f"{error.filename}: {error.strerror}; where no key can be written beside the key file, name the new one "
            "with --key-env"
        ) from error
    return key


def put_in_place(path: Path, name: str) -> None:
    """Have a key that was prepared be the one in the file. Raises: VaultError."""
    try:
        os.replace(_beside(path, name), path.resolve())
        _sync_folder(path.resolve().parent)
    except OSError as error:
        raise VaultError(
            f"{error.filename}: {error.strerror}; the store opens with {_beside(path, name)} already, keep that file"
        ) from error


def _beside(path: Path, name: str) -> Path:
    file = path.resolve()
    return file.with_name(f"{file.name}.{name}")


def _write(path: Path, key: bytes, like: os.stat_result | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if like and not os.geteuid():
            os.fchown(descriptor, like.st_uid, like.st_gid)  # root changes the key of another user's service
        file.write(base64.b64encode(key) + b"\n")
        file.flush()
        os.fsync(descriptor)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
            content = file.read(_READ_MAX)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VaultError(f"{path}: {error.strerror}; the key file can't be read") from error
    if others:
        raise VaultError(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        return decoded(content.decode("ascii"), str(path))
    except (VaultError, UnicodeDecodeError):
        raise VaultError(f"{path} does not hold a key; restore it from backup") from None
