"""All benches whose figures are on the page, one after the other, and the page: what `make bench` runs.

Rule: each in a process of its own, so that none inherits another's memory. What fails is said at the end; the page then
says that it was not measured.
Usage: python bench/everything.py [--quick] [--docs FOLDER]
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import kept

HERE = Path(__file__).parent
BENCHES = ("reading", "writing", "growing", "memory")
LOOK = HERE.parent / ".bench" / "quick"  # where a quick look goes: its figures are none to keep


def main() -> None:
    """Run them, and write the page; quickly: small, without other tools, and not into the docs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--docs", type=Path)
    given = parser.parse_args()
    if given.quick and "BENCH_RESULTS" not in os.environ:
        kept.RESULTS = LOOK
    docs = given.docs or (LOOK / "docs" if given.quick else HERE.parent / "docs")
    minutes, failed = _measured(given.quick)
    kept.keep("everything", "make bench", {"quick": given.quick, "minutes": minutes})
    kept.say(f"{sum(minutes.values()):4.1f} min  page")
    if not _run("report", [str(docs)]):
        failed.append("report")
    if failed:
        raise SystemExit(f"these failed, and the page is without them: {', '.join(failed)}")


def _measured(quick: bool) -> tuple[dict[str, float], list[str]]:
    """How many minutes each took, and which failed; figures of an earlier time go first."""
    minutes, failed = dict[str, float](), list[str]()
    for name in BENCHES:
        kept.say(f"{sum(minutes.values()):4.1f} min  {name}")
        (kept.RESULTS / f"{name}.json").unlink(missing_ok=True)
        started = time.monotonic()
        if not _run(name, ["--quick"] if quick else []):
            failed.append(name)
        minutes[name] = (time.monotonic() - started) / 60
    return minutes, failed


def _run(name: str, options: list[str]) -> bool:
    command = [sys.executable, str(HERE / f"{name}.py"), *options]
    environment = os.environ | {"BENCH_RESULTS": str(kept.RESULTS)}
    return not subprocess.run(command, check=False, env=environment).returncode  # noqa: S603


if __name__ == "__main__":
    main()
