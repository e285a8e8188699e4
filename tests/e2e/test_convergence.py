"""Whatever went wrong between two runs, the next ones end where a world without trouble would have."""

from typing import Any

import expected
import msgspec
import pytest
import rig as rigs
from rig import NAME, Rig, rig

from ml_connector import wiring
from ml_connector.errors import SettingsError
from ml_connector.sandbox.faults import Fault


def a_vendor(joined: Rig) -> dict[str, Any]:
    return next(row for row in joined.box.airbase_rows("vendors") if row["is_active"])


def rename(joined: Rig, key: str, name: str) -> None:
    joined.box.world.update("SupplierInfoGeneralSet", key, {"Name": name})
    joined.box.world.clock.advance(10)


def vandalise(joined: Rig, row: dict[str, Any], **fields: Any) -> None:
    joined.box.airbase.edit({"op": "update", "kind": "vendors", "id": row["id"], "fields": fields})


def test_what_somebody_set_right_by_hand_is_remembered(joined: Rig) -> None:
    """A in both, then B in both by hand, then A again in IFS: Airbase must follow."""
    joined.run()
    row = a_vendor(joined)
    key, before = row["erp_reference_id"], row["name"]
    rename(joined, key, "B")
    vandalise(joined, row, name="B")
    joined.run(census=True)
    rename(joined, key, before)
    joined.run()
    expected.assert_agree(joined.box, joined.today())


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "status"])
def test_a_correction_whose_answer_is_lost_is_made_by_the_next_run(joined: Rig, kind: Any) -> None:
    joined.run()
    vandalise(joined, a_vendor(joined), name="Vandal & Sons")
    options: dict[str, Any] = {"status": 400} if kind == "status" else {}
    joined.box.faults.add(Fault(kind, site="airbase", method="POST", options=options))
    joined.try_run(census=True)
    joined.box.faults.clear()
    joined.run()
    expected.assert_agree(joined.box, joined.today())


def test_a_vendor_gone_from_airbase_stays_an_exception_until_it_is_back(joined: Rig) -> None:
    joined.run()
    row = a_vendor(joined)
    joined.box.airbase.edit({"op": "delete", "kind": "vendors", "id": row["id"]})
    assert joined.run("suppliers", census=True)["suppliers"].held == 1
    assert joined.run("suppliers")["suppliers"].held == 1
    fields = {"name": "By hand", "erp_reference_id": row["erp_reference_id"]}
    joined.box.airbase.edit({"op": "create", "kind": "vendors", "fields": fields})
    assert joined.run("suppliers")["suppliers"].held == 0
    assert {r["erp_reference_id"] for r in joined.box.airbase_rows("vendors")} >= {row["erp_reference_id"]}
    wanted = expected.vendors(joined.box, joined.today())
    assert expected.actual_vendors(joined.box) == wanted


def test_a_double_stays_an_exception_until_it_is_resolved(joined: Rig) -> None:
    joined.run()
    row = a_vendor(joined)
    fields = {"name": "Again", "erp_reference_id": row["erp_reference_id"]}
    joined.box.airbase.edit({"op": "create", "kind": "vendors", "fields": fields})
    assert joined.run("suppliers", census=True)["suppliers"].held == 1
    assert joined.run("suppliers")["suppliers"].held == 1
    double = next(r for r in joined.box.airbase_rows("vendors") if r["name"] == "Again")
    joined.box.airbase.edit({"op": "delete", "kind": "vendors", "id": double["id"]})
    assert joined.run("suppliers")["suppliers"].held == 0
    expected.assert_agree(joined.box, joined.today())


def test_a_first_run_that_fails_half_way_ends_like_one_that_does_not(any_store: str) -> None:
    options = rigs.generous(suppliers=150)
    options.airbase.prefilled_vendors = 150
    with rig(any_store, options) as joined:
        joined.box.faults.add(Fault("reset_before", site="airbase", method="POST", after=1))
        reports, _ = joined.try_run()
        assert reports["suppliers"].uncertain
        joined.box.faults.clear()
        joined.run()
        expected.assert_agree(joined.box, joined.today())


def test_a_record_deleted_while_nothing_is_known_of_it_leaves_no_exception(any_store: str) -> None:
    with rig(any_store) as joined:
        key = next(iter(expected.vendors(joined.box, joined.today())))
        joined.box.faults.add(Fault("html", site="airbase", method="POST"))
        joined.try_run()
        joined.box.faults.clear()
        joined.box.world.delete("SupplierInfoGeneralSet", key)
        joined.run(census=True)
        open_keys = {one.key for one in wiring.exceptions(joined.store, NAME).open(1000) if one.flow == "suppliers"}
        assert key not in open_keys


def test_silence_in_a_small_company_is_asked_about(any_store: str) -> None:
    with rig(any_store, rigs.generous(suppliers=20, orders=20), gate={}) as joined:
        joined.run()
        joined.box.ifs.options.companies = ()
        reports = joined.run()
        assert reports["suppliers"].state == "blocked"
        assert reports["purchase_orders"].state == "blocked"
        joined.box.ifs.options.companies = ("10", "20")
        for row in joined.box.world.rows("PurchaseOrderLineSet"):
            key = {name: row[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
            joined.box.world.delete("PurchaseOrderLineSet", key)
        assert joined.run()["purchase_orders"].state == "blocked"


def test_a_linked_order_that_turns_to_an_unknown_supplier_is_held(joined: Rig) -> None:
    joined.run()
    order = next(iter(expected.actual_orders(joined.box)))
    before = joined.run()["purchase_orders"].held
    written = joined.writes()
    joined.box.world.update("PurchaseOrderSet", order, {"VendorNo": "NOBODY", "Objstate": "Planned"})
    joined.box.world.clock.advance(10)
    assert joined.run()["purchase_orders"].held == before + 1
    assert joined.writes() == written


def test_editing_what_is_off_already_switches_nothing_off(joined: Rig) -> None:
    joined.run()
    order = next(iter(expected.actual_orders(joined.box)))
    joined.box.world.update("PurchaseOrderSet", order, {"Objstate": "Closed"})
    assert joined.run()["purchase_orders"].deactivated == 1
    joined.box.world.clock.advance(10)
    joined.box.world.update("PurchaseOrderSet", order, {"BuyerCode": "ZED"})
    again = joined.run()["purchase_orders"]
    assert (again.deactivated, again.updated) == (0, 1)


def test_a_plan_on_a_prefilled_airbase_is_what_the_run_does(any_store: str) -> None:
    options = rigs.generous()
    options.airbase.prefilled_vendors = 40
    with rig(any_store, options) as joined:
        planned = joined.plan()
        done = joined.run()
        for name, report in done.items():
            mine = planned[name]
            assert (mine.created, mine.held) == (report.created, report.held), name


def test_other_systems_need_another_connection(any_store: str) -> None:
    with rig(any_store) as joined:
        joined.run()
        secrets = wiring.Secrets("sandbox-secret", "sandbox-token")
        same = rigs.connection(joined.box)
        moved = msgspec.structs.replace(same, airbase=rigs.Airbase("http://127.0.0.1:9"))
        with pytest.raises(SettingsError, match="another name"):
            wiring.connect(joined.store, NAME, moved, secrets)
        wiring.connect(joined.store, NAME, moved, secrets, same_tenants=True)
        wiring.connect(joined.store, NAME, same, secrets, same_tenants=True)
        fewer = msgspec.structs.replace(same, ifs=msgspec.structs.replace(same.ifs, companies=("10",)))
        with pytest.raises(SettingsError, match="company 20"):
            wiring.connect(joined.store, NAME, fewer, secrets)


def test_many_new_records_after_a_first_run_walk_airbase_once(any_store: str) -> None:
    with rig(any_store, rigs.generous(suppliers=900), ifs={"page_rows": 100}) as joined:
        joined.box.ifs.options.companies = ("10",)
        joined.run("suppliers")
        joined.box.ifs.options.companies = ("10", "20")
        joined.box.airbase_log.reset()
        joined.run("suppliers")
        lists = len([entry for entry in joined.box.airbase_log.entries("GET") if "erp_reference_id" not in entry.query])
        assert lists <= 2 * (900 // 250 + 2)


def test_a_record_created_under_another_key_is_never_created_again(any_store: str, monkeypatch: Any) -> None:
    """Without the guard on keys, a supplier whose number ends in a blank would be created by every run."""

    def unchecked(*_: Any) -> None:
        return None

    monkeypatch.setattr("ml_connector.systems.ifs.translate._check_keys", unchecked)
    with rig(any_store, rigs.generous(suppliers=0, orders=0)) as joined:
        joined.box.world.insert(
            "SupplierInfoGeneralSet", {"SupplierId": "ZZ1 ", "Name": "Blank", "PartyType": "Supplier"}
        )
        terms = {"Company": "10", "Identity": "ZZ1 ", "PartyType": "Supplier", "DefCurrency": "EUR", "PayTermId": "30"}
        joined.box.world.insert("IdentityInvoiceInfoSet", terms)
        for _ in range(3):
            joined.try_run()
        assert len(joined.box.airbase_rows("vendors")) == 1
