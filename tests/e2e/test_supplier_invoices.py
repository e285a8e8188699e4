"""Bills entered in Airbase: each approved one is a supplier invoice of IFS once, and nothing there is ever changed."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rig as rigs
from rig import NAME, Rig, sqlite_url

from ml_connector import wiring
from ml_connector.errors import ConnectorError, SettingsError
from ml_connector.sandbox.faults import Fault
from ml_connector.settings import Invoices
from ml_connector.sync.report import Report
from ml_connector.wiring import checking

FLOW = "supplier_invoices"
INVOICES = "ManSuppInvoiceSet"
ON = Invoices(entered_in="airbase")
COUNT = 7
Row = dict[str, Any]


@contextmanager
def entering(folder: Path, **settings: Any) -> Generator[Rig]:
    """A connection whose bills are entered in Airbase, with some that are approved."""
    with rigs.rig(sqlite_url(folder), rigs.generous(invoices=30), **{"invoices": ON, **settings}) as joined:
        for number in range(COUNT):
            bill(joined, number)
        yield joined


def bill(joined: Rig, number: int, **fields: Any) -> str:
    """A bill in Airbase; its id."""
    row = joined.box.world.rows("SupplierInfoGeneralSet")[number % 5]
    vendor = {"id": "v", "airbase_id": "v", "name": row["Name"], "erp_reference_id": row["SupplierId"]}
    given: Row = {
        "status": "approved",
        "vendor": vendor,
        "subsidiary": {"erp_reference_id": "SUB-20" if number % 2 else "SUB-10", "name": "One"},
        "currency": {"iso_code": "KWD" if number % 3 else "JPY"},
        "total_amount": f"{100 + number}.125" if number % 3 else str(100 + number),
        "invoice_number": f"AB-{number:04d}",
        "invoice_date": "2026-03-04T00:00:00",
        "due_date": "2026-04-03T00:00:00",
        "po_number": None,
        **fields,
    }
    return str(edit(joined, "create", **given)["id"])


def edit(joined: Rig, op: str, key: str = "", **fields: Any) -> Row:
    given = {"id": key} if key else {}
    row: Row = joined.box.airbase.edit({"op": op, "kind": "bills", **given, "fields": fields})["row"]
    return row


def bills(joined: Rig) -> dict[str, Row]:
    return {row["id"]: row for row in joined.box.airbase_rows("bills")}


def proposed(joined: Rig) -> dict[str, list[Row]]:
    """The invoices of IFS that carry a bill's id, by that."""
    found: dict[str, list[Row]] = {}
    for row in joined.box.world.rows(INVOICES):
        if row["Cf_Airbase_Id"]:
            found.setdefault(row["Cf_Airbase_Id"], []).append(row)
    return found


def enter(joined: Rig, one: Row, **columns: Any) -> Row:
    """A person enters a bill in IFS."""
    row = {
        "Company": one["subsidiary"]["erp_reference_id"].removeprefix("SUB-"),
        "Identity": one["vendor"]["erp_reference_id"],
        "InvoiceNo": one["invoice_number"].lower().replace("-", " "),
        "InvoiceDate": rigs.date(2026, 3, 5),
        "Currency": one["currency"]["iso_code"],
        "GrossCurrAmount": Decimal(one["total_amount"]),
        **columns,
    }
    return joined.box.world.insert(INVOICES, row)


def set_in_ifs(joined: Rig, row: Row, **columns: Any) -> None:
    joined.box.world.update(INVOICES, {name: row[name] for name in ("Company", "InvoiceId")}, columns)


def run(joined: Rig) -> Report:
    return joined.run(FLOW)[FLOW]


def held(joined: Rig) -> dict[str, str]:
    opened = wiring.exceptions(joined.store, NAME).open(1000)
    return {one.key: one.held.cause for one in opened if one.flow == FLOW}


def digest(joined: Rig) -> str:
    return joined.box.world.digest()


def assert_as_in_airbase(joined: Rig, keys: set[str]) -> None:
    """Each of these bills is one invoice, with its values."""
    there, said = proposed(joined), bills(joined)
    assert there.keys() == keys
    for key, (*others, row) in there.items():
        one = said[key]
        assert others == []
        assert (row["Identity"], row["InvoiceNo"]) == (one["vendor"]["erp_reference_id"], one["invoice_number"])
        assert f"SUB-{row['Company']}" == one["subsidiary"]["erp_reference_id"]
        assert (row["Currency"], row["GrossCurrAmount"]) == (one["currency"]["iso_code"], Decimal(one["total_amount"]))
        assert (str(row["InvoiceDate"]), str(row["DueDate"])) == (one["invoice_date"][:10], one["due_date"][:10])
        assert row["Objstate"] == "Preliminary"


def test_it_is_off_unless_bills_are_entered_in_airbase(tmp_path: Path) -> None:
    with entering(tmp_path, invoices=Invoices(status=True)) as joined:
        before = digest(joined)
        with wiring.joined(joined.store, NAME) as both:
            assert FLOW not in both.flows
            with pytest.raises(SettingsError, match="entered_in"):
                both.chosen([FLOW])
        joined.try_run()
        assert digest(joined) == before


def test_each_approved_bill_is_proposed_once(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        keys = set(bills(joined))
        waiting = bill(joined, 90, status="created")
        assert joined.plan(FLOW)[FLOW].created == COUNT
        assert proposed(joined) == {}
        report = run(joined)
        assert (report.created, report.not_due, report.held) == (COUNT, 1, 0)
        assert_as_in_airbase(joined, keys)
        before = digest(joined)
        again = run(joined)
        assert (again.created, again.updated, again.held) == (0, 0, 0)
        census = joined.run(FLOW, census=True)[FLOW]
        assert (census.created, census.updated, census.held) == (0, 0, 0)
        assert digest(joined) == before
        edit(joined, "approve", waiting)
        assert run(joined).created == 1
        assert_as_in_airbase(joined, {*keys, waiting})
        assert held(joined) == {}


def test_a_lost_store_makes_no_invoice_twice(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        run(joined)
        before = digest(joined)
        (tmp_path / "again").mkdir()
        with rigs.closing(rigs.open_store(sqlite_url(tmp_path / "again"))) as store:
            secrets = wiring.Secrets("sandbox-secret", "sandbox-token")
            wiring.connect(store, NAME, rigs.connection(joined.box, invoices=ON), secrets)
            report = run(Rig(joined.box, store, ""))
        assert (report.adopted, report.created, report.updated) == (COUNT, 0, 0)
        assert digest(joined) == before


@pytest.mark.parametrize("kind", ["reset_after", "truncated", "html", "reset_before"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_lost_answer_makes_no_invoice_twice(tmp_path: Path, kind: Any, count: int) -> None:
    with entering(tmp_path) as joined:
        joined.box.faults.add(Fault(kind, site="ifs", method="POST", path="/int", count=count))
        report = run(joined)
        assert (report.created, report.uncertain) == (COUNT, 0)
        assert_as_in_airbase(joined, set(bills(joined)))
        assert held(joined) == {}


def test_a_run_that_ends_without_an_answer_is_looked_up_by_the_next(tmp_path: Path) -> None:
    recovered = 0
    for reads in range(3, 9):  # how far the first run gets
        (folder := tmp_path / str(reads)).mkdir()
        with entering(folder) as joined:
            lost = Fault("reset_after", site="ifs", method="POST", path="/int", after=2, count=1)
            joined.box.faults.add(lost)
            joined.box.faults.add(
                Fault("status", site="ifs", method="GET", path="/int", after=reads, options={"status": 403})
            )
            with suppress(ConnectorError):
                run(joined)
            joined.box.faults.clear()
            recovered += run(joined).recovered
            assert_as_in_airbase(joined, set(bills(joined)))
            assert held(joined) == {}
    assert recovered


def test_what_was_entered_by_hand_is_not_entered_again(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        same, dearer, *others = sorted(bills(joined))
        enter(joined, bills(joined)[same])
        there = enter(joined, bills(joined)[dearer], GrossCurrAmount=Decimal(999))
        assert joined.plan(FLOW)[FLOW].adopted == 1
        report = run(joined)
        assert (report.adopted, report.created, report.refused) == (1, len(others), 1)
        assert_as_in_airbase(joined, set(others))
        assert held(joined) == {dearer: "invoice_entered_already"}
        run(joined)
        assert held(joined) == {dearer: "invoice_entered_already"}
        set_in_ifs(joined, there, GrossCurrAmount=Decimal(bills(joined)[dearer]["total_amount"]))
        before = digest(joined)
        run(joined)
        assert held(joined) == {}
        run(joined)
        joined.run(FLOW, census=True)
        assert digest(joined) == before
        assert held(joined) == {}


def test_a_bill_that_is_there_twice_is_one_invoice(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        first = sorted(bills(joined))[0]
        enter(joined, bills(joined)[first])
        run(joined)
        number = int(bills(joined)[first]["invoice_number"].removeprefix("AB-"))
        second = bill(joined, number)
        other = next(key for key, row in bills(joined).items() if row["invoice_number"] == f"AB-{number ^ 1:04d}")
        third = bill(joined, number ^ 1)
        before = digest(joined)
        run(joined)
        assert held(joined) == {second: "invoice_entered_already", third: "invoice_entered_already"}
        assert digest(joined) == before
        assert other in proposed(joined)
        edit(joined, "deny", second)
        edit(joined, "deny", third)
        run(joined)
        assert held(joined) == {}


def test_a_bill_that_is_amended_is_for_a_person(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        run(joined)
        key = sorted(bills(joined))[0]
        edit(joined, "amend", key, amount="555")
        edit(joined, "update", sorted(bills(joined))[1], description="Said in other words", due_date=None)
        before = digest(joined)
        for _ in range(2):
            run(joined)
            assert held(joined) == {key: "invoice_differs"}
        assert digest(joined) == before
        set_in_ifs(joined, proposed(joined)[key][0], GrossCurrAmount=Decimal(555))
        assert run(joined).held == 0
        assert held(joined) == {}
        edit(joined, "amend", key, amount="556")
        run(joined)
        assert held(joined) == {key: "invoice_differs"}
        edit(joined, "amend", key, amount="555")
        run(joined)
        assert held(joined) == {}


@pytest.mark.parametrize("op", ["deny", "archive", "delete"])
def test_a_bill_that_is_withdrawn_is_for_a_person_until_its_invoice_is_cancelled(tmp_path: Path, op: str) -> None:
    with entering(tmp_path) as joined:
        by_hand, key = sorted(bills(joined))[:2]
        own = enter(joined, bills(joined)[by_hand])
        run(joined)
        for one in (by_hand, key):
            if op == "delete":
                joined.box.airbase.edit({"op": "delete", "kind": "bills", "id": one})
            else:
                edit(joined, "update", one, status="denied" if op == "deny" else "archived")
        before = digest(joined)
        for _ in range(2):
            report = run(joined)
            assert report.objections == ()
            assert held(joined) == {by_hand: "invoice_withdrawn", key: "invoice_withdrawn"}
        assert digest(joined) == before
        set_in_ifs(joined, own, Objstate="Cancelled")
        set_in_ifs(joined, proposed(joined)[key][0], Objstate="Cancelled")
        before = digest(joined)
        run(joined)
        assert held(joined) == {}
        run(joined)
        joined.run(FLOW, census=True)
        assert held(joined) == {}
        assert digest(joined) == before


def test_a_bill_that_is_approved_again_has_its_invoice_again_or_waits(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        run(joined)
        first, second = sorted(bills(joined))[:2]
        for key in (first, second):
            edit(joined, "deny", key)
        run(joined)
        set_in_ifs(joined, proposed(joined)[second][0], Objstate="Cancelled")
        run(joined)
        assert held(joined) == {first: "invoice_withdrawn"}
        for key in (first, second):
            edit(joined, "approve", key)
        before = digest(joined)
        run(joined)
        assert held(joined) == {second: "invoice_cancelled"}
        assert digest(joined) == before


def test_what_lacks_something_waits_and_follows_by_itself(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        others = set(bills(joined))
        known = bills(joined)[min(others)]["vendor"]
        lacking = {
            bill(joined, 50, vendor={**known, "erp_reference_id": None}): "vendor_without_supplier",
            bill(joined, 51, vendor=None): "vendor_without_supplier",
            bill(joined, 52, subsidiary={"erp_reference_id": "SUB-99", "name": "Nine"}): "subsidiary_not_mapped",
            bill(joined, 53, invoice_number=None): "invoice_number_missing",
            bill(joined, 54, invoice_date=None): "date_missing",
            bill(joined, 55, total_amount="-5"): "amount_not_positive",
            bill(joined, 56, total_amount="5.1234"): "too_precise",
            bill(joined, 57, status="mystery"): "unknown_status",
            bill(joined, 58, vendor={**known, "erp_reference_id": "NOBODY"}): "refused_by_ifs",
            bill(joined, 59, total_amount="five"): "unreadable",
        }
        run(joined)
        assert held(joined) == lacking
        assert_as_in_airbase(joined, others)
        for at, key in enumerate(lacking):
            whole = bills(joined)[min(others)]
            fields = {
                name: whole[name] for name in ("vendor", "subsidiary", "currency", "total_amount", "invoice_date")
            }
            edit(joined, "update", key, **fields, status="approved", invoice_number=f"Z{at}")
        run(joined)
        assert held(joined) == {}
        assert_as_in_airbase(joined, others | lacking.keys())


def test_check_demands_the_custom_field_only_where_it_is_used(tmp_path: Path) -> None:
    with entering(tmp_path) as joined:
        joined.box.ifs.options.missing_properties = ("ManSuppInvoiceEntity.Cf_Airbase_Id",)
        with wiring.joined(joined.store, NAME) as both:
            failed = [step for step in checking.systems(both) if not step.ok]
        assert [step.name for step in failed] == ["IFS names of supplier invoices"]
        assert "Cf_Airbase_Id" in failed[0].result
        run(joined)
        assert set(held(joined).values()) == {"field_missing_in_ifs"}
        assert proposed(joined) == {}


def test_check_asks_for_bills(tmp_path: Path) -> None:
    with entering(tmp_path) as joined, wiring.joined(joined.store, NAME) as both:
        assert [step.name for step in checking.systems(both) if not step.ok] == []
        assert any("bills" in step.name for step in checking.systems(both))
