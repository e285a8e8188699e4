"""Held documents release themselves once the cause is gone, each exactly once."""

from datetime import date
from pathlib import Path

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import Kind, LedgerRig, ledger_rig
from rig import sqlite_url


def causes(joined: LedgerRig, flow: str) -> set[str]:
    return {one.held.cause for one in joined.held(flow).values()}


def assert_all_posted_once(joined: LedgerRig) -> None:
    """Nothing waits, everything that is due stands, and one more run writes nothing."""
    for flow in joined.flows:
        wanted = joined.wanted(flow)
        assert {one.state for one in wanted.values()} <= {"posted", "not_due"}
        rigs.assert_rows(wanted, ledger.ours(joined.box))
        assert joined.held(flow) == {}
    rigs.assert_quiet(joined)
    rigs.assert_quiet(joined, census=True)


@pytest.mark.parametrize(("any_store", "landing"), rigs.STORES_AND_LANDINGS, indirect=["any_store"])
def test_a_period_is_opened(any_store: str, tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=8, payments=8, closed_period=0.5)
    with ledger_rig(any_store, options, tmp_path, landing=landing) as joined:
        joined.done()
        assert causes(joined, "payments") == causes(joined, "purchase_requests") == {"period_closed"}
        first = {one.held.sentence for one in joined.held("payments").values()}
        assert any(sentence.startswith("Voucher held: period 2025-05 is closed in company 10") for sentence in first)
        joined.done()
        for company in ("10", "20"):
            joined.box.ledger.set_period(company, 2025, 5, "Open")
        joined.done()
        assert_all_posted_once(joined)


def test_a_period_that_is_closed_again_holds_nothing_that_is_posted(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=6, payments=6), tmp_path) as joined:
        joined.run()
        for company in ("10", "20"):
            for month in range(1, 13):
                joined.box.ledger.set_period(company, 2026, month, "Closed")
        rigs.assert_quiet(joined)
        rigs.assert_quiet(joined, census=True)
        assert joined.held("payments") == {}


def test_an_account_is_mapped(any_store: str, tmp_path: Path) -> None:
    rules = rigs.posting(account=[one for one in rigs.LINES if one["category"] not in ("Rent", "Staff")])
    with ledger_rig(any_store, rigs.plain_world(requests=30, payments=5), tmp_path, rules) as joined:
        joined.run()
        held = joined.held("purchase_requests")
        assert causes(joined, "purchase_requests") == {"account_not_mapped"}
        assert all("[[posting.account]]" in one.held.remedy for one in held.values())
        posted = joined.links("purchase_requests").keys()
        joined.connect(rigs.posting())
        done = joined.run()["purchase_requests"]
        assert done.posted == len(held)
        assert joined.links("purchase_requests").keys() == posted | held.keys()
        assert_all_posted_once(joined)


def test_a_category_gets_its_rule_where_there_was_none(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=12, payments=0, missing_category=1.0)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        assert causes(joined, "purchase_requests") == {"account_not_mapped"}
        joined.connect(rigs.posting(account=[*rigs.LINES, {"account": "given"}]))
        joined.run()
        assert_all_posted_once(joined)


def test_a_supplier_is_active_again(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=8, payments=8), tmp_path) as joined:
        rows = joined.box.world.rows("IdentityInvoiceInfoSet")
        keys = ("Company", "Identity", "PartyType")
        for row in rows:
            where = {name: row[name] for name in keys}
            joined.box.world.update("IdentityInvoiceInfoSet", where, {"ExpireDate": date(2024, 1, 31)})
        joined.run()
        assert causes(joined, "payments") == causes(joined, "purchase_requests") == {"supplier_not_active"}
        assert not joined.links("payments")
        for row in rows:
            where = {name: row[name] for name in keys}
            joined.box.world.update("IdentityInvoiceInfoSet", where, {"ExpireDate": None})
        joined.run()
        assert_all_posted_once(joined)


def test_an_account_is_valid_again(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=4, payments=6), tmp_path) as joined:
        for company in ("10", "20"):
            world = joined.box.world
            world.update("Reference_Account", (company, "1930"), {"ValidUntil": date(2025, 12, 31)})
        joined.run()
        assert causes(joined, "payments") == {"account_not_valid"}
        for company in ("10", "20"):
            world.update("Reference_Account", (company, "1930"), {"ValidUntil": date(2049, 12, 31)})
        joined.run()
        assert_all_posted_once(joined)


def test_a_subsidiary_is_mapped_in_airbase(tmp_path: Path) -> None:
    """The document itself is put right."""
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=0, payments=6), tmp_path) as joined:
        key = next(iter(joined.wanted("payments")))
        right = ledger.documents(joined.box, "payments")[key]["subsidiary"]
        joined.edit("update", "payments", key, subsidiary={"erp_reference_id": "SUB-99", "name": "Elsewhere"})
        joined.run()
        assert causes(joined, "payments") == {"subsidiary_not_mapped"}
        joined.edit("update", "payments", key, subsidiary=right)
        joined.run()
        assert_all_posted_once(joined)


def test_a_file_waits_until_somebody_loads_it(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=5, payments=5), tmp_path, landing="file") as joined:
        for _ in range(3):
            joined.run()
            assert causes(joined, "payments") == causes(joined, "purchase_requests") == {"handed_over"}
        names = [path.name for path in joined.folder.glob("*.txt")]
        assert len(names) == len(set(names)) <= 4  # one for each flow and company
        due = sum(one.state == "posted" for flow in joined.flows for one in joined.wanted(flow).values())
        assert joined.load_files() == due
        joined.run()
        assert_all_posted_once(joined)
