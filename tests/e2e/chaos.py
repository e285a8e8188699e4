"""Workers under fire: killed, stopped for too long, cut off from the systems and from the store, while work goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import ledger_story as story
from ledger_rig import LedgerRig
from rig import NAME

from ml_connector.errors import StoreError
from ml_connector.sandbox.faults import Fault
from ml_connector.store.orders import Orders, Placed
from ml_connector.sync.orders import Order, State

T = TypeVar("T")
COMMAND = (str(Path(sys.executable).with_name("ml-connector")),)
FLOWS = ("suppliers", "purchase_requests", "payments")
LEASE_S = 2.0
PATIENCE_S = 240.0


@dataclass
class Figures:
    """What came of it. Units: take_over_s is from the kill until another worker had the order."""

    kills: int = 0
    held: int = 0  # kills that hit a worker with an order in its hands
    take_over_s: list[float] = field(default_factory=list[float])
    orders: int = 0
    attempts: int = 0
    vouchers: int = 0


class Workers:
    """Worker processes on one store, each replaced as soon as it is gone."""

    def __init__(self, url: str, count: int, log: Path) -> None:
        self._url = url
        self._log = log
        self._random = random.Random(count)
        self.running = [self._start() for _ in range(count)]

    def _start(self) -> subprocess.Popen[bytes]:
        how = ("worker", "--lease-s", str(LEASE_S), "--threads", "2", "--grace-s", "5")
        with self._log.open("ab") as log:
            return subprocess.Popen([*COMMAND, "--store", self._url, *how], stdout=log, stderr=log)

    def pick(self, among: set[int]) -> subprocess.Popen[bytes]:
        """One of these processes, or any."""
        good = [one for one in self.running if one.pid in among] or self.running
        return self._random.choice(good)

    def replace(self, one: subprocess.Popen[bytes]) -> None:
        """Start another one in its place."""
        self.running[self.running.index(one)] = self._start()

    def revive(self) -> None:
        """Replace those that ended by themselves, as a supervisor would."""
        for one in [one for one in self.running if one.poll() is not None]:
            self.replace(one)

    def close(self) -> None:
        """Stop all, politely first."""
        for one in self.running:
            one.send_signal(signal.SIGCONT)
            one.terminate()
        for one in self.running:
            try:
                one.wait(30)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


@contextmanager
def workers(url: str, count: int, log: Path) -> Generator[Workers]:
    """Workers that end with the block."""
    made = Workers(url, count, log)
    try:
        yield made
    finally:
        made.close()


class Fire:
    """A world that goes on, while workers are shot at."""

    def __init__(self, joined: LedgerRig, crew: Workers, figures: Figures) -> None:
        self.joined = joined
        self.crew = crew
        self.figures = figures
        self.orders = Orders(joined.store.database)
        self._connection_id = joined.store.connections.get(NAME).id
        self._turn = 0
        self._placed = 0

    def work(self, seconds: float) -> None:
        """Let things happen for a while: documents change, orders come in."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.place()
            self.crew.revive()
            time.sleep(0.1)

    def live(self) -> None:
        """One more turn of the world."""
        self._turn += 1
        story.one_more(self.joined, self._turn)

    def place(self) -> None:
        """Order every flow; what waits already covers it."""
        for flow in FLOWS:
            self._placed += 1
            with suppress(StoreError):
                self.orders.place(Order(f"load/{self._placed}/{flow}", self._connection_id, flow))

    def busy(self) -> dict[int, Placed]:
        """Which of the processes have an order in their hands, and which."""
        alive = {one.pid for one in self.crew.running}
        with suppress(StoreError):
            pids = {one.id: one.pid for one in self.orders.workers() if one.pid in alive}
            held = [one for one in self._recent() if one.order.state is State.RUNNING]
            return {pids[one.worker]: one for one in held if one.worker in pids}
        return {}

    def kill(self) -> None:
        """SIGKILL a worker, preferably a busy one."""
        busy = self._awaited()
        victim = self.crew.pick(set(busy))
        victim.kill()
        died = time.monotonic()
        victim.wait()
        self.figures.kills += 1
        self.crew.replace(victim)
        if victim.pid in busy:
            self._taken_over(busy[victim.pid], died)

    def freeze(self, seconds: float) -> None:
        """Stop a busy worker for longer than its lease, then let it go on."""
        busy = self._awaited()
        victim = self.crew.pick(set(busy))
        os.kill(victim.pid, signal.SIGSTOP)
        self.work(seconds)
        os.kill(victim.pid, signal.SIGCONT)

    def cut(self, seconds: float) -> None:
        """Nobody reaches either system."""
        faults = self.joined.box.faults
        cut = [faults.add(Fault("reset_after", percent=30)), faults.add(Fault("reset_before"))]
        self.work(seconds)
        for one in cut:
            faults.remove(one)

    def lose_store(self, restart: Callable[[], None]) -> None:
        """The database server goes away and comes back."""
        restart()
        self.work(1.0)

    def end(self) -> None:
        """Order everything a last time, and wait until all is done."""
        self.joined.box.faults.clear()
        until = time.monotonic() + PATIENCE_S
        rounds = 0
        while rounds < 2:
            self.place()
            while self._open():
                assert time.monotonic() < until, [one for one in self._recent() if not one.finished_at][:5]
                self.crew.revive()
                time.sleep(0.1)
            rounds += 1
        recent = self._recent()
        self.figures.orders = len(recent)
        self.figures.attempts = sum(one.order.attempts for one in recent)
        self.figures.vouchers = len(self.joined.box.vouchers())

    def _open(self) -> bool:
        try:
            return bool(self.orders.open())
        except StoreError:
            return True

    def _awaited(self) -> dict[int, Placed]:
        return until(self.busy, self.place)

    def _taken_over(self, held: Placed, died: float) -> None:
        self.figures.held += 1

        def moved() -> bool:
            with suppress(StoreError):
                one = self.orders.get(held.order.id)
                return one is None or one.finished_at is not None or one.worker not in ("", held.worker)
            return False

        until(moved, self.crew.revive)
        self.figures.take_over_s.append(time.monotonic() - died)

    def _recent(self) -> list[Placed]:
        return self.orders.recent(limit=100_000)


def under_fire(
    joined: LedgerRig, log: Path, crew_size: int, kills: int, restart: Callable[[], None] | None = None
) -> Figures:
    """Kills, with all that may happen in between; everything has to end well."""
    figures, chance = Figures(), random.Random(kills)
    with workers(joined.url, crew_size, log) as crew:
        fire = Fire(joined, crew, figures)
        for number in range(kills):
            fire.live()
            fire.work(chance.uniform(0.0, 0.6))
            fire.kill()
            if crew_size > 1 and number % 5 == 3:
                fire.freeze(LEASE_S + 2)
            if number % 5 == 1:
                fire.cut(1.5)
            if restart and number % 5 == 2:
                fire.lose_store(restart)
        fire.end()
    return figures


def until(look: Callable[[], T], meanwhile: Callable[[], None]) -> T:
    """What `look` gives once it is good."""
    patience = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < patience, "waited for too long"
        meanwhile()
        time.sleep(0.02)
    return seen
