"""What the benches of writing, of the store's growth and of memory found, as parts of the page.

Rule: as it was kept; a part that was not measured is left out.
"""

from collections.abc import Iterator
from typing import Any

import plots
from targets import Target, grid

PEAK_MAX_MB, FLAT = 150, 0.15
PER_MINUTE = 450  # requests that a connection to Airbase makes at most, unless it is told otherwise
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
DONE = {
    "write": "a new record, all of its way, in a run of 2,000",
    "alone": "a new record in a run of its own",
    "look up": "a link looked up",
    "compare": "a mark compared",
    "timeline": "a record's timeline",
}
Told = dict[str, Any]


def targets(writing: Told | None, growing: Told | None, memory: Told | None) -> Iterator[Target]:
    """The targets of these sides."""
    yield _memory(memory)
    lost = {one["poster"]: one for one in writing["lost"]} if writing else {}
    if lost:
        ours, naive = (lost[name]["doubled"] + lost[name]["missing"] for name in ("ml-connector", "naive"))
        told = f"{ours} of {lost['ml-connector']['documents']:,}; a naive poster: {naive}"
        yield Target("Vouchers doubled or missing after lost answers", "0", told, ours == 0)
    for one in growing["databases"] if growing else ():
        slope, name = one["exponents"]["write"], DATABASES[one["database"]]
        last = one["steps"][-1]["records"]
        wanted = f"exponent ≤ {FLAT:g}"
        yield Target(f"Cost of a new record up to {last:,} records, {name}", wanted, f"{slope:+.2f}", slope <= FLAT)


def _memory(memory: Told | None) -> Target:
    name, wanted = "Peak memory of a run, from the smallest size to the largest", f"< {PEAK_MAX_MB} MB"
    if memory is None:
        return Target(name, wanted, "not measured", None)
    most, rows = max(_peak(one) for one in memory["sizes"]), memory["sizes"][-1]["rows"]
    return Target(name, wanted, f"{most:.0f} MB, up to {rows:,} rows", most < PEAK_MAX_MB)


def _peak(size: Told) -> float:
    return max(size["first"]["peak_mb"], size["unchanged"]["peak_mb"])


def calls(writing: Told) -> str:
    """Calls for 1,000 changed records."""
    rows = [
        (
            one["flow"].replace("_", " "),
            one["way"],
            f"{one['records']:,}",
            f"{1000 * one['calls'] / one['records']:,.0f}",
            f"{1000 * one['writes'] / one['records']:,.0f}",
            f"{1000 * one['calls'] / one['records'] / PER_MINUTE:.2f}",
        )
        for one in writing["calls"]
        if one["records"]
    ]
    head = ("Flow", "How", "Records", "Calls for 1,000", "of them writes", "minutes of a limit of 450 a minute")
    return grid(head, rows)


def lost(writing: Told) -> str:
    """What is there after lost answers."""
    names = ("documents", "answers lost", "doubled", "missing")
    rows = [(one["poster"], *(f"{one[name]:,}" for name in names)) for one in writing["lost"]]
    return grid(("Poster", *(name.capitalize() for name in names)), rows)


def waits(writing: Told) -> Iterator[str]:
    """Sentences on time and limits."""
    if "latency" in writing:
        one = writing["latency"]
        yield (
            f"From approval in Airbase to the voucher in IFS, by webhook: median {one['median_s']:.1f} s, longest "
            f"{one['longest_s']:.1f} s of {one['events']}."
        )
    if "limit" in writing:
        one = writing["limit"]
        yield (
            f"{one['processes']} processes that ask without a pause use {one['used']:.1%} of what the limit allows; "
            f"{one['throttled']:,} of {one['answered']:,} requests were turned away (429)."
        )


def rates(growing: Told) -> str:
    """What the store does in a second."""
    kinds = list(growing["databases"][0]["rates"])
    said = {"changes": "records moved in a first run (staged, promised, settled, linked, told twice)"}
    rows = [
        (said.get(kind, kind), *(f"{one['rates'][kind]['a_second']:,.0f}" for one in growing["databases"]))
        for kind in kinds
    ]
    size = ("bytes of the database a record", *(f"{one['bytes_a_record']:,.0f}" for one in growing["databases"]))
    return grid(("A second", *(DATABASES[one["database"]] for one in growing["databases"])), [*rows, size])


def growth(growing: Told) -> str:
    """What things cost at each size, and the exponent."""
    rows: list[tuple[str, ...]] = []
    for one in growing["databases"]:
        for done, said in DONE.items():
            first, last = one["steps"][0], one["steps"][-1]
            costs = [f"{plots.number(step[done][one['cost']])} µs" for step in (first, last)]
            sizes = [f"{step['records']:,}" for step in (first, last)]
            told = f"{one['exponents'][done]:+.2f}"
            rows.append(
                (DATABASES[one["database"]], said, *(f"{c} at {n}" for c, n in zip(costs, sizes, strict=True)), told)
            )
    return grid(("Database", "What", "At first", "At last", "Exponent"), rows)


def sizes(memory: Told) -> str:
    """What whole runs took at each size."""
    rows = [
        (
            f"{one['rows']:,}",
            f"{one['records']:,}",
            f"{_peak(one):.0f}",
            f"{one['first']['wall_s']:,.1f}",
            f"{one['first']['cpu_s'] / one['records'] * 1e6:,.0f}",
            f"{one['unchanged']['wall_s']:,.1f}",
            f"{one['store_bytes'] / one['records']:,.0f}",
        )
        for one in memory["sizes"]
    ]
    head = (
        "Rows",
        "Records",
        "Peak MB",
        "First run, s",
        "CPU µs a record",
        "Nothing changed, s",
        "Store bytes a record",
    )
    return grid(head, rows)


def drawn(growing: Told | None, memory: Told | None) -> Iterator[tuple[str, str]]:
    """Plots, by name."""
    if growing:
        series = {
            f"{DATABASES[one['database']]}, {done}": [
                (step["records"], step[done][one["cost"]]) for step in one["steps"]
            ]
            for one in growing["databases"]
            for done in ("write", "look up", "compare")
        }
        yield "growth", plots.lines("What a record costs while the store grows", "records in the store", "µs", series)
    if memory:
        peaks = [(one["rows"], _peak(one)) for one in memory["sizes"]]
        limit = (f"{PEAK_MAX_MB} MB", float(PEAK_MAX_MB))
        yield "memory", plots.lines("Peak memory of a run", "rows in IFS", "MB", {"ml-connector": peaks}, limit)
