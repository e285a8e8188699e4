"""All benches whose figures are on the page, one after the other, and the page: what `make bench` runs.

Rule: each in a process of its own, so that none inherits another's memory; the first that fails ends it.
Usage: python bench/everything.py [--quick]
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


def main() -> None:
    """Run them, and write the page; quickly: small, without other tools, and not into the docs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--docs", type=Path, default=HERE.parent / "docs")
    given = parser.parse_args()
    began, minutes = time.monotonic(), dict[str, float]()
    for name in BENCHES:
        kept.say(f"{(time.monotonic() - began) / 60:4.1f} min  {name}")
        started = time.monotonic()
        _run(name, ["--quick"] if given.quick else [])
        minutes[name] = (time.monotonic() - started) / 60
    kept.keep("everything", "make bench", {"quick": given.quick, "minutes": minutes})
    kept.say(f"{(time.monotonic() - began) / 60:4.1f} min  page")
    _run("report", [str(given.docs)])


def _run(name: str, options: list[str]) -> None:
    command = [sys.executable, str(HERE / f"{name}.py"), *options]
    done = subprocess.run(command, check=False, env=os.environ | {"BENCH_RESULTS": str(kept.RESULTS)})  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}")


if __name__ == "__main__":
    main()
