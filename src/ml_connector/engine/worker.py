"""A worker: claims orders, carries them out in threads, and keeps its lease while it does.

Rule: whoever loses the lease stops at once and for good; whoever is asked to stop finishes, or hands back what it holds
within the time given.
Must not know: what carrying out means, or where orders are kept.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import msgspec

from ml_connector.engine.seam import Chore, Orders, Perform, Watching
from ml_connector.errors import StoreError
from ml_connector.sync.orders import Order

RETRY_MAX_S = 5.0
DROP_S = 10.0  # after the time of grace, for what is held to come to a safe point


class Pace(msgspec.Struct, frozen=True):
    """How a worker goes about it.

    Units: lease_s until others take over, grace_s to finish when asked to stop, poll_s between looks for orders.
    """

    threads: int = 4
    lease_s: float = 15.0
    grace_s: float = 30.0
    poll_s: float = 0.25


class Worker:
    """One process's share of the work."""

    def __init__(
        self,
        worker_id: str,
        version: str,
        orders: Orders,
        perform: Perform,
        needs: Mapping[str, Collection[str]],
        watching: Watching,
        chores: Sequence[Chore] = (),
        pace: Pace | None = None,
    ) -> None:
        self.id = worker_id
        self.pace = pace or Pace()
        self._version = version
        self._orders = orders
        self._perform = perform
        self._needs = needs
        self._watching = watching
        self._chores = chores
        self._leaving = False  # nothing new is begun; no event, as a signal may interrupt whoever waits for one
        self._dropping = threading.Event()  # what is held stops at its next safe point
        self._over = threading.Event()
        self._lost = threading.Event()
        self._nudged = threading.Event()
        self._beaten = time.monotonic()

    @property
    def lost(self) -> bool:
        """Whether the lease was lost, so that this process should end."""
        return self._lost.is_set()

    @property
    def alive(self) -> bool:
        """Whether the lease was renewed lately."""
        return not self.lost and time.monotonic() - self._beaten < self.pace.lease_s

    def nudge(self) -> None:
        """Look for orders now."""
        self._nudged.set()

    def stop(self) -> None:
        """Ask it to stop: nothing new is begun. May be called where a signal is dealt with."""
        self._leaving = True

    def run(self) -> bool:
        """Work until asked to stop, or until the lease is lost; False when a thread of it is still busy."""
        if not self._join():
            return True
        threads = [threading.Thread(target=self._beating, name="lease", daemon=True)]
        threads += [
            threading.Thread(target=self._doing, args=(one,), name=one.name, daemon=True) for one in self._chores
        ]
        for thread in threads:
            thread.start()
        pool = ThreadPoolExecutor(self.pace.threads, "order")
        idle = self._finish(self._claiming(pool))
        pool.shutdown(wait=idle, cancel_futures=True)
        self._leave()
        self._over.set()
        until = time.monotonic() + DROP_S
        for thread in threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        return idle

    def _join(self) -> bool:
        told = (socket.gethostname(), os.getpid(), self._version, self.pace.threads, self.pace.lease_s)
        return self._patiently("join", lambda: self._orders.join(self.id, *told), lambda: self._leaving)

    def _leave(self) -> None:
        until = time.monotonic() + DROP_S
        self._patiently("leave", lambda: self._orders.leave(self.id), lambda: time.monotonic() > until)

    def _claiming(self, pool: ThreadPoolExecutor) -> set[Future[None]]:
        held: dict[Future[None], str] = {}
        while not self._leaving:
            held = {one: number for one, number in held.items() if not one.done()}
            order = self._claim(held.values()) if len(held) < self.pace.threads else None
            if order is None:
                self._nudged.wait(self.pace.poll_s)
                self._nudged.clear()
                continue
            self._watching.began(order)
            held[pool.submit(self._carry_out, order)] = order.id
        return set(held)

    def _claim(self, held: Collection[str]) -> Order | None:
        try:
            last = 0 < len(held) == self.pace.threads - 1
            return self._orders.claim(self.id, self._needs, held, last=last)
        except Exception as error:  # such as a row that a later version wrote
            self._watching.troubled("claim", error)
            return None

    def _carry_out(self, order: Order) -> None:
        ending = self._perform(order, self._dropping.is_set)
        kept = False

        def end() -> None:
            nonlocal kept
            kept = self._orders.end(self.id, order, ending)

        try:
            if self._patiently(f"end {order.id}", end, lambda: False):
                self._watching.ended(order, ending, kept=kept)
        except Exception as error:  # it is no longer held, so that the next claim hands it on
            self._watching.troubled(f"end {order.id}", error)
        self.nudge()

    def _finish(self, held: set[Future[None]]) -> bool:
        """Let what is held finish, or have it handed back; whether all of it was."""
        wait(held, timeout=0 if self.lost else self.pace.grace_s)
        self._dropping.set()
        return not wait(held, timeout=DROP_S).not_done

    def _beating(self) -> None:
        while not self._over.wait(self.pace.lease_s / 4):
            try:
                there = self._orders.beat(self.id, self.pace.lease_s)
            except Exception as error:  # while the store is away, nobody else can take over either
                self._watching.troubled("lease", error)
                continue
            if not there and not self._over.is_set():
                self._lose()
                return
            self._beaten = time.monotonic()

    def _lose(self) -> None:
        self._lost.set()
        self._dropping.set()
        self._watching.lost()
        self.stop()

    def _doing(self, chore: Chore) -> None:
        more = True
        while not self._over.wait(0 if more else chore.every_s):
            more = False
            try:
                if more := bool(chore.act()):
                    self.nudge()
            except Exception as error:  # whatever it is, a chore is never given up
                self._watching.troubled(chore.name, error)

    def _patiently(self, what: str, act: Callable[[], None], give_up: Callable[[], bool]) -> bool:
        """Do what needs the store, again until it answers; False when it was given up, or the lease lost."""
        pause_s = 0.1
        while not self.lost:
            try:
                act()
            except StoreError as error:
                self._watching.troubled(what, error)
            else:
                return True
            if give_up():
                return False
            time.sleep(pause_s)
            pause_s = min(RETRY_MAX_S, pause_s * 2)
        return False
