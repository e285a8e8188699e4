"""`make bench` from end to end, small and without other tools: every part measures, and the page is written."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

BENCH = Path(__file__).parents[2] / "bench"
SECTIONS = ("## What was to be reached", "## Reading, beside", "## Writing", "## The store", "## Memory")


@pytest.mark.slow
@pytest.mark.thorough
def test_all_of_it_runs_and_writes_the_page(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH / "everything.py"), "--quick", "--docs", str(tmp_path / "docs")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=280, env=os.environ | {"BENCH_RESULTS": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "docs" / "explanation" / "benchmarks.md").read_text()
    assert all(section in page for section in SECTIONS)
    lost = {one["poster"]: one for one in msgspec.json.decode((tmp_path / "writing.json").read_bytes())["lost"]}
    assert (lost["ml-connector"]["doubled"], lost["ml-connector"]["missing"]) == (0, 0)
    assert lost["naive"]["doubled"] == lost["naive"]["answers lost"], "the naive poster doubles what was lost"
