"""The page of results says what was measured, whichever way it went: made-up figures in, the page out."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

BENCH = Path(__file__).parents[2] / "bench"
SCENARIOS = ("cold", "again", "unchanged", "changed")
HEAD: dict[str, Any] = {
    "at": "2026-11-30T10:00:00+00:00",
    "machine": {"processor": "Abacus", "cores": 2, "memory_gb": 8.0, "system": "Linux"},
    "versions": {"python": "3.11"},
}
Page = Callable[..., str]


def runs(tool: str, seconds: float, **quicker: float) -> list[dict[str, Any]]:
    """A reader that takes so long, in some scenarios less, and half of it is CPU."""
    return [
        {
            "tool": tool,
            "scenario": scenario,
            "latency_ms": latency,
            "modified": True,
            "wall_s": [quicker.get(scenario, seconds)] * 3,
            "cpu_s": [seconds / 2],
            "peak_mb": [100.0],
            "requests": 200,
            "rows": 600_000,
            "error": "",
        }
        for scenario in SCENARIOS
        for latency in (0, 300)
    ]


def reading(ours: float, peer: float, *faults: dict[str, Any]) -> dict[str, Any]:
    """The reading bench's figures."""
    made = [*runs("ours", ours, unchanged=0.5, changed=4.0), *runs("dlt", peer), *runs("bare", 5.0)]
    sizes = {"suppliers": 100_000, "orders": 50_000}
    return HEAD | {"sizes": sizes, "peers": {"dlt": "1.31.0"}, "runs": made, "faults": list(faults)}


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Writes the page of these figures."""

    def write(**found: dict[str, Any]) -> str:
        for name, told in found.items():
            (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(told))
        command = [sys.executable, str(BENCH / "report.py"), str(tmp_path / "docs")]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"BENCH_RESULTS": str(tmp_path)})
        return (tmp_path / "docs" / "explanation" / "benchmarks.md").read_text()

    return write


def row(page: str, begins: str) -> list[str]:
    """The cells of a row."""
    line = next(line for line in page.splitlines() if line.startswith(f"| {begins}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_target_is_reached_or_not_by_the_ratio_of_medians(page: Page) -> None:
    told = page(reading=reading(ours=20.0, peer=60.0))
    assert row(told, "Full read, 0 ms, with")[1:] == ["≥ 3 ×", "3 × (20 s to 60 s of dlt)", "**reached**"]
    assert row(told, "Full read, 300 ms, with")[3] == "**not reached**"
    assert row(told, "Full read, 0 ms, against the bare loop")[2:] == ["4 × (20 s to 5 s)", "**not reached**"]
    assert row(told, "Nothing changed, 0 ms, against")[2:] == ["120 × (0.5 s to 60 s of dlt)", "**reached**"]
    assert row(told, "1 % changed, 0 ms, against")[2:] == ["15 × (4 s to 60 s of dlt)", "**not reached**"]
    assert row(told, "Peak memory of a run")[2:] == ["not measured", "not measured"]


def test_where_another_is_better_the_page_says_so(page: Page) -> None:
    told = page(reading=reading(ours=20.0, peer=1.0))
    assert "**dlt** has fewer seconds in 6 of 8 runs; the most: 1 against 20 (first read, all written, 0 ms)" in told
    assert row(told, "First read, all written, 0 ms, with")[2:] == ["0.05 × (20 s to 1 s of dlt)", "**not reached**"]


@pytest.mark.parametrize(("wrong", "reached"), [(0, "**reached**"), (1, "**not reached**")])
def test_rows_that_are_wrong_after_the_night_count(page: Page, wrong: int, reached: str) -> None:
    ours = {"tool": "ours", "fault": "deletes", "lost": 0, "stale": 5, "doubled": 0, "note": ""}
    ours |= {"night": {"lost": 0, "stale": wrong, "doubled": 0}}
    theirs = {"tool": "dlt", "fault": "deletes", "lost": 7, "stale": 0, "doubled": 0, "note": "", "night": {"lost": 7}}
    told = page(reading=reading(20.0, 60.0, ours, theirs))
    assert row(told, "Rows lost, stale or double")[2:] == [f"{wrong} (5 until the night); dlt 7", reached]
    here = "**1 stale**, also after the night" if wrong else "5 stale until the night"
    assert row(told, "deletes") == ["deletes", here, "**7 lost**, also after the night"]


def test_the_plots_are_drawings_that_need_nothing_else(page: Page, tmp_path: Path) -> None:
    sizes = [
        {"rows": rows, "records": rows // 4, "store_bytes": rows, "first": taken, "unchanged": taken}
        for rows, taken in ((count, {"peak_mb": 120.0, "wall_s": 1.0, "cpu_s": 1.0}) for count in (10_000, 1_000_000))
    ]
    told = page(memory=HEAD | {"sizes": sizes, "exponent": 0.01}, reading=reading(20.0, 60.0))
    assert row(told, "Peak memory of a run")[2:] == ["120 MB, up to 1,000,000 rows", "**reached**"]
    drawings = sorted((tmp_path / "docs" / "images" / "bench").glob("*.svg"))
    assert [one.stem for one in drawings] == ["full-read", "memory", "scenarios"]
    for one in drawings:
        assert ElementTree.parse(one).getroot().tag.endswith("svg")  # noqa: S314 - our own
        assert "http" not in one.read_text().replace("http://www.w3.org/2000/svg", "")
        assert f"(../images/bench/{one.name})" in told
