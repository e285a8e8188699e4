"""How much of a rate limit several processes use together, and how often they run into it.

Usage: python bench/limits.py [PROCESSES [SECONDS]]. The sandbox's Airbase counts exactly: 500 requests in any 60
seconds; the connection is set to the same 500, and every process asks without a pause.
"""

import multiprocessing
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog

from ml_connector import sandbox, wiring
from ml_connector.settings import Airbase, Connection, Ifs, Installation, Mapping, Profile

LIMIT, WINDOW_S = 500, 60.0


def main(processes: int = 4, seconds: int = 150) -> None:
    """Ask as fast as allowed, and print what the sandbox counted."""
    used, answered, throttled = measure(processes, seconds)
    _say(
        f"{processes} processes, limit {LIMIT} in {WINDOW_S:.0f} s: {used:.1%} of it used in the last {WINDOW_S:.0f} s"
    )
    _say(f"answered in {seconds} s: {answered:,}, of them 429: {throttled}")


def measure(processes: int, seconds: int) -> tuple[float, int, int]:
    """What share of the limit was used in the last window; how many requests were answered, and how many with 429."""
    options = sandbox.SandboxOptions(suppliers=10, orders=0)
    options.airbase.rate_limit, options.airbase.rate_window_s = LIMIT, WINDOW_S
    with tempfile.TemporaryDirectory() as folder, sandbox.start(options) as box:
        url = f"sqlite:///{Path(folder) / 'store.db'}"
        with closing(wiring.open_store(Installation(store=url))) as store:
            wiring.connect(store, "bench", _connection(box.told()), wiring.Secrets("sandbox-secret", "sandbox-token"))
        until = time.time() + seconds
        crew = [multiprocessing.Process(target=_ask, args=(url, until)) for _ in range(processes)]
        for one in crew:
            one.start()
        time.sleep(seconds - WINDOW_S)
        before = _counted(box)
        time.sleep(WINDOW_S)
        after = _counted(box)
        for one in crew:
            one.join()
    return (after[200] - before.get(200, 0)) / LIMIT, sum(after.values()), after.get(429, 0)


def _connection(told: dict[str, Any]) -> Connection:
    ifs = Ifs(told["ifs_url"], told["ifs"]["realm"], told["ifs"]["client_id"], ("10", "20"))
    mapping = Mapping({"10": "SUB-10", "20": "SUB-20"})
    return Connection(ifs, Airbase(told["airbase_url"], requests_max=LIMIT), Profile(mapping=mapping))


def _ask(url: str, until: float) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with closing(wiring.open_store(Installation(store=url))) as store, wiring.joined(store, "bench") as both:
        while time.time() < until:
            both.tenants.airbase.wire.call("list", "GET", "/v1/accounting/subsidiaries/", repeatable=True)


def _counted(box: sandbox.Sandbox) -> dict[int, int]:
    counted: dict[int, int] = {}
    for (_, _, status), count in box.airbase_log.counts().items():
        counted[status] = counted.get(status, 0) + count
    return counted


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
