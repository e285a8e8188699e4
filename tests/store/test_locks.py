"""Locks between threads and processes."""

import threading
import time

import pytest

from ml_connector.errors import BusyError
from ml_connector.store.db import Database

from .processes import Worker


def is_free(db: Database, name: str, wait_s: float = 0.0) -> bool:
    try:
        with db.lock(name, wait_s):
            return True
    except BusyError:
        return False


@pytest.fixture(params=["file or server", "memory"])
def any_db(request: pytest.FixtureRequest, db: Database) -> Database:
    return db if request.param != "memory" else Database.open("sqlite://")


def test_a_lock_excludes_its_own_process_too(any_db: Database) -> None:
    with any_db.lock("one", 0):
        assert not is_free(any_db, "one")
        assert is_free(any_db, "two")
    assert is_free(any_db, "one")


def test_a_lock_is_freed_by_an_error(any_db: Database) -> None:
    with pytest.raises(ZeroDivisionError), any_db.lock("one", 0):
        raise ZeroDivisionError
    assert is_free(any_db, "one")


def test_waiting_ends_with_the_lock_or_in_time(any_db: Database) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with any_db.lock("one", 0):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    started = time.monotonic()
    assert not is_free(any_db, "one", 0.2)
    assert 0.15 < time.monotonic() - started < 30
    threading.Timer(0.1, done.set).start()
    assert is_free(any_db, "one", 60)
    thread.join()


def test_a_lock_vanishes_with_its_process(db: Database, url: str) -> None:
    worker = Worker("lock", url, "one").ready()
    assert not is_free(db, "one")
    worker.kill()
    assert is_free(db, "one", 60)
