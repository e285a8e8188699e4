"""A posting run that dies by SIGKILL at the n-th point where the store, a system or a file is written.

The process is forked from a clean server that has imported everything, so that a death costs milliseconds.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from rig import NAME, open_store
from sqlalchemy import Connection

from ml_connector import wiring
from ml_connector.errors import BusyError
from ml_connector.store.db import Database
from ml_connector.store.limits import Reservations
from ml_connector.systems.exchange import Exchange

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["ledger_crashing"])
BUSY = 3
PLACED = ("replace", "rename", "link", "unlink")


def crash(url: str, die_at: int, flows: tuple[str, ...] = ()) -> bool:
    """Run these flows (none: all) in a process of its own; whether it died there (else it got through)."""
    process = CONTEXT.Process(target=_run, args=(url, die_at, os.environ.get("ML_CONNECTOR_KEY_FILE"), flows))
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL), code
    return code == -signal.SIGKILL


def together(url: str, count: int) -> list[int]:
    """Run all flows in several processes at once; how each ended: 0, or BUSY."""
    key_file = os.environ.get("ML_CONNECTOR_KEY_FILE")
    processes = [CONTEXT.Process(target=_run, args=(url, 0, key_file)) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    codes = [process.exitcode for process in processes]
    assert set(codes) <= {0, BUSY}, codes
    return [code or 0 for code in codes]


def _run(url: str, die_at: int, key_file: str | None, flows: tuple[str, ...] = ()) -> None:
    os.environ.pop("ML_CONNECTOR_KEY_FILE", None)  # the server may have begun in another test's environment
    if key_file:
        os.environ["ML_CONNECTOR_KEY_FILE"] = key_file
    if die_at:
        _mine(die_at)
    store = open_store(url)
    with wiring.joined(store, NAME) as both:
        errors = [error for _, error in both.run(flows) if error]
    store.close()
    if any(isinstance(error, BusyError) for error in errors):
        sys.exit(BUSY)
    if errors:
        raise errors[0]


class Mines:
    """Places to die: before and after each commit of the store, each write to a system, each file put in place."""

    def __init__(self, die_at: int) -> None:
        self._die_at = die_at
        self._passed = 0

    def point(self) -> None:
        """Die here, if it is here."""
        self._passed += 1
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Put a place before and after a call."""

        def call(*args: Any, **options: Any) -> Any:
            self.point()
            done = real(*args, **options)
            self.point()
            return done

        return call

    def send(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Put a place before and after what may change a system."""
        mined = self.around(real)

        def send(exchange: Exchange, method: str, target: str, *rest: Any) -> Any:
            writes = method != "GET" and not target.endswith("/token")
            return (mined if writes else real)(exchange, method, target, *rest)

        return send

    def write(self, real: Callable[..., AbstractContextManager[Connection]]) -> Callable[..., Any]:
        """Put a place before and after each commit."""

        @contextmanager
        def write(database: Database) -> Generator[Connection]:
            with real(database) as connection:
                yield connection
                self.point()
            self.point()

        return write


def _mine(die_at: int) -> None:
    mines = Mines(die_at)
    setattr(Database, "write", mines.write(Database.write))  # noqa: B010 # the types of what is replaced are not the point
    setattr(Exchange, "send", mines.send(Exchange.send))  # noqa: B010
    setattr(Reservations, "reserve", _at_once)  # noqa: B010 # a lost slot costs nothing, and there are very many
    for name in PLACED:
        setattr(os, name, mines.around(getattr(os, name)))


def _at_once(*_: Any) -> float:
    return 0.0
