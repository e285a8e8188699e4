"""How much memory a run needs, and what a record costs in a whole run, from 10,000 rows in IFS to 1,000,000.

Shape: at each size a first run, and one where nothing changed, as `reading.py` does them: the real pipeline, store and
reading over HTTP, into a target that answers at once; each in a process of its own.
Usage: python bench/memory.py [--quick]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import growing
import kept
import readers
from feed import Feed, Options

SIZES = ((1_700, 1_000), (17_000, 10_000), (170_000, 100_000))  # suppliers, orders
QUICK = ((170, 100),)


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    sizes = [measure(*size) for size in (QUICK if quick else SIZES)]
    cold = [(one["records"], one["first"]["cpu_s"] / one["records"]) for one in sizes]
    kept.keep(
        "memory",
        "bench/memory.py",
        {"quick": quick, "sizes": sizes, "exponent": growing.exponent(cold) if len(cold) > 1 else 0.0},
    )


def measure(suppliers: int, orders: int) -> dict[str, Any]:
    """One size: a first run, and one where nothing changed."""
    with Feed(Options(suppliers, orders, memory=False)) as feed, tempfile.TemporaryDirectory() as folder:
        _made_before(Path(folder))
        first, again = (_run(feed, Path(folder)) for _ in range(2))
        rows = sum(feed.told["counts"].values())
        size = sum(file.stat().st_size for file in Path(folder).rglob("store.db*") if file.is_file())
    kept.say(f"  {rows:,} rows: {first['peak_mb']:.0f} MB, {first['wall_s']:.1f} s; unchanged {again['wall_s']:.1f} s")
    return {"rows": rows, "records": suppliers + orders, "store_bytes": size, "first": first, "unchanged": again}


def _made_before(folder: Path) -> None:
    """The store is there when a run begins, as whoever connects the systems makes it."""
    code = "import sys; from ml_connector.store.db import Database; Database.open(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{folder / 'store.db'}"], check=True)  # noqa: S603


def _run(feed: Feed, folder: Path) -> dict[str, Any]:
    took, counted = readers.read(feed, readers.readers()["ours"], folder, whole=False)
    if took["error"]:
        raise SystemExit(took["error"])
    return {name: took[name] for name in ("wall_s", "cpu_s", "peak_mb", "rows", "more")} | {
        "requests": counted.requests
    }


if __name__ == "__main__":
    main()
