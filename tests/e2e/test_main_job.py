"""The main job, as a user would do it, on a small world."""

import time
from datetime import timedelta
from pathlib import Path

import expected
import pytest
import rig as rigs
from rig import Rig, rig, sqlite_url


@pytest.mark.parametrize(
    "joined", ["modified-sqlite", "census-sqlite", "modified-postgresql", "census-postgresql"], indirect=True
)
def test_first_run_moves_everything_and_the_second_writes_nothing(joined: Rig) -> None:
    first = joined.run()
    expected.assert_agree(joined.box, joined.today())
    assert first["suppliers"].created == len(expected.actual_vendors(joined.box))
    assert first["purchase_orders"].created == len(expected.actual_orders(joined.box))
    written = joined.writes()
    second = joined.run()
    assert joined.writes() == written
    for report in second.values():
        assert (report.created, report.updated, report.deactivated) == (0, 0, 0)
        assert report.read <= first[report.flow].read
    assert second["suppliers"].held == first["suppliers"].held


def test_one_changed_line_moves_exactly_that_order(joined: Rig) -> None:
    joined.run()
    order = next(iter(expected.actual_orders(joined.box)))
    line = next(row for row in joined.box.world.rows("PurchaseOrderLineSet") if row["OrderNo"] == order)
    key = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    written = joined.writes()
    joined.box.edit_ifs({"op": "update", "set": "PurchaseOrderLineSet", "key": key, "values": {"BuyQtyDue": "4242.5"}})
    done = joined.run()
    assert joined.writes() == written + 1
    assert done["purchase_orders"].updated == 1
    assert done["suppliers"].updated == 0
    expected.assert_agree(joined.box, joined.today())


def test_a_plan_says_what_the_run_then_does_and_writes_nothing(joined: Rig) -> None:
    planned = joined.plan()
    assert joined.writes() == 0
    assert joined.box.airbase_rows("vendors") == []
    done = joined.run()
    for name, report in done.items():
        assert (planned[name].created, planned[name].held) == (report.created, report.held), name
    again = joined.plan()
    assert all(report.created == report.updated == report.deactivated == 0 for report in again.values())


def test_what_airbase_has_already_is_linked_not_doubled(tmp_path: Path) -> None:
    options = rigs.generous()
    options.airbase.prefilled_vendors = 30
    with rig(sqlite_url(tmp_path), options) as joined:
        there = len(joined.box.airbase_rows("vendors"))
        assert there == 30
        joined.run()
        expected.actual_vendors(joined.box)  # fails on a double
        wanted = expected.vendors(joined.box, joined.today())
        assert {k: v for k, v in expected.actual_vendors(joined.box).items() if k in wanted} == wanted


def test_an_order_waits_for_its_supplier_and_is_released_by_itself(joined: Rig) -> None:
    before = joined.run()["purchase_orders"].held
    box = joined.box
    wanted = expected.vendors(box, joined.today())
    bound = {row["Identity"] for row in box.world.rows("IdentityInvoiceInfoSet")} | wanted.keys()
    waiting = next(r["SupplierId"] for r in box.world.rows("SupplierInfoGeneralSet") if r["SupplierId"] not in bound)
    order = next(iter(expected.actual_orders(box)))
    row = dict(box.world.get("PurchaseOrderSet", order) or {})
    new = {**row, "OrderNo": "NEW-1", "VendorNo": waiting}
    box.world.insert("PurchaseOrderSet", {k: v for k, v in new.items() if k in INSERTED})
    held = joined.run()["purchase_orders"]
    assert held.held == before + 1
    box.world.insert(
        "IdentityInvoiceInfoSet",
        {"Company": "10", "Identity": waiting, "PartyType": "Supplier", "DefCurrency": "EUR", "PayTermId": "30"},
    )
    done = joined.run()
    assert done["suppliers"].created == 1
    assert done["purchase_orders"].created >= 1
    assert done["purchase_orders"].held <= before
    assert "NEW-1" in expected.actual_orders(box)


INSERTED = ("OrderNo", "VendorNo", "Contract", "Company", "CurrencyCode", "BuyerCode", "OrderDate", "Objstate")


def test_a_deleted_supplier_is_switched_off_never_deleted(joined: Rig) -> None:
    joined.run()
    gone = next(iter(expected.actual_vendors(joined.box)))
    joined.box.world.delete("SupplierInfoGeneralSet", gone)
    done = joined.run(census=True)["suppliers"]
    assert done.deactivated == 1
    assert gone not in expected.actual_vendors(joined.box)
    assert gone in {row["erp_reference_id"] for row in joined.box.airbase_rows("vendors")}
    assert joined.run(census=True)["suppliers"].deactivated == 0


def test_a_plan_that_switches_off_too_many_waits_for_approval(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), gate={}) as joined:
        joined.run()
        for key in list(expected.actual_vendors(joined.box))[:25]:
            joined.box.world.delete("SupplierInfoGeneralSet", key)
        written = joined.writes()
        stopped = joined.run("suppliers", census=True)["suppliers"]
        assert stopped.state == "blocked"
        assert stopped.objections
        assert joined.writes() == written
        assert joined.run("suppliers", census=True, approve=("0123456789ab",))["suppliers"].state == "blocked"
        done = joined.run("suppliers", census=True, approve=(stopped.plan_id,))["suppliers"]
        assert done.state == "done"
        assert done.deactivated == 25


def test_a_census_sets_right_what_was_changed_in_airbase(joined: Rig) -> None:
    joined.run()
    row = joined.box.airbase_rows("vendors")[0]
    joined.box.airbase.edit({"op": "update", "kind": "vendors", "id": row["id"], "fields": {"name": "Vandal & Sons"}})
    assert joined.run(census=True)["suppliers"].updated == 1
    expected.assert_agree(joined.box, joined.today())


def test_a_supplier_expires_by_the_calendar_alone(joined: Rig) -> None:
    joined.run()
    world = joined.box.world
    key = next(iter(expected.vendors(joined.box, joined.today())))
    for row in world.rows("IdentityInvoiceInfoSet"):
        if row["Identity"] == key:
            where = {name: row[name] for name in ("Company", "Identity", "PartyType")}
            world.update("IdentityInvoiceInfoSet", where, {"ExpireDate": joined.today() + timedelta(days=5)})
    joined.run()
    assert key in expected.actual_vendors(joined.box)
    later = time.time() + 6 * 86400
    assert joined.run("suppliers", now=lambda: later)["suppliers"].deactivated >= 1
    assert key not in expected.actual_vendors(joined.box)
