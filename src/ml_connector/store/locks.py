"""Locks by name, across threads, processes and machines, which vanish with their holder.

Rule: the kernel or the database server holds the lock, never a row: nothing has to be cleaned up after a crash.
Must not know: what is locked.
"""

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, exc, text

from ml_connector.errors import BusyError, StoreError
from ml_connector.store import faults

POLL_S = 0.02


class Locks(Protocol):
    """A place that locks."""

    def hold(self, name: str, wait_s: float) -> AbstractContextManager[None]:
        """Hold the lock. Raises: BusyError when it is not free within `wait_s`."""
        ...


def _busy(name: str) -> BusyError:
    return BusyError(f"{name} is in use by another run; try again when it has ended")


class ThreadLocks:
    """For a database in memory, which only this process sees."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def hold(self, name: str, wait_s: float) -> Generator[None]:
        """See `Locks`."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        if not lock.acquire(timeout=wait_s):
            raise _busy(name)
        try:
            yield
        finally:
            lock.release()


class FileLocks:
    """For a database in a file: `flock` on small files beside it, which are never deleted.

    Each holder opens the file anew, so threads of one process exclude each other too.
    """

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-locks")

    @contextmanager
    def hold(self, name: str, wait_s: float) -> Generator[None]:
        """See `Locks`."""
        descriptor = self._open(name)
        try:
            _take(descriptor, name, time.monotonic() + wait_s)
            yield
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        path = self._folder / hashlib.sha256(name.encode()).hexdigest()[:24]
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; the store needs a folder that it may write to") from error


def _take(descriptor: int, name: str, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise _busy(name) from None
        time.sleep(POLL_S)


class SessionLocks:
    """For PostgreSQL: advisory locks, each on a connection of its own, which the server frees when that ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def hold(self, name: str, wait_s: float) -> Generator[None]:
        """See `Locks`."""
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with faults.translated():
            connection = self._engine.connect()
        try:
            with faults.translated():
                _take_advisory(connection, number, name, wait_s)
            yield
        finally:
            # Closing alone would free it only after the server has noticed.
            with suppress(exc.DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
            connection.close()


def _take_advisory(connection: Connection, number: int, name: str, wait_s: float) -> None:
    tried = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one()
    if tried:
        return
    if wait_s <= 0:
        raise _busy(name)
    connection.execute(text("SELECT set_config('lock_timeout', :wait, false)"), {"wait": f"{int(wait_s * 1000) + 1}ms"})
    try:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
    except exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == "55P03":
            raise _busy(name) from None
        raise
