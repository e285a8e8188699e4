"""A run that dies by SIGKILL at the n-th point where the store or a system is written.

The process is forked from a clean server that has imported everything, so that a death costs milliseconds.
"""

import multiprocessing
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from rig import NAME, open_store
from sqlalchemy import Connection

from ml_connector import wiring
from ml_connector.store.db import Database
from ml_connector.store.limits import Reservations
from ml_connector.systems.exchange import Exchange

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["crashing"])


def crash(url: str, die_at: int) -> bool:
    """Run all flows in a process of its own; whether it died there (else it got through)."""
    process = CONTEXT.Process(target=_run, args=(url, die_at, os.environ.get("ML_CONNECTOR_KEY_FILE")))
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL), code
    return code == -signal.SIGKILL


def _run(url: str, die_at: int, key_file: str | None) -> None:
    os.environ.pop("ML_CONNECTOR_KEY_FILE", None)  # the server may have begun in another test's environment
    if key_file:
        os.environ["ML_CONNECTOR_KEY_FILE"] = key_file
    _mine(die_at)
    store = open_store(url)
    with wiring.joined(store, NAME) as both:
        for _, error in both.run(()):
            if error:
                raise error
    store.close()


def _mine(die_at: int) -> None:
    """Put a place to die before and after each commit of the store, and each write to a system."""
    points = 0

    def point() -> None:
        nonlocal points
        points += 1
        if points == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    real_write, real_send = Database.write, Exchange.send

    @contextmanager
    def write(self: Database) -> Generator[Connection]:
        with real_write(self) as connection:
            yield connection
            point()
        point()

    def send(self: Exchange, method: str, target: str, *rest: Any) -> Any:
        writes = method != "GET" and not target.endswith("/token")
        if writes:
            point()
        answer = real_send(self, method, target, *rest)
        if writes:
            point()
        return answer

    setattr(Database, "write", write)  # noqa: B010 # the types of what is replaced are not the point here
    setattr(Exchange, "send", send)  # noqa: B010
    setattr(Reservations, "reserve", _at_once)  # noqa: B010 # a lost slot costs nothing, and there are very many


def _at_once(*_: Any) -> float:
    return 0.0
