"""The page of results: what was measured, what was to be reached and was or was not, and where others are better.

Rule: every figure comes from `bench/results/`; the page says how to measure it again.
Usage: python bench/report.py [FOLDER of docs]
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import kept
import report_reading as of_reading
import report_store as of_store
import targets
from report_reading import NAMES, PEERS, Reading
from targets import Target

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).with_name("benchmarks.md.j2")
PAGE, IMAGES = "explanation/benchmarks.md", "images/bench"
OTHERS = {
    "bench/posting.py": "posting, as ratios: a first run, one with nothing to do, reading alone",
    "bench/webhooks.py": "webhooks acknowledged a second, and what kills lose",
    "bench/latency.py": "from approval to voucher, more of it",
    "bench/limits.py": "how much of a rate limit several processes use",
    "bench/engine.py": "how soon an order is run; `bench/engine_dbos.py`: the same with DBOS",
    "bench/chaos.py": "workers shot at, and what is lost",
    "bench/console.py": "every page and every answer of the API over 1,000,000 records",
    "bench/watching.py": "what a scrape and a look at the overview cost",
    "bench/backup.py": "backup, restore, pruning",
    "bench/words.py": "what words cost where records are written",
    "bench/storing.py": "CPU of the store side, with a profile",
    "bench/sandbox.py": "the sandbox itself",
}
Told = dict[str, Any]


def main() -> None:
    """Write the page and its plots."""
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    found = {name: kept.read(name) for name in (*SAID, "everything")}
    if not any(found.values()):
        raise SystemExit("nothing was measured yet; run: make bench")
    images = docs / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for name, drawing in _drawn(found):
        (images / f"{name}.svg").write_text(drawing)
    (docs / PAGE).parent.mkdir(parents=True, exist_ok=True)
    (docs / PAGE).write_text(_page(found))
    kept.say(f"  {docs / PAGE}")


def _drawn(found: dict[str, Told | None]) -> Iterator[tuple[str, str]]:
    if reading := found["reading"]:
        yield from of_reading.drawn(Reading(reading))
    yield from of_store.drawn(found["growing"], found["memory"])


def _page(found: dict[str, Told | None]) -> str:
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    told = next(one for one in found.values() if one)
    said = {
        "quick": any(one.get("quick") for one in found.values() if one),
        "machine": told["machine"],
        "versions": told["versions"],
        "targets": targets.table(_targets(found)),
        "profiles": sorted(one.name for one in kept.RESULTS.glob("profile-*.txt")),
        "others": targets.grid(("Program", "What"), [(f"`{name}`", what) for name, what in OTHERS.items()]),
    }
    for name, say in SAID.items():
        kept_figures = found[name]
        said[name] = say(kept_figures) if kept_figures else None
    if everything := found["everything"]:
        said |= {"took": round(sum(everything["minutes"].values())), "day": everything["at"][:10]}
    page = environment.from_string(TEMPLATE.read_text()).render(said)
    return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"


def _targets(found: dict[str, Told | None]) -> Iterator[Target]:
    if reading := found["reading"]:
        yield from of_reading.targets(Reading(reading))
    yield from of_store.targets(found["writing"], found["growing"], found["memory"])


def _reading(told: Told) -> Told:
    reading, peers = Reading(told), told.get("peers", {})
    return {
        "suppliers": f"{told['sizes']['suppliers']:,}",
        "orders": f"{told['sizes']['orders']:,}",
        "spread": f"{max(reading.spreads()):.0%}" if reading.spreads() else "",
        "peers": ", ".join(f"{NAMES[one]} {peers[one]}" for one in PEERS if one in peers) or "none was there",
        "ratios": of_reading.ratios(reading),
        "tables": list(of_reading.tables(reading)),
        "faults": of_reading.faults(reading) if reading.faults else "",
        "better": list(of_reading.better(reading)),
    }


def _writing(told: Told) -> Told:
    return {"calls": of_store.calls(told), "waits": list(of_store.waits(told)), "lost": of_store.lost(told)}


def _growing(told: Told) -> Told:
    return {"rates": of_store.rates(told), "growth": of_store.growth(told)}


def _memory(told: Told) -> Told:
    return {"sizes": of_store.sizes(told), "exponent": f"{told['exponent']:+.2f}"}


SAID: dict[str, Callable[[Told], Told]] = {
    "reading": _reading,
    "writing": _writing,
    "growing": _growing,
    "memory": _memory,
}


if __name__ == "__main__":
    main()
