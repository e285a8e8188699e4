"""How long posting takes, as ratios within one run: a first run, one with nothing to do, and reading alone.

Usage: python bench/posting.py [REQUESTS [PAYMENTS]]. The sandbox runs in the same process, so that both share it.
"""

import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

import structlog

from ml_connector import sandbox, wiring
from ml_connector.demo import DIMENSIONS, GATE, POSTING, SUBSIDIARIES
from ml_connector.sandbox.airbase import SpendOptions
from ml_connector.settings import Airbase, Connection, Ifs, Installation, Mapping, Profile
from ml_connector.sync.report import Report

NAME = "bench"
DOCUMENTS = ("purchase_requests", "payments")


def main(requests: int = 1000, payments: int = 4000) -> None:
    """Post a made-up world, run again, and print the figures."""
    options = sandbox.SandboxOptions(suppliers=400, orders=0)
    options.ifs.rate_limit = options.airbase.rate_limit = 1_000_000
    options.airbase.documents = 0
    options.airbase.spend = SpendOptions(requests=requests, payments=payments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        box = stack.enter_context(sandbox.start(options))
        store = stack.enter_context(closing(wiring.open_store(Installation(store=f"sqlite:///{folder / 'store.db'}"))))
        told = box.told()
        ifs = Ifs(told["ifs_url"], told["ifs"]["realm"], told["ifs"]["client_id"], tuple(SUBSIDIARIES), 1_000_000)
        profile = Profile(mapping=Mapping(SUBSIDIARIES, dimensions=DIMENSIONS), posting=POSTING, gate=GATE)
        airbase = Airbase(told["airbase_url"], requests_max=1_000_000)
        secrets = wiring.Secrets(told["ifs"]["client_secret"], told["airbase"]["token"])
        wiring.connect(store, NAME, Connection(ifs, airbase, profile), secrets)
        _tell(store)


def _tell(store: wiring.Opened) -> None:
    _run(store, "suppliers")
    first, first_s = _run(store, *DOCUMENTS)
    again, again_s = _run(store, *DOCUMENTS)
    posted = sum(report.posted for report in first)
    read = sum(report.read for report in first)
    requests = {system: sum(report.requests[system] for report in first) for system in ("ifs", "airbase")}
    _say(f"first run: {read:,} documents read, {posted:,} posted in {first_s:.1f} s, {posted / first_s:.0f} a second")
    asked = 1000 * requests["ifs"] / posted
    _say(f"requests for 1,000 vouchers: IFS {asked:.0f}; Airbase {requests['airbase']:,} in all")
    _say(f"nothing to do: {again_s:.1f} s, {again_s / first_s:.2f} of the first; posted {sum(r.posted for r in again)}")


def _run(store: wiring.Opened, *flows: str) -> tuple[list[Report], float]:
    started = time.monotonic()
    with wiring.joined(store, NAME) as both:
        done = [report for report, _ in both.run(flows)]
    return done, time.monotonic() - started


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    main(*map(int, sys.argv[1:]))
