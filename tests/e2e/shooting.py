"""Webhooks under fire: somebody posts, the receiver is killed again and again, and what was acknowledged is counted."""

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import posting_hooks as posting
from ports import free_port
from posting_hooks import Sender

from ml_connector import wiring
from ml_connector.store.hooks import Hook
from ml_connector.store.inbox import Inbox

SENDERS = 4
PATIENCE_S = 60.0


@dataclass
class Figures:
    """What came of it."""

    kills: int = 0
    acknowledged: set[str] = field(default_factory=set[str])
    repeated: int = 0  # sent again, as no answer came
    there: set[str] = field(default_factory=set[str])

    @property
    def lost(self) -> set[str]:
        """Acknowledged, and not there."""
        return self.acknowledged - self.there


class Target:
    """Receivers that follow each other on one port."""

    def __init__(self, url: str) -> None:
        self.port = free_port()
        script = Path(__file__).with_name("receiving_process.py")
        command = [sys.executable, str(script), url, str(self.port)]
        pipe = subprocess.PIPE
        self._parent = subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True)
        self.child = self._next()

    def kill(self) -> None:
        """Kill the receiver, and wait until there is another."""
        os.kill(self.child, signal.SIGKILL)
        self.child = self._next()

    def close(self) -> None:
        """End both."""
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.close()
        self._parent.wait(PATIENCE_S)
        self._parent.stdout.close()

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.01)
        raise AssertionError("no receiver answers")

    def _next(self) -> int:
        assert self._parent.stdout
        return int(self._parent.stdout.readline())


@contextmanager
def target(url: str) -> Generator[Target]:
    """Receivers on a store."""
    made = Target(url)
    try:
        yield made
    finally:
        made.close()


class Senders:
    """Threads that post; every event is sent until it is acknowledged."""

    def __init__(self, port: int, hook: Hook, figures: Figures) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._hook = hook
        self._figures = figures
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(first,)) for first in range(SENDERS)]
        for one in self._threads:
            one.start()

    def wait_for_more(self, number: int) -> None:
        """Until so many more are acknowledged."""
        wanted, until = len(self._figures.acknowledged) + number, time.monotonic() + PATIENCE_S
        while len(self._figures.acknowledged) < wanted:
            assert time.monotonic() < until, "nothing is acknowledged any more"
            time.sleep(0.002)

    def close(self) -> None:
        """Send no more."""
        self._over.set()
        for one in self._threads:
            one.join()

    def _post(self, number: int) -> None:
        mine = itertools.count(number, SENDERS)
        current = next(mine)
        while not self._over.is_set():
            with suppress(httpx2.HTTPError), Sender(self._address, self._hook) as sender:
                while not self._over.is_set():
                    if sender.send(posting.event(current)).status_code == 200:
                        with self._guard:
                            self._figures.acknowledged.add(f"evt_{current}")
                        current = next(mine)
            time.sleep(0.005)


def under_fire(store: wiring.Opened, url: str, kills: int, between: int = 20, seed: int = 1) -> Figures:
    """Post and kill, each time after so many more were acknowledged."""
    owner = store.connections.save("acme", {}, {}).id
    hook, figures, rng = posting.hook(store, owner, "airbase"), Figures(), random.Random(seed)
    with target(url) as shot_at:
        shot_at.wait()
        with closing(Senders(shot_at.port, hook, figures)) as senders:
            for _ in range(kills):
                senders.wait_for_more(between)
                time.sleep(rng.random() * 0.05)
                shot_at.kill()
                figures.kills += 1
            senders.wait_for_more(between)
    kept = Inbox(store.database, store.vault).recent(owner, 10_000_000)
    figures.there = {one.event_id for one in kept}
    figures.repeated = sum(one.repeats for one in kept)
    return figures
