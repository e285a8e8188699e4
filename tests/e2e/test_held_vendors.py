"""Vendors made in Airbase that wait for somebody are told with the suppliers that they may be."""

from pathlib import Path

import rig as rigs
from rig import NAME, rig, sqlite_url

from ml_connector import wiring


def test_a_held_vendor_says_which_supplier_it_may_be(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=5, orders=0), new_vendors="hold") as joined:
        known = joined.box.world.rows("SupplierInfoGeneralSet")[0]
        for name in (known["Name"], "Nobody at all"):
            joined.box.airbase.edit({"op": "create", "kind": "vendors", "fields": {"name": name, "country": "SE"}})
        assert joined.run("vendors")["vendors"].held == 2
        told = sorted(one.held.sentence for one in wiring.exceptions(joined.store, NAME).open(limit=10))
        assert f"It may be supplier {known['SupplierId']} (has the same name" in told[0] + told[1]
        assert sum("It may be" in one for one in told) == 1
