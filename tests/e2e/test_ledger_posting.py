"""The ledger's proof: every document comes to one end, and every sum is right to the last digit."""

import sys
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import DOCUMENTS, LANDINGS, Kind, LedgerRig, ledger_rig
from rig import sqlite_url

from ml_connector.sandbox.airbase.options import SpendOptions

ODD: dict[str, Any] = {"no_account": 0.01, "no_bank_account": 0.02, "doubled": 0.02}
CAUSES = {
    "account",
    "account_validity",
    "code_part",
    "currency",
    "limit",
    "negative",
    "period",
    "precision",
    "rate",
    "subsidiary",
    "supplier",
    "zero",
}


def spoil(joined: LedgerRig) -> None:
    """What no seed makes: documents of a subsidiary that nobody mapped, and of no currency."""
    keys = sorted(ledger.documents(joined.box, "payments"))
    for key in keys[:3]:
        joined.edit("update", "payments", key, subsidiary={"erp_reference_id": "SUB-99", "name": "Elsewhere"})
    for key in keys[3:5]:
        joined.edit("update", "payments", key, currency={"iso_code": "XQZ"}, exchange_rate=None)


def assert_posted(joined: LedgerRig, reports: dict[str, Any], flows: tuple[str, ...] = DOCUMENTS) -> None:
    for flow in flows:
        rigs.assert_accounted(joined, flow, reports[flow])
    rigs.assert_totals(joined, flows)
    ledger.assert_balanced(joined.box)


@pytest.mark.parametrize(("any_store", "landing"), rigs.STORES_AND_LANDINGS, indirect=["any_store"])
def test_each_document_is_posted_or_held_or_not_due(any_store: str, tmp_path: Path, landing: Kind) -> None:
    options = rigs.world(requests=300, payments=1000, **ODD)
    with ledger_rig(any_store, options, tmp_path, landing=landing) as joined:
        spoil(joined)
        reports = joined.done()
        assert_posted(joined, reports)
        seen = {rigs.group_of(one.held.cause) for flow in DOCUMENTS for one in joined.held(flow).values()}
        assert seen == CAUSES
        assert sum(reports[flow].warned for flow in DOCUMENTS) > 0 or landing == "file"  # doubles were read before
        rigs.assert_quiet(joined)
        assert joined.post_in_ifs() == sum(len(several) for several in ledger.ours(joined.box).values())
        rigs.assert_quiet(joined)
        assert_posted(joined, rigs.assert_quiet(joined, census=True))


@pytest.mark.parametrize(("any_store", "landing"), rigs.STORES_AND_LANDINGS, indirect=["any_store"])
def test_each_ledger_entry_is_posted_and_airbase_is_told(any_store: str, tmp_path: Path, landing: Kind) -> None:
    options = rigs.world(entries=400, **ODD)
    with ledger_rig(any_store, options, tmp_path, rigs.entries_posting(), landing) as joined:
        wanted = joined.wanted("ledger_entries")  # before Airbase is told, as that changes what is due
        reports = joined.done()
        there = ledger.ours(joined.box)
        rigs.assert_rows(wanted, there)
        rigs.assert_grouped(joined.held("ledger_entries"), wanted)
        assert joined.held("ledger_entries").keys() == {key for key, one in wanted.items() if one.state == "held"}
        assert reports["ledger_entries"].read == len(wanted)
        assert "type" in {rigs.group_of(one.held.cause) for one in joined.held("ledger_entries").values()}
        rigs.assert_acknowledged(joined)
        rigs.assert_quiet(joined)
        joined.post_in_ifs()
        rigs.assert_quiet(joined, census=True)
        rigs.assert_acknowledged(joined)


@pytest.mark.parametrize("landing", LANDINGS)
def test_what_is_in_the_ledger_already_is_linked_not_doubled(tmp_path: Path, landing: Kind) -> None:
    """The store is lost, IFS is not."""
    with ledger_rig(sqlite_url(tmp_path), rigs.world(requests=40, payments=120), tmp_path, landing=landing) as joined:
        joined.done()
        joined.box.ledger.approve("10")
        joined.box.ledger.update_gl("10")
        posted = {flow: joined.links(flow).keys() for flow in DOCUMENTS}
        before = joined.box.vouchers()
        (tmp_path / "new").mkdir()
        with rigs.joined_again(joined, sqlite_url(tmp_path / "new")) as other:
            reports = other.run()
            assert other.box.vouchers() == before
            assert {flow: other.links(flow).keys() for flow in DOCUMENTS} == posted
            assert {flow: reports[flow].adopted for flow in DOCUMENTS} == {
                flow: len(posted[flow]) for flow in DOCUMENTS
            }
            assert_posted(other, reports)
            rigs.assert_quiet(other)


def test_a_plan_says_what_the_run_then_does_and_posts_nothing(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.world(requests=60, payments=200), tmp_path) as joined:
        before = joined.written(), joined.box.vouchers()
        planned = joined.plan()
        assert (joined.written(), joined.box.vouchers()) == before
        done = joined.run()
        for flow in DOCUMENTS:
            assert (planned[flow].posted, planned[flow].held) == (done[flow].posted, done[flow].held)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("requests", "payments"), [(500, 2000), pytest.param(5000, 20_000, marks=pytest.mark.thorough)]
)
def test_a_manufacturers_year(tmp_path: Path, record_property: Any, requests: int, payments: int) -> None:
    """Many requests and payments."""
    options = rigs.world(suppliers=400, requests=requests, payments=payments, vendor_count=300, **ODD)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        spoil(joined)
        reports = joined.run()
        assert_posted(joined, reports)
        second = rigs.assert_quiet(joined)
        joined.box.ledger.approve("10")
        assert joined.box.ledger.update_gl("10") > requests
        rigs.assert_quiet(joined, census=True)
        rigs.assert_totals(joined, DOCUMENTS)
        seconds = {flow: (round(reports[flow].seconds), round(second[flow].seconds)) for flow in DOCUMENTS}
        record_property("seconds", str(seconds))
        sys.stderr.write(f"\nledger: seconds first, second {seconds}, {reports['payments'].requests}\n")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ledger_entries_of_all_types(tmp_path: Path) -> None:
    """800 of them, with the rules that come with the connector."""
    options = rigs.world(suppliers=200, entries=800, **ODD)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rigs.entries_posting()) as joined:
        wanted = joined.wanted("ledger_entries")
        joined.run()
        rigs.assert_rows(wanted, ledger.ours(joined.box))
        rigs.assert_acknowledged(joined)
        assert ledger.totals_there(joined.box) == ledger.totals_wanted(wanted.values(), joined.books())
        rigs.assert_quiet(joined)
        joined.post_in_ifs()
        rigs.assert_quiet(joined, census=True)


def test_the_expectation_itself_is_not_trivial() -> None:
    """The made-up world has what the proof is about: currencies, periods, code parts, oddities of all kinds."""
    options = rigs.world(requests=300, payments=1000, **ODD)
    assert isinstance(options.airbase.spend, SpendOptions)
    assert {"EUR", "JPY", "KWD"} <= set(options.airbase.spend.currencies)
