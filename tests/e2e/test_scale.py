"""A manufacturer's size: 20,000 suppliers and 10,000 orders of three lines, through the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import expected
import pytest
import rig as rigs
from rig import NAME, Rig, rig, sqlite_url

from ml_connector.systems.ifs.standard import DEFAULT

SUPPLIERS, ORDERS = 20_000, 10_000
SETS = [
    "SupplierInfoGeneralSet",
    "IdentityInvoiceInfoSet",
    "SupplierInfoAddressSet",
    "PurchaseOrderSet",
    "PurchaseOrderLineSet",
]
# The command line, which at its end tells its peak memory; what the kernel counts for a child includes its parent's.
COMMAND = """
import atexit, re, sys
from ml_connector.cli import main
status = lambda: open("/proc/self/status").read()
atexit.register(lambda: print("peak", re.search(r"VmHWM:\\s+(\\d+)", status())[1], file=sys.stderr))
main()
"""


def run(joined: Rig) -> tuple[dict[str, Any], float]:
    """`ml-connector run --json` in a process of its own: its figures, and its peak memory in MB."""
    command = [sys.executable, "-c", COMMAND, "--store", joined.url, "run", NAME, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return json.loads(done.stdout)["flows"], int(done.stderr.split()[-1]) / 1024


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_thousand_suppliers(tmp_path: Path, record_property: Any) -> None:
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=SUPPLIERS, orders=ORDERS, seed=7)) as joined:
        first, first_mb = run(joined)
        assert first["suppliers"]["read"] == SUPPLIERS
        assert first["purchase_orders"]["read"] == ORDERS
        expected.assert_agree(joined.box, joined.today())
        assert first["suppliers"]["created"] == len(expected.actual_vendors(joined.box))

        written = joined.writes()
        second, second_mb = run(joined)
        assert joined.writes() == written
        rows = sum(joined.box.world.count(name) for name in SETS)
        asked = sum(sum(flow["requests"].values()) for flow in second.values())
        early = DEFAULT.parallel * len(SETS)  # at most: a slow machine looks like a distant one
        assert asked <= 2 * -(-rows // DEFAULT.page_rows) + early, (asked, rows)
        assert all(flow["created"] == flow["updated"] == flow["deactivated"] == 0 for flow in second.values())

        peak_mb = max(first_mb, second_mb)
        assert peak_mb < 300  # 136 when written
        record_property("peak_mb", round(peak_mb))
        size_mb = sum(os.path.getsize(path) for path in tmp_path.glob("store.db*") if path.is_file()) / 1e6
        seconds = {name: (flow["seconds"], second[name]["seconds"]) for name, flow in first.items()}
        sys.stderr.write(
            f"\nscale: peak {peak_mb:.0f} MB, store {size_mb:.0f} MB, seconds first, second {seconds}, "
            f"no-change requests {asked} for {rows} rows\n"
        )
