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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import kept
from feed import Counted, Feed, Options
from readers import PEERS, Reader, pinned, read, readers
from reading_faults import trials

SHARE = 0.01  # of the records that change between two runs
SCENARIOS = {
    "cold": {"whole": True},
    "again": {"whole": True},
    "unchanged": {"whole": False},
    "changed": {"whole": False},
}
KEEPING = ("dlt", "dlt-arrow")  # in DuckDB; the others hand their rows on
SHORT = ("unchanged", "changed")
LONG = ("airbyte", "dlt")  # not the fastest of any, nor of those that keep what they read


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
        self.error, self.more = self.error or took["error"], took["more"]  # a repeat that went well mends nothing


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
    with Feed(Options(plan.suppliers, plan.orders)) as feed:
        for reader in plan.tools:
            made += _with_times(Track(feed, reader, folder / reader.name), plan)
    with Feed(Options(plan.suppliers, plan.orders, modified=False)) as feed:
        for reader in (one for one in plan.tools if one.name == "ours"):
            made += _without_times(Track(feed, reader, folder / reader.name), plan)
    return made


def _with_times(track: Track, plan: Plan) -> Iterator[Run]:
    if track.reader.name == "bare":
        track.run("again", 0)  # fills the feed's memory, so that nobody pays for being first
        for latency_ms in plan.latencies:
            yield track.run("again", latency_ms, plan.repeats if not latency_ms else 1)
        return
    for latency_ms in _distances(track.reader.name, plan.latencies):
        # Far away, of the others the usual full read is enough, as the faster of both is what counts.
        if not latency_ms or (track.reader.name == "ours" and latency_ms == plan.latencies[-1]):
            yield track.run("cold", latency_ms)
        near = 1 if latency_ms or track.reader.name in LONG else plan.repeats
        yield track.run("again", latency_ms, near)
        for scenario in SHORT:
            yield track.run(scenario, latency_ms, near if latency_ms else plan.repeats + 1)


def _distances(reader: str, latencies: Sequence[int]) -> Sequence[int]:
    """For those that take long whatever the distance, the nearest and the farthest tell enough."""
    return sorted({latencies[0], latencies[-1]}) if reader in LONG else latencies


def _without_times(track: Track, plan: Plan) -> Iterator[Run]:
    """The other tools have nothing to go by then: each of their runs is a full read."""
    track.round = 100  # other than whatever was read from the other feed
    track.run("again", 0)
    for latency_ms in sorted({plan.latencies[0], plan.latencies[-1]}):
        for scenario in SHORT:
            yield track.run(scenario, latency_ms, plan.repeats if not latency_ms else 1)


def _tell(run: Run) -> None:
    what = f"{run.tool:9} {run.scenario:9} {run.latency_ms:3} ms{'' if run.modified else ', no times'}"
    cost = f"{min(run.wall_s):7.2f} s, CPU {min(run.cpu_s):6.2f} s, {max(run.peak_mb):4.0f} MB"
    kept.say(f"{what}: {cost}, {run.requests} requests, {run.rows:,} rows {run.error}")


def ratios(runs: list[Run]) -> list[str]:
    """How ours compares, in words: with the fastest of all, and with the fastest that keeps what it read."""
    said: list[str] = []
    well = [run for run in runs if not run.error]
    for latency_ms in sorted({run.latency_ms for run in well}):
        full = {run.tool: min(run.wall_s) for run in well if (run.scenario, run.latency_ms) == ("again", latency_ms)}
        said += _compared(full, well, latency_ms) if "ours" in full else []
    return said


def _compared(full: dict[str, float], runs: list[Run], latency_ms: int) -> Iterator[str]:
    ours_s = full["ours"]
    if "bare" in full:
        yield f"{latency_ms} ms, full read: {ours_s / full['bare']:.1f} times as long as the bare loop"
    for names, what in ((PEERS, "any"), (KEEPING, "those that keep what they read")):
        times = {tool: wall_s for tool, wall_s in full.items() if tool in names}
        if not times:
            continue
        fastest = min(times, key=lambda tool: times[tool])
        against = f"{fastest}, the fastest of {what}"
        yield f"{latency_ms} ms, full read: {times[fastest] / ours_s:.2f} times as fast as {against}"
        for run in (
            one for one in runs if one.tool == "ours" and one.latency_ms == latency_ms and one.scenario in SHORT
        ):
            told = f"{run.scenario}, {'with' if run.modified else 'without'} times of change"
            ratio = times[fastest] / min(run.wall_s)
            yield f"{latency_ms} ms, {told}: {ratio:.1f} times as fast as a full read of {against}"


def main() -> None:
    """Measure, print, keep."""
    given = _given()
    if given.trial:
        _try(given)
        return
    plan = _plan(given)
    with tempfile.TemporaryDirectory() as folder:
        runs = measure(plan, Path(folder))
    said = ratios(runs)
    kept.say("\n".join(said))
    figures: dict[str, Any] = {
        "sizes": {"suppliers": plan.suppliers, "orders": plan.orders, "rows": max(run.rows for run in runs)},
        "changed": SHARE,
        "peers": pinned(),
        "ratios": said,
        "runs": [asdict(run) for run in runs],
        "faults": [] if given.quick else _faults(plan.tools),
    }
    kept.keep("reading", "python bench/reading.py", figures)


def _plan(given: argparse.Namespace) -> Plan:
    names = ["bare", "ours"] if given.quick else given.tools.split(",")
    tools = [reader for name, reader in readers().items() if name in names]
    for reader in (one for one in tools if not one.there):
        kept.say(f"{reader.name} is left out: there is no {reader.python}")
    there = [reader for reader in tools if reader.there]
    if given.quick:
        return Plan(1200, 400, (0,), there, 1)
    return Plan(given.suppliers, given.orders, tuple(int(one) for one in given.latencies.split(",")), there)


def _faults(tools: list[Reader]) -> list[dict[str, Any]]:
    """What each loses after mishaps; a second way of the same tool would lose the same."""
    found: list[dict[str, Any]] = []
    for one in trials([reader for reader in tools if not reader.way]):
        counts = ", ".join(f"{one[name]} {name}" for name in ("lost", "stale", "doubled"))
        kept.say(f"{one['tool']:9} {one['fault']}: {counts} {one['note']}")
        found.append(one)
    return found


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
