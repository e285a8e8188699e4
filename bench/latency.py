"""From approval in Airbase to the voucher in IFS, with `serve` as a process of its own, on SQLite.

Usage: python bench/latency.py [EVENTS [PAUSE_S]]. A request is approved in the sandbox, its webhook is sent, and the
clock stops when IFS has the voucher; the sandbox runs in this process. What is held for a person is not counted.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import ledger_rig as rigs
from ledger_rig import LedgerRig
from rig import NAME, sqlite_url

from ml_connector.sandbox.airbase.options import HookOptions
from ml_connector.settings import Installation
from ml_connector.wiring import hooking
from ml_connector.wiring.hooking import Wish

COMMAND = str(Path(sys.executable).with_name("ml-connector"))
PORT = 18699
LOST_S, HELD_S = 60.0, 3.0


def main(events: int = 100, pause_s: float = 1.0) -> None:
    """Measure, and print how long it took."""
    _tell(measure(events, pause_s))


def measure(events: int, pause_s: float) -> list[float]:
    """Approve one request after the other; how long each took, the shortest first. Units: seconds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options = rigs.plain_world(requests=6 * events, unapproved=1.0, cards=0.0, expense_reports=0.0)
        joined = stack.enter_context(rigs.ledger_rig(sqlite_url(folder), options, folder))
        joined.run("suppliers")
        made = hooking.set_up(joined.store, NAME, "airbase", Wish(), "bench")
        url = hooking.address(Installation(public_url=f"http://127.0.0.1:{PORT}"), made.hook)
        joined.box.airbase.options.hooks = HookOptions(url=url, secret=made.secret)
        stack.callback(_serve(joined, folder / "log"))
        keys = [row["id"] for row in joined.box.airbase_rows("purchase_requests") if row["status"] == "created"]
        waits = [_approved(joined, key, pause_s) for key in keys[:events]]
    return sorted(one for one in waits if one is not None)


def _serve(joined: LedgerRig, log: Path) -> Callable[[], object]:
    with log.open("wb") as out:
        command = [COMMAND, "--store", joined.url, "serve", "--port", str(PORT)]
        process = subprocess.Popen(command, stderr=out)  # noqa: S603
    while not _ready():
        time.sleep(0.2)
    return lambda: (process.terminate(), process.wait())


def _ready() -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{PORT}/readyz") as answer:
            return answer.status == 200
    except OSError:
        return False


def _approved(joined: LedgerRig, key: str, pause_s: float) -> float | None:
    time.sleep(random.uniform(0, 2 * pause_s))  # noqa: S311
    joined.edit("approve", "purchase_requests", key)
    begun = time.monotonic()
    while not any(one["number"] == key for one in joined.box.vouchers()):
        if time.monotonic() - begun > HELD_S and key in joined.held("purchase_requests"):
            return None
        if time.monotonic() - begun > LOST_S:
            raise SystemExit(f"{key} has no voucher after {LOST_S:g} s")
        time.sleep(0.005)
    return time.monotonic() - begun


def _tell(waits: list[float]) -> None:
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    sys.stdout.write(f"{len(waits)} events: p50 {p50:.2f} s, p99 {p99:.2f} s, longest {waits[-1]:.2f} s\n")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    main(*[kind(given) for kind, given in zip((int, float), sys.argv[1:], strict=False)])
