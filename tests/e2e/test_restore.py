"""Last night's backup beside live systems: the next run settles by look-ups, and nothing is there twice."""

import sqlite3
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import expected
import expected_ledger as ledger
import ledger_rig as rigs
import ledger_story as story
import pytest
import rig as plain_rigs
import test_supplier_invoices as invoices
import test_terms as terms
from ledger_rig import LANDINGS, Kind, LedgerRig, ledger_rig
from rig import NAME, Rig, rig, sqlite_url
from sqlalchemy import select, update

from ml_connector import wiring
from ml_connector.errors import ConnectorError, StoppedError
from ml_connector.records.voucher import Voucher
from ml_connector.settings import Installation, Invoices
from ml_connector.store import schema
from ml_connector.store.approvals import Approvals
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.runs import Runs
from ml_connector.sync.ports import Change
from ml_connector.wiring import keeping

FLOWS = ("purchase_requests", "payments")


def back_up(joined: Rig, folder: Path) -> Path:
    keeping.back_up(joined.store, folder / "night.db")
    return folder / "night.db"


@contextmanager
def restored(joined: Any, folder: Path, url: str = "") -> Generator[Any]:
    """The same live systems with a store as it was at the backup."""
    url = url or f"sqlite:///{folder / 'restored.db'}"
    installation = Installation(store=url, key_file=folder / "store.key")
    keeping.restore(installation, folder / "night.db")
    with closing(wiring.open_store(installation)) as store:
        yield replace(joined, store=store, url=url)


def few(**options: Any) -> Any:
    return rigs.plain_world(requests=5, payments=6, cards=0.0, expense_reports=0.0, **options)


def keys_of(joined: LedgerRig, flow: str) -> list[str]:
    return sorted(joined.links(flow))


def anew(joined: LedgerRig, flow: str, turn: int) -> None:
    """One more document, like the first one."""
    rows = ledger.documents(joined.box, flow)
    again = {name: value for name, value in rows[min(rows)].items() if name not in ("id", "airbase_id")}
    joined.edit("create", flow, "", **{**again, "number": f"N-{turn}"})


def as_before(joined: LedgerRig, flow: str, row: dict[str, Any]) -> None:
    """A document says again what it said at first."""
    fields = {name: value for name, value in row.items() if name not in ("id", "airbase_id")}
    joined.edit("update", flow, row["id"], **fields)


def go_on(joined: LedgerRig) -> None:
    """A day after the backup: documents are posted, amended in hold and in the ledger, withdrawn and back again."""
    known = {flow: keys_of(joined, flow) or sorted(joined.held(flow)) for flow in FLOWS}
    for flow in FLOWS:
        joined.edit("amend", flow, known[flow][0], amount="41")
        anew(joined, flow, 1)
    joined.settle()
    joined.post_in_ifs()
    withdrawn, back = {"purchase_requests": "denied", "payments": "reversed"}, ("approved", "settled")
    for at, flow in enumerate(FLOWS):
        keys = known[flow]
        for key in keys[:2]:
            joined.edit("amend", flow, key, amount="52")
        for key in keys[2:4]:
            joined.edit("update", flow, key, status=withdrawn[flow])
        joined.settle()
        joined.edit("update", flow, keys[3], status=back[at])
        anew(joined, flow, 2)
    joined.settle()


def assert_settled(joined: LedgerRig) -> None:
    """Nothing is missing, nothing is there twice, nothing waits, nothing is left to do."""
    for flow in FLOWS:
        assert joined.held(flow) == {}
        rigs.assert_stands(joined, flow)
    assert_totals(joined)
    rigs.assert_chained(joined)
    rigs.assert_quiet(joined)
    rigs.assert_quiet(joined, census=True)
    assert wiring.journal(joined.store, NAME).verify().broken == ()


def assert_totals(joined: LedgerRig) -> None:
    """Every account comes to what it should, period by period; what was withdrawn comes to nothing."""
    wanted = [one for flow in FLOWS for one in joined.wanted(flow).values()]
    there = {place: sums for place, sums in ledger.totals_there(joined.box).items() if any(sums)}
    assert there == {place: sums for place, sums in ledger.totals_wanted(wanted, joined.books()).items() if any(sums)}


@pytest.mark.parametrize("landing", LANDINGS)
def test_what_was_done_since_is_not_done_twice_and_what_was_not_is_done_once(tmp_path: Path, landing: Kind) -> None:
    with ledger_rig(sqlite_url(tmp_path), few(), tmp_path, landing=landing) as joined:
        joined.settle()
        back_up(joined, tmp_path)
        known = {flow: keys_of(joined, flow) for flow in FLOWS}
        first = {flow: ledger.documents(joined.box, flow)[known[flow][1]] for flow in FLOWS}
        go_on(joined)
        before = joined.box.vouchers(), joined.box.airbase_log.writes, joined.box.ifs_log.writes
        with restored(joined, tmp_path) as again:
            again.settle()
            assert (again.box.vouchers(), again.box.airbase_log.writes, again.box.ifs_log.writes) == before
            assert_settled(again)
        (tmp_path / "restored.db").unlink()
        for flow in FLOWS:  # corrected since the backup, and due once more: one to what it was at the backup
            joined.edit("amend", flow, known[flow][0], amount="63")
            as_before(joined, flow, first[flow])
            anew(joined, flow, 3)
        joined.post_in_ifs()
        count = counted(joined)
        with restored(joined, tmp_path) as again:
            again.settle()
            grown = counted(again) - count
            amended = {key for flow in FLOWS for key in known[flow][:2]}
            assert {grown.pop(key) for key in amended} == {2}  # the reversal and what takes its place
            assert sorted(grown.values()) == [1, 1]
            assert_settled(again)


def counted(joined: LedgerRig) -> Counter[str]:
    """How many vouchers there are of each document."""
    return Counter({key: len(several) for key, several in ledger.ours(joined.box).items()})


def test_posted_since_and_changed_since_is_shown_to_a_person(tmp_path: Path) -> None:
    """No memory says that it was posted by us: it is neither posted again nor touched."""
    with ledger_rig(sqlite_url(tmp_path), few(), tmp_path) as joined:
        joined.run()
        back_up(joined, tmp_path)
        anew(joined, "payments", 1)
        joined.run()
        (key,) = joined.links("payments").keys() - in_backup(tmp_path, "SELECT key FROM links")
        row = ledger.documents(joined.box, "payments")[key]
        joined.edit("amend", "payments", key, amount="74")
        with restored(joined, tmp_path) as again:
            before = again.box.vouchers()
            again.run()
            assert again.box.vouchers() == before
            assert {key: one.held.cause for key, one in again.held("payments").items()} == {key: "posted_otherwise"}
            again.edit(
                "update", "payments", key, **{name: row[name] for name in row if name not in ("id", "airbase_id")}
            )
            again.run()
            assert_settled(again)


def in_backup(folder: Path, query: str) -> set[str]:
    """What the backup knows."""
    with closing(sqlite3.connect(folder / "night.db")) as file:
        return {key for (key,) in file.execute(query)}


def test_other_rules_since_then_rewrite_nothing(tmp_path: Path) -> None:
    """What stands as agreed stands, even if today's rules would post it otherwise."""
    with ledger_rig(sqlite_url(tmp_path), few(), tmp_path) as joined:
        joined.run()
        joined.post_in_ifs()
        joined.connect(rigs.posting(accounts={**rigs.ACCOUNTS, "accrual": "2440", "payable": "2990"}))
        joined.run()
        back_up(joined, tmp_path)
        with restored(joined, tmp_path) as again:
            before = again.box.vouchers()
            again.run()
            assert again.box.vouchers() == before
            assert [again.held(flow) for flow in FLOWS] == [{}, {}]
            rigs.assert_quiet(again, census=True)


@pytest.mark.parametrize(("landing", "sent"), [("external", True), ("manual", False)])
def test_a_change_without_an_answer_at_the_time_of_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bool, landing: Kind
) -> None:
    """It happened or not; by the time of the restore it did, and was corrected since."""
    with ledger_rig(sqlite_url(tmp_path), few(), tmp_path, landing=landing) as joined:
        monkeypatch.setattr(FlowStore, "intend", _backing_up(joined, tmp_path, sent=sent))
        joined.try_run()
        monkeypatch.undo()
        assert in_backup(tmp_path, "SELECT key FROM changes WHERE state = 'intended' AND flow = 'payments'")
        joined.settle()
        go_on(joined)
        before = joined.box.vouchers()
        with restored(joined, tmp_path) as again:
            again.settle()
            assert again.box.vouchers() == before
            assert_settled(again)


def _backing_up(joined: LedgerRig, folder: Path, *, sent: bool) -> Any:
    intend = FlowStore.intend

    def intended(self: FlowStore, run_id: str, changes: Sequence[Change]) -> None:
        intend(self, run_id, changes)
        if any(change.entry.decision.after.__class__ is Voucher for change in changes):
            keeping.back_up(joined.store, folder / "night.db", replace=True)
            if not sent:
                raise StoppedError("before anything was sent")

    return intended


def test_files_in_flight_at_the_time_of_the_backup(tmp_path: Path) -> None:
    """Handed over then, loaded and corrected since; or never loaded at all."""
    with ledger_rig(sqlite_url(tmp_path), few(), tmp_path, landing="file") as joined:
        joined.run()
        waiting = joined.held("payments").keys()
        back_up(joined, tmp_path)
        with restored(joined, tmp_path) as early:
            early.run()
            assert early.held("payments").keys() == waiting
            rigs.assert_quiet(early)
        (tmp_path / "restored.db").unlink()
        joined.settle()
        go_on(joined)
        before = joined.box.vouchers()
        with restored(joined, tmp_path) as again:
            again.settle()
            assert again.box.vouchers() == before
            assert_settled(again)


def test_suppliers_and_orders_changed_since(tmp_path: Path, postgres_store: str) -> None:
    """From an SQLite store into one on a server."""
    with rig(sqlite_url(tmp_path)) as joined:
        joined.run()
        back_up(joined, tmp_path)
        linked = {row["erp_reference_id"] for row in joined.box.airbase_rows("vendors")}
        renamed, gone = sorted(linked)[:2]
        joined.box.world.update("SupplierInfoGeneralSet", renamed, {"Name": "Renamed"})
        joined.box.world.clock.advance(10)
        joined.run()
        vendor = next(row for row in joined.box.airbase_rows("vendors") if row["erp_reference_id"] == gone)
        joined.box.world.update("SupplierInfoGeneralSet", gone, {"Name": "Again"})
        supplier = {"SupplierId": "ZZ1", "Name": "New", "PartyType": "Supplier"}
        joined.box.world.insert("SupplierInfoGeneralSet", supplier)
        terms = {"Company": "10", "Identity": "ZZ1", "PartyType": "Supplier", "DefCurrency": "EUR", "PayTermId": "30"}
        joined.box.world.insert("IdentityInvoiceInfoSet", terms)
        joined.box.world.clock.advance(10)
        joined.run()
        with restored(joined, tmp_path, postgres_store) as again:
            before = again.writes()
            again.run()
            assert again.writes() == before
            assert vendor["id"] in {row["id"] for row in again.box.airbase_rows("vendors")}
            expected.assert_agree(again.box, again.today())
            again.box.world.update("SupplierInfoGeneralSet", renamed, {"Name": "Once more"})
            again.box.world.clock.advance(10)
            assert again.run()["suppliers"].updated == 1
            expected.assert_agree(again.box, again.today())


def test_suppliers_made_of_vendors_are_not_made_again(tmp_path: Path) -> None:
    options = plain_rigs.generous(suppliers=5, orders=0)
    with rig(sqlite_url(tmp_path), options, new_vendors="create") as joined:
        joined.box.airbase.edit({"op": "create", "kind": "vendors", "fields": {"name": "Early", "country": "SE"}})
        joined.run()
        back_up(joined, tmp_path)
        joined.box.airbase.edit({"op": "create", "kind": "vendors", "fields": {"name": "Late", "country": "SE"}})
        joined.run()
        joined.run(census=True)
        written = joined.box.ifs_log.writes, joined.box.airbase_log.writes
        with restored(joined, tmp_path) as again:
            for _ in range(2):
                done = again.run().values()
                assert {(report.state, report.held, report.refused) for report in done} == {("done", 0, 0)}
            assert (again.box.ifs_log.writes, again.box.airbase_log.writes) == written


def test_an_approval_does_not_come_back(tmp_path: Path) -> None:
    """It was used since, for all that the backup knows."""
    with rig(sqlite_url(tmp_path)) as joined:
        connection_id = joined.store.connections.get(NAME).id
        Approvals(joined.store.database, joined.store.vault, connection_id).give("cafe", "me")
        back_up(joined, tmp_path)
        with restored(joined, tmp_path) as again:
            assert Approvals(again.store.database, again.store.vault, connection_id).given() == []


def test_a_backup_taken_in_the_middle_of_a_run_is_usable(tmp_path: Path, any_store: str) -> None:
    """Taken again and again between any two steps of a run; each settles what the run went on to do."""
    with ledger_rig(any_store, few(), tmp_path) as joined:
        taken: list[Path] = []

        def take(_flow: str, _stage: str, _done: int) -> None:
            taken.append(tmp_path / f"{len(taken)}.db")
            keeping.back_up(joined.store, taken[-1])

        with wiring.joined(joined.store, NAME) as both:
            assert not [error for _, error in both.run((), watch=take) if error]
        before = joined.box.vouchers()
        for file in taken[1 :: max(1, len(taken) // 3)]:
            file.rename(tmp_path / "night.db")
            (tmp_path / "restored.db").unlink(missing_ok=True)
            with restored(joined, tmp_path) as again:
                again.settle()
                assert again.box.vouchers() == before
                assert_totals(again)
                died = Runs(again.store.database, again.store.vault, 1).recent(100)
                assert all(run.state != "running" for run in died)
                rigs.assert_quiet(again)


def test_the_journal_tells_of_it(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path)) as joined:
        joined.run()
        back_up(joined, tmp_path)
        with restored(joined, tmp_path) as again:
            with again.store.database.read() as connection:
                query = select(schema.journal.c.facts).where(schema.journal.c.kind == "restored")
                (facts,) = connection.execute(query).scalars()
            assert '"made_at":"20' in facts
            assert wiring.journal(again.store, NAME).verify().sound


def test_nothing_is_restored_over_anything(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path)) as joined:
        back_up(joined, tmp_path)
        with joined.store.database.write() as connection:
            connection.execute(update(schema.connections).values(settings="{}"))
        installation = Installation(store=joined.url, key_file=tmp_path / "store.key")
        with pytest.raises(ConnectorError, match="not empty"):
            keeping.restore(installation, tmp_path / "night.db")
        assert joined.store.connections.get(NAME).settings == {}


def test_entries_posted_and_told_since(tmp_path: Path) -> None:
    """What follows links waits until they are certain again, and says nothing twice."""
    options = story.few(entries=True)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, story.rules_of(options)) as joined:
        joined.settle()
        back_up(joined, tmp_path)
        for step in (1, 2):
            story.edit(joined, step)
            joined.settle()
        joined.run(census=True)  # tells what Airbase put back into its queue
        written = joined.written()
        with restored(joined, tmp_path) as again:
            again.run("acknowledgements")  # before its time
            again.settle()
            assert again.written() == written
            story.assert_ended_well(again)


def test_payment_terms_agreed_since(tmp_path: Path) -> None:
    with terms.joined_terms(tmp_path, "hold", suppliers=6) as joined:
        terms.run(joined)
        back_up(joined, tmp_path)
        for key, companies in sorted(terms.agreements(joined).items())[:3]:
            for company in companies:
                terms.set_ifs(joined, key, company, "60")
        terms.run(joined)
        before = terms.writes(joined), terms.agreements(joined), terms.vendors(joined)
        held = terms.held(joined)
        with restored(joined, tmp_path) as again:
            for _ in range(2):
                terms.run(again)
            assert (terms.writes(again), terms.agreements(again), terms.vendors(again)) == before
            assert terms.held(again) == held


def test_invoices_proposed_and_decided_since(tmp_path: Path) -> None:
    with invoices.entering(tmp_path, invoices=Invoices(entered_in="airbase", status=True)) as joined:
        joined.run()
        back_up(joined, tmp_path)
        invoices.bill(joined, 50)
        first, second = sorted(invoices.bills(joined))[:2]
        invoices.edit(joined, "update", first, status="paid")
        invoices.edit(joined, "update", second, status="denied")
        joined.run()
        before, held = invoices.digest(joined), invoices.held(joined)
        with restored(joined, tmp_path) as again:
            for _ in range(2):
                again.run()
                assert (invoices.digest(again), invoices.held(again)) == (before, held)
