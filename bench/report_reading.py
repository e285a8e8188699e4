"""What the reading bench found, as parts of the page: targets, tables, plots.

Rule: ratios are taken within one run of the bench, between medians; a reader that failed in a scenario is not compared.
"""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

import plots
from targets import Target, at_least, at_most, grid

NAMES = {
    "ours": "ml-connector",
    "bare": "bare loop",
    "dlt": "dlt",
    "dlt-arrow": "dlt, Arrow by hand",
    "airbyte": "airbyte-cdk",
    "singer": "singer-sdk",
}
PEERS = ("dlt", "dlt-arrow", "airbyte", "singer")
SCENARIOS = {
    "cold": "first read, all written",
    "again": "full read",
    "unchanged": "nothing changed",
    "changed": "1 % changed",
}
WRONG = ("lost", "stale", "doubled")
FULL = {"again": "Full read", "cold": "First read, all written"}
MEASURES = {"wall_s": "seconds", "cpu_s": "seconds of CPU", "peak_mb": "MB of peak memory", "requests": "requests"}
Run = dict[str, Any]
Place = tuple[str, int, bool]  # scenario, latency in ms, whether rows tell when they were changed


class Reading:
    """The figures, by what they are of."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.runs: list[Run] = [run for run in told["runs"] if not run.get("error") and run["wall_s"]]
        self.faults: list[Run] = told.get("faults", [])

    def at(self, tool: str, place: Place, measure: str = "wall_s") -> float | None:
        """The median of a measure."""
        for run in self.runs:
            if run["tool"] == tool and _place(run) == place:
                found = run[measure]
                return statistics.median(found) if isinstance(found, list) else float(found)
        return None

    def of(self, tool: str, scenario: str, latency: int) -> float | None:
        """How long a run took where rows tell when they were changed. Units: seconds."""
        return self.at(tool, (scenario, latency, True))

    def places(self) -> list[Place]:
        """All kinds of runs that were measured."""
        scenarios = list(SCENARIOS)
        found = {_place(run) for run in self.runs}
        return sorted(found, key=lambda one: (not one[2], one[1], scenarios.index(one[0])))

    def fastest(self, scenarios: Sequence[str], latency: int) -> tuple[str, float] | None:
        """The fastest peer in any of these scenarios, and its time. Units: seconds."""
        each = [(name, self.of(name, scenario, latency)) for name in PEERS for scenario in scenarios]
        there = [(took, name) for name, took in each if took]
        return (min(there)[1], min(there)[0]) if there else None

    def latencies(self) -> list[int]:
        """The distances that were measured. Units: ms."""
        return sorted({run["latency_ms"] for run in self.runs})

    def spreads(self) -> list[float]:
        """How far the repeats of a measurement lie apart, as shares of their median."""
        walls = [run["wall_s"] for run in self.runs if len(run["wall_s"]) > 1]
        return [(max(one) - min(one)) / statistics.median(one) for one in walls]


def _place(run: Run) -> Place:
    return run["scenario"], run["latency_ms"], run["modified"]


def targets(reading: Reading) -> Iterator[Target]:
    """The targets of the reading side."""
    for latency, wanted in ((0, 3), (300, 5)):
        for scenario in ("again", "cold"):
            if scenario == "again" or reading.of("ours", scenario, latency):
                name = f"{FULL[scenario]}, {latency} ms, with durable state, against the fastest peer's"
                yield at_least(name, wanted, *_against(reading, (scenario, latency, True)))
    bare = reading.of("bare", "again", 0)
    for scenario, said in FULL.items():
        ours = reading.of("ours", scenario, 0)
        ratio = ours / bare if ours and bare else None
        yield at_most(f"{said}, 0 ms, against the bare loop", 3, ratio, f"{_s(ours)} to {_s(bare)}")
    for place in (("unchanged", 0, True), ("changed", 0, True), ("unchanged", 0, False), ("changed", 0, False)):
        if place[2] or reading.at("ours", place):
            name = f"{_said(place)}, against the fastest peer's full read"
            yield at_least(name[:1].upper() + name[1:], 20, *_against(reading, place))
    yield from _correct(reading)


def _against(reading: Reading, place: Place) -> tuple[float | None, str]:
    """How much faster than the fastest peer's full read, and in words."""
    ours, peer = reading.at("ours", place), reading.fastest(("cold", "again"), place[1])
    if not ours or not peer:
        return None, ""
    return peer[1] / ours, f"{_s(ours)} to {_s(peer[1])} of {NAMES[peer[0]]}"


def _correct(reading: Reading) -> Iterator[Target]:
    name = "Rows lost, stale or double after faults and a night"
    if not reading.faults:
        yield Target(name, "0", "not measured", None)
        return
    wrong = {tool: sum(_wrong(_night(one)) for one in reading.faults if one["tool"] == tool) for tool in NAMES}
    before = sum(_wrong(one) for one in reading.faults if one["tool"] == "ours")
    others = [f"{NAMES[tool]} {wrong[tool]:,}" for tool in PEERS if wrong[tool]]
    told = f"{wrong['ours']:,} ({before:,} until the night); {', '.join(others) or 'none with the others'}"
    yield Target(name, "0", told, not wrong["ours"])


def _night(fault: Run) -> Run:
    """What is wrong after a night in which everything was read."""
    return fault.get("night") or fault


def _wrong(fault: Run) -> int:
    return sum(int(fault.get(name) or 0) for name in WRONG)


def tables(reading: Reading) -> Iterator[str]:
    """A table for each measure, of all scenarios."""
    tools = [name for name in NAMES if any(run["tool"] == name for run in reading.runs)]
    for measure, said in MEASURES.items():
        rows = [_row(reading, place, tools, measure) for place in reading.places()]
        yield f"### {said[:1].upper()}{said[1:]}\n\n" + grid(("Run", *(NAMES[tool] for tool in tools)), rows)


def ratios(reading: Reading) -> str:
    """How many times as fast as each other reader, by the clock."""
    others = [name for name in NAMES if name != "ours" and any(run["tool"] == name for run in reading.runs)]
    rows = [(_said(place), *(_times(reading, place, name) for name in others)) for place in reading.places()]
    return grid(("Run", *(f"against {NAMES[name]}" for name in others)), rows)


def _times(reading: Reading, place: Place, other: str) -> str:
    pair = _pair(reading, other, place, "wall_s")
    return f"{plots.number(pair[0] / pair[1])} ×" if pair else "–"


def _row(reading: Reading, place: Place, tools: Sequence[str], measure: str) -> tuple[str, ...]:
    found = [reading.at(tool, place, measure) for tool in tools]
    return (_said(place), *("–" if one is None else plots.number(one) for one in found))


def _said(place: Place) -> str:
    scenario, latency, modified = place
    return f"{SCENARIOS[scenario]}, {latency} ms" + ("" if modified else ", no times of change")


def faults(reading: Reading) -> str:
    """Of each fault, what each reader had wrong afterwards."""
    kinds = list(dict.fromkeys(one["fault"] for one in reading.faults))
    tools = [name for name in NAMES if any(one["tool"] == name for one in reading.faults)]
    by_both = {(one["fault"], one["tool"]): one for one in reading.faults}
    rows = [(kind, *(_fault(by_both.get((kind, tool))) for tool in tools)) for kind in kinds]
    return grid(("Fault", *(NAMES[tool] for tool in tools)), rows)


def _fault(one: Run | None) -> str:
    if one is None:
        return "–"
    by_day, by_night = (
        ", ".join(f"{told[name]:,} {name}" for name in WRONG if told.get(name)) for told in (one, _night(one))
    )
    if by_night:
        return f"**{by_night}**, also after the night"
    told = f"{by_day} until the night" if by_day else "all right"
    return f"{told}; {one['note']}" if one.get("note") else told


def drawn(reading: Reading) -> Iterator[tuple[str, str]]:
    """Plots, by name."""
    tools = ("bare", "ours", *PEERS)
    read = [
        plots.Group(f"at {latency} ms", [(NAMES[tool], reading.of(tool, "again", latency)) for tool in tools])
        for latency in reading.latencies()
    ]
    yield "full-read", plots.bars("Full read: seconds, the shorter the better", "s", read)
    again = [
        plots.Group(said, [(NAMES[tool], reading.of(tool, scenario, 0)) for tool in tools])
        for scenario, said in SCENARIOS.items()
    ]
    yield "scenarios", plots.bars("What each kind of run takes, at 0 ms", "s", again)


def better(reading: Reading) -> Iterator[str]:
    """Where a peer did better: by measure, how often, and the most it was."""
    for tool in PEERS:
        for measure, said in MEASURES.items():
            both = [(*pair, place) for place in reading.places() if (pair := _pair(reading, tool, place, measure))]
            wins = sorted((one for one in both if one[0] < one[1]), key=lambda one: one[0] / max(one[1], 1e-9))
            if wins:
                theirs, ours, place = wins[0]
                most = f"{plots.number(theirs)} against {plots.number(ours)} ({_said(place)})"
                yield f"**{NAMES[tool]}** has fewer {said} in {len(wins)} of {len(both)} runs; the most: {most}"


def _pair(reading: Reading, tool: str, place: Place, measure: str) -> tuple[float, float] | None:
    theirs, ours = reading.at(tool, place, measure), reading.at("ours", place, measure)
    return None if theirs is None or ours is None else (theirs, ours)


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{plots.number(seconds)} s"
