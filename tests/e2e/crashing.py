"""Runs all flows and dies by SIGKILL at the n-th point where the store or a system is written.

Usage: crashing.py STORE_URL N; with N = 0 nothing dies and the number of points is printed.
"""

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from rig import NAME, open_store
from sqlalchemy import Connection

from ml_connector import wiring
from ml_connector.store.db import Database
from ml_connector.systems.exchange import Exchange

die_at = int(sys.argv[2])
points = 0


def point() -> None:
    """One more place to die."""
    global points
    points += 1
    if points == die_at:
        os.kill(os.getpid(), signal.SIGKILL)


real_write, real_send = Database.write, Exchange.send


@contextmanager
def write(self: Database) -> Generator[Connection]:
    """A write of the store, with a place to die before and after its commit."""
    with real_write(self) as connection:
        yield connection
        point()
    point()


def send(self: Exchange, method: str, target: str, *rest: Any) -> Any:
    """A request, with a place to die before and after it where it writes."""
    writes = method != "GET" and not target.endswith("/token")
    if writes:
        point()
    answer = real_send(self, method, target, *rest)
    if writes:
        point()
    return answer


def main() -> None:
    """Run everything once."""
    store = open_store(sys.argv[1])
    Database.write, Exchange.send = write, send
    with wiring.joined(store, NAME) as both:
        for _, error in both.run(()):
            if error:
                raise error
    store.close()
    sys.stdout.write(f"{points}\n")


main()
