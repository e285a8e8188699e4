"""A record that breaks its mapping stops only itself."""

from pathlib import Path

import expected
import msgspec
import pytest
from rig import rig, sqlite_url

from ml_connector.flows import FLOWS
from ml_connector.flows.suppliers import SUPPLIERS, map_supplier
from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.sync.flow import Context
from ml_connector.sync.outcome import Held, Mapped


def test_a_mapping_that_fails_holds_only_that_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "S000002"

    def failing(supplier: Supplier, context: Context) -> Mapped[Vendor] | Held:
        if supplier.supplier_id == bad:
            raise KeyError("a mistake of ours")
        return map_supplier(supplier, context)

    monkeypatch.setitem(FLOWS, "suppliers", msgspec.structs.replace(SUPPLIERS, map=failing))
    with rig(sqlite_url(tmp_path)) as joined:
        done = joined.run("suppliers")["suppliers"]
        assert done.held == 1
        wanted = expected.vendors(joined.box, joined.today())
        assert expected.actual_vendors(joined.box).keys() == wanted.keys() - {bad}
