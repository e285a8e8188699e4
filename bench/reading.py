"""Reading side by side: the connector, three tools made for reading, and a bare loop, all from the same feed.

Rule: one reader at a time, so that ratios within one run of this program mean something; nothing is left out because
it looks bad.
Must not know: how any reader works.

Usage: python bench/reading.py [--quick] [--suppliers N] [--orders N] [--tools ours,bare,...] [--latencies 0,50,300]
       python bench/reading.py --try N TOOL [--plain] [--latency MS] [--profile]
Writes bench/results/reading.json. Other tools than ours need their environments (`make bench` makes them).
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import kept
from feed import Counted, Feed, Options
from readers import Reader, pinned, read, readers

SHARE = 0.01  # of the records that change between two runs
SCENARIOS = {
    "cold": {"whole": True},
    "again": {"whole": True},
    "unchanged": {"whole": False},
    "changed": {"whole": False},
}
SHORT = ("unchanged", "changed")


@dataclass
class Run:
    """What one reader took in one scenario, in each repeat."""

    tool: str
    scenario: str
    latency_ms: int
    modified: bool
    wall_s: list[float] = field(default_factory=list[float])
    cpu_s: list[float] = field(default_factory=list[float])
    peak_mb: list[float] = field(default_factory=list[float])
    feed_cpu_s: list[float] = field(default_factory=list[float])
    requests: int = 0
    rows: int = 0
    error: str = ""
    more: dict[str, Any] = field(default_factory=dict[str, Any])

    def add(self, took: dict[str, Any], counted: Counted) -> None:
        """Put a repeat into the figures."""
        self.wall_s.append(round(took["wall_s"], 3))
        self.cpu_s.append(round(took["cpu_s"], 3))
        self.peak_mb.append(round(took["peak_mb"], 1))
        self.feed_cpu_s.append(round(counted.cpu_s, 3))
        self.requests, self.rows = counted.requests, took["rows"]
        self.error, self.more = took["error"], took["more"]


class Track:
    """One reader on one feed, with what it remembers between runs."""

    def __init__(self, feed: Feed, reader: Reader, folder: Path) -> None:
        self.feed, self.reader, self.folder = feed, reader, folder
        self.round = 0
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, scenario: str, latency_ms: int, repeats: int = 1) -> Run:
        """Run a scenario so many times."""
        made = Run(self.reader.name, scenario, latency_ms, self.feed.options.modified)
        self.feed.latency(latency_ms / 1000)
        for _ in range(repeats):
            made.add(*self._once(scenario))
        _tell(made)
        return made

    def _once(self, scenario: str) -> tuple[dict[str, Any], Counted]:
        if scenario == "cold":
            shutil.rmtree(self.folder)
            self.folder.mkdir()
        if scenario == "changed":
            self.feed.change(SHARE, seed=time.monotonic_ns())
        self.round += scenario == "again"
        return read(self.feed, self.reader, self.folder, round=self.round, **SCENARIOS[scenario])


@dataclass
class Plan:
    """How much is measured."""

    suppliers: int
    orders: int
    latencies: tuple[int, ...]
    tools: list[Reader]
    repeats: int = 2


def measure(plan: Plan, folder: Path) -> list[Run]:
    """All runs: with times of change at every distance, and without them at none."""
    made: list[Run] = []
    with _feed(plan, modified=True) as feed:
        for reader in plan.tools:
            made += _with_times(Track(feed, reader, folder / reader.name), plan)
    with _feed(plan, modified=False) as feed:
        for reader in (one for one in plan.tools if one.name == "ours"):
            made += _without_times(Track(feed, reader, folder / reader.name), plan)
    return made


def _with_times(track: Track, plan: Plan) -> Iterator[Run]:
    if track.reader.name == "bare":
        track.run("again", 0)  # fills the feed's memory, so that nobody pays for being first
        for latency_ms in plan.latencies:
            yield track.run("again", latency_ms, plan.repeats if not latency_ms else 1)
        return
    for latency_ms in plan.latencies:
        if not latency_ms:
            yield track.run("cold", latency_ms)
        yield track.run("again", latency_ms, plan.repeats if not latency_ms else 1)
        for scenario in SHORT:
            yield track.run(scenario, latency_ms, plan.repeats)


def _without_times(track: Track, plan: Plan) -> Iterator[Run]:
    """The other tools have nothing to go by then: each of their runs is a full read."""
    track.round = 100  # other than whatever was read from the other feed
    track.run("again", 0)
    for latency_ms in sorted({plan.latencies[0], plan.latencies[-1]}):
        for scenario in SHORT:
            yield track.run(scenario, latency_ms, plan.repeats)


@contextmanager
def _feed(plan: Plan, *, modified: bool) -> Iterator[Feed]:
    with Feed(Options(plan.suppliers, plan.orders, modified=modified)) as feed:
        yield feed


def _tell(run: Run) -> None:
    what = f"{run.tool:9} {run.scenario:9} {run.latency_ms:3} ms{'' if run.modified else ', no times'}"
    cost = f"{min(run.wall_s):7.2f} s, CPU {min(run.cpu_s):6.2f} s, {max(run.peak_mb):4.0f} MB"
    kept.say(f"{what}: {cost}, {run.requests} requests, {run.rows:,} rows {run.error}")


def ratios(runs: list[Run]) -> list[str]:
    """The ratios that the issue asks for, in words."""
    said: list[str] = []
    for latency_ms in sorted({run.latency_ms for run in runs}):
        full = {run.tool: min(run.wall_s) for run in runs if (run.scenario, run.latency_ms) == ("again", latency_ms)}
        peers = {tool: wall_s for tool, wall_s in full.items() if tool not in ("ours", "bare")}
        if "ours" not in full or not peers:
            continue
        fastest = min(peers, key=lambda tool: peers[tool])
        said.append(f"{latency_ms} ms, full read: {peers[fastest] / full['ours']:.1f} x the fastest peer ({fastest})")
        said += _short(runs, latency_ms, peers[fastest])
        if "bare" in full:
            said.append(f"{latency_ms} ms, full read: {full['ours'] / full['bare']:.1f} x the bare loop's time")
    return said


def _short(runs: list[Run], latency_ms: int, full_s: float) -> Iterator[str]:
    for run in runs:
        if run.tool == "ours" and run.latency_ms == latency_ms and run.scenario in SHORT:
            times = "with" if run.modified else "without"
            ratio = full_s / min(run.wall_s)
            yield f"{latency_ms} ms, {run.scenario}, {times} times: {ratio:.1f} x the fastest peer's full read"


def main() -> None:
    """Measure, print, keep."""
    given = _given()
    if given.trial:
        _try(given)
        return
    suppliers, orders = (1200, 400) if given.quick else (given.suppliers, given.orders)
    names = ["bare", "ours"] if given.quick else given.tools.split(",")
    tools = [reader for name, reader in readers().items() if name in names]
    for reader in (one for one in tools if not one.there):
        kept.say(f"{reader.name} is left out: there is no {reader.python}")
    latencies = (0,) if given.quick else tuple(int(one) for one in given.latencies.split(","))
    plan = Plan(suppliers, orders, latencies, [one for one in tools if one.there], 1 if given.quick else 2)
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(plan, Path(folder))
    for line in ratios(runs):
        kept.say(line)
    sizes = {"suppliers": suppliers, "orders": orders, "rows": max(run.rows for run in runs), "changed": SHARE}
    figures = {"sizes": sizes, "peers": pinned(), "ratios": ratios(runs), "runs": [asdict(run) for run in runs]}
    kept.keep("reading", "python bench/reading.py", figures)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--suppliers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--tools", default=",".join(readers()))
    parser.add_argument("--latencies", default="0,50,300")
    parser.add_argument("--try", dest="trial", nargs=2, metavar=("SUPPLIERS", "TOOL"))
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--latency", type=int, default=0)
    parser.add_argument("--profile", action="store_true")
    return parser.parse_args()


def _try(given: argparse.Namespace) -> None:
    """One reader through all scenarios, for whoever makes it faster; with `--profile`, also where the time goes."""
    suppliers, reader = int(given.trial[0]), readers()[given.trial[1]]
    reader.way = "profile" if given.profile else reader.way
    with tempfile.TemporaryDirectory() as folder, Feed(Options(suppliers, suppliers // 2, not given.plain)) as feed:
        track = Track(feed, reader, Path(folder) / "state")
        for scenario in SCENARIOS:
            track.run(scenario, given.latency)
            profile = track.folder / "profile.txt"
            if profile.exists():
                kept.say(profile.read_text()[:6000])


if __name__ == "__main__":
    main()
