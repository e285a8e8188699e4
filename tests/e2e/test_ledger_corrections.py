"""Corrections: what was posted follows its document, by an update in the hold table or by reversal and repost."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import DOCUMENTS, Kind, LedgerRig, ledger_rig
from rig import NAME, sqlite_url

from ml_connector import wiring
from ml_connector.errors import SettingsError
from ml_connector.settings import Gate
from ml_connector.sync.report import Report

ODATA: tuple[Kind, ...] = ("external", "manual")
ALL: tuple[Kind, ...] = (*ODATA, "file")
LATE: dict[str, Any] = {"requests": 6, "payments": 6, "closed_period": 1.0}
FIRST_OPEN = date(2025, 7, 1)


def posted(joined: LedgerRig, flow: str, at: int = 0) -> str:
    """A document that should be in the ledger."""
    return sorted(key for key, one in joined.wanted(flow).items() if one.state == "posted")[at]


def amend(joined: LedgerRig, flow: str, key: str, amount: str) -> None:
    joined.edit("amend", flow, key, amount=amount)


def references(joined: LedgerRig, key: str) -> list[str]:
    """The vouchers of a document, as R1, 2 and so on."""
    return [f"{'R' if one.reversal else ''}{one.number}" for one in ledger.ours(joined.box).get(key, [])]


def standing(joined: LedgerRig, key: str) -> ledger.Standing:
    return next(one for one in reversed(ledger.ours(joined.box)[key]) if not one.reversal)


def assert_right(joined: LedgerRig) -> None:
    """Everything stands as it should, and nothing is left to do."""
    for flow in joined.flows:
        rigs.assert_stands(joined, flow)
    rigs.assert_chained(joined)
    rigs.assert_quiet(joined)
    rigs.assert_quiet(joined, census=True)


@pytest.mark.parametrize("landing", ODATA)
def test_amended_while_in_hold_the_voucher_is_updated_in_place(tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=4, payments=4)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, landing=landing) as joined:
        joined.run()
        request, payment = posted(joined, "purchase_requests"), posted(joined, "payments")
        before = {key: standing(joined, key).id for key in (request, payment)}
        amend(joined, "purchase_requests", request, "4321")
        amend(joined, "payments", payment, "777")
        done = joined.run()
        assert [done[flow].corrected for flow in DOCUMENTS] == [1, 1]
        assert {key: standing(joined, key).id for key in before} == before
        assert references(joined, request) == references(joined, payment) == ["1"]
        assert_right(joined)
        assert_both_versions_in_the_journal(joined, request)


def assert_both_versions_in_the_journal(joined: LedgerRig, key: str) -> None:
    told = wiring.journal(joined.store, NAME)
    assert not told.verify().broken
    bodies = [str(entry.body) for entry in told.timeline("purchase_requests", key) if entry.kind == "intended"]
    assert len(bodies) == 2
    row = ledger.documents(joined.box, "purchase_requests")[key]
    assert "4321" in bodies[1], row
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize("landing", ALL)
def test_amended_in_the_ledger_it_is_reversed_and_posted_anew(tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=4, payments=4)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, landing=landing) as joined:
        joined.done()
        joined.post_in_ifs()
        kept = rigs.in_ledger(joined)
        request, payment = posted(joined, "purchase_requests"), posted(joined, "payments")
        for version, amount in (("2", "4321"), ("3", "12")):
            amend(joined, "purchase_requests", request, amount)
            amend(joined, "payments", payment, amount)
            joined.done()
            assert rigs.in_ledger(joined) >= kept
            assert references(joined, request)[-1] == references(joined, payment)[-1] == version
            assert_right(joined)
            joined.post_in_ifs()
            kept = rigs.in_ledger(joined)
        assert sorted(references(joined, request)) == ["1", "2", "3", "R1", "R2"]
        assert joined.links("purchase_requests")[request].target_id == standing(joined, request).id
        assert_right(joined)


@pytest.mark.parametrize("place", ["hold", "ledger"])
@pytest.mark.parametrize("landing", ALL)
def test_reversed_and_denied_documents_leave_nothing_standing(tmp_path: Path, landing: Kind, place: str) -> None:
    options = rigs.plain_world(requests=4, payments=4)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, landing=landing) as joined:
        joined.done()
        request, payment = posted(joined, "purchase_requests"), posted(joined, "payments")
        if place == "ledger":
            joined.post_in_ifs()
        joined.edit("deny", "purchase_requests", request)
        joined.edit("reverse", "payments", payment)
        joined.done()
        assert not ledger.net(ledger.ours(joined.box)[request])
        assert not ledger.net(ledger.ours(joined.box)[payment])
        assert_right(joined)
        joined.edit("approve", "purchase_requests", request)
        joined.edit("update", "payments", payment, status="settled")
        joined.done()
        assert references(joined, request)[-1] == references(joined, payment)[-1] == "2"
        assert_right(joined)


def test_what_changes_no_voucher_corrects_nothing(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=4, payments=4), tmp_path) as joined:
        joined.run()
        before = joined.box.vouchers()
        for key in ledger.documents(joined.box, "purchase_requests"):
            joined.edit("update", "purchase_requests", key, requester={"name": "Cy", "email": "cy@example.test"})
        for key in joined.links("payments"):
            joined.edit("update", "payments", key, po_number="APO-9")
        done = joined.run()
        assert joined.box.vouchers() == before
        assert [done[flow].corrected for flow in DOCUMENTS] == [0, 0]


def test_other_rules_rewrite_nothing_that_is_posted(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=8), tmp_path) as joined:
        joined.run()
        before, linked = joined.box.vouchers(), joined.links("purchase_requests")
        for key in linked:
            joined.edit("update", "purchase_requests", key, status="archived")
        rules = [{**one, "account": "6540"} if one["account"] == "given" else one for one in rigs.LINES]
        joined.connect(rigs.posting(account=rules))
        for census in (False, True):
            done = joined.run(census=census)["purchase_requests"]
            assert joined.box.vouchers() == before
            assert (done.posted, done.corrected, done.held) == (0, 0, 0)


@pytest.mark.parametrize("landing", ALL)
def test_a_correction_waits_for_its_period(tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=3, payments=3, from_date="2026-02-03", to_date="2026-02-20")
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, landing=landing) as joined:
        joined.done()
        joined.post_in_ifs()
        key = posted(joined, "purchase_requests")
        company = standing(joined, key).voucher["company"]
        joined.box.ledger.set_period(company, 2026, 2, "Closed")
        amend(joined, "purchase_requests", key, "99")
        before = joined.box.vouchers()
        joined.done()
        assert joined.box.vouchers() == before
        assert joined.held("purchase_requests")[key].held.cause == "period_closed"
        assert f"period 2026-02 is closed in company {company}" in joined.held("purchase_requests")[key].held.sentence
        joined.box.ledger.set_period(company, 2026, 2, "Open")
        joined.done()
        assert joined.held("purchase_requests") == {}
        assert_right(joined)


@pytest.mark.parametrize("landing", ALL)
def test_late_documents_go_to_the_next_open_period(tmp_path: Path, landing: Kind) -> None:
    options, rules = rigs.plain_world(**LATE), rigs.posting(closed_period="next_open")
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules, landing=landing) as joined:
        done = joined.done()
        due = {
            flow: {k for k, one in joined.wanted(flow).items() if one.causes == frozenset({"period"})}
            for flow in DOCUMENTS
        }
        assert all(due.values())
        for flow in DOCUMENTS:
            assert joined.links(flow).keys() == due[flow]
            assert done[flow].late == len(due[flow]) or landing == "file"
            for key in due[flow]:
                assert_late(joined, flow, key)
        rigs.assert_quiet(joined)
        joined.post_in_ifs()
        rigs.assert_quiet(joined, census=True)
        with rigs.joined_again(joined, sqlite_url(tmp_path / "vouchers")) as other:
            again = other.run()
            assert {flow: again[flow].adopted for flow in DOCUMENTS} == {flow: len(due[flow]) for flow in DOCUMENTS}


def assert_late(joined: LedgerRig, flow: str, key: str) -> None:
    (one,) = ledger.ours(joined.box)[key]
    own_day = joined.wanted(flow)[key].on
    assert one.voucher["date"] == FIRST_OPEN
    assert (one.voucher["year"], one.voucher["period"]) == (2025, 7)
    assert f"(dated {own_day.isoformat()})" in one.voucher["text"]
    assert ledger.net([one]) == ledger.net_rows(joined.wanted(flow)[key].rows.elements())


def test_a_late_document_is_amended_and_withdrawn_like_any_other(tmp_path: Path) -> None:
    options, rules = rigs.plain_world(**LATE), rigs.posting(closed_period="next_open")
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules) as joined:
        joined.run()
        held, ledgered, undone = sorted(joined.links("payments"))[:3]
        keys = [key_of(standing(joined, key)) for key in (ledgered, undone)]
        joined.box.ledger.approve(keys=keys)  # what nobody let through yet is amended in place
        joined.box.ledger.update_gl(keys=keys)
        for key in (held, ledgered):
            amend(joined, "payments", key, "50")
        joined.edit("reverse", "payments", undone)
        joined.run()
        assert_late(joined, "payments", held)
        assert references(joined, ledgered) == ["1", "R1", "2"]
        wanted = joined.wanted("payments")[ledgered]
        assert ledger.net(ledger.ours(joined.box)[ledgered]) == ledger.net_rows(wanted.rows.elements())
        assert not ledger.net(ledger.ours(joined.box)[undone])
        assert all(one.voucher["date"] >= FIRST_OPEN for one in ledger.ours(joined.box)[ledgered])
        rigs.assert_chained(joined)
        rigs.assert_quiet(joined)


def key_of(one: ledger.Standing) -> tuple[Any, ...]:
    voucher = one.voucher
    return voucher["company"], voucher["type"], Decimal(voucher["year"]), Decimal(voucher["no"])


def test_late_postings_wait_for_somebody_else(tmp_path: Path) -> None:
    """Who makes is not who checks."""
    rules = rigs.posting(closed_period="next_open", late_needs_approval=True)
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(**LATE), tmp_path, rules, two_persons=True) as joined:
        before = joined.box.vouchers()
        stopped = joined.run()
        plans = tuple(stopped[flow].plan_id for flow in DOCUMENTS)
        assert [stopped[flow].state for flow in DOCUMENTS] == ["blocked", "blocked"]
        assert "later than their own date" in stopped["payments"].objections[0]
        with pytest.raises(SettingsError, match="nobody approves what they run themselves"):
            joined.run(approve=plans)
        approve(joined, "clerk", plans)
        assert run_as(joined, "clerk")["payments"].state == "blocked"
        assert joined.box.vouchers() == before
        done = run_as(joined, "controller")
        assert [done[flow].state for flow in DOCUMENTS] == ["done", "done"]
        assert sum(done[flow].posted for flow in DOCUMENTS) == len(joined.box.vouchers()) - len(before) > 0


def test_one_person_may_approve_where_that_is_enough(tmp_path: Path) -> None:
    rules = rigs.posting(closed_period="next_open", late_needs_approval=True)
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(**LATE), tmp_path, rules) as joined:
        stopped = joined.run()
        plans = tuple(stopped[flow].plan_id for flow in DOCUMENTS)
        done = joined.run(approve=plans)
        assert [done[flow].state for flow in DOCUMENTS] == ["done", "done"]
        assert joined.run()["payments"].state == "done"


def approve(joined: LedgerRig, person: str, plans: tuple[str, ...]) -> None:
    other = wiring.Joined(joined.store, NAME, person=person)
    try:
        for plan in plans:
            other.approve(plan)
    finally:
        other.close()


def run_as(joined: LedgerRig, person: str) -> dict[str, Report]:
    both = wiring.Joined(joined.store, NAME, person=person)
    try:
        pairs = list(both.run(()))
    finally:
        both.close()
    assert not [error for _, error in pairs if error]
    return {report.flow: report for report, _ in pairs}


def test_many_corrections_wait_for_approval(tmp_path: Path) -> None:
    """A source that suddenly says something else about everything is not believed unasked."""
    own = {"suppliers": Gate(1.0, 1.0)}
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=60), tmp_path, gate=own) as joined:
        joined.run()
        for key in joined.links("purchase_requests"):
            amend(joined, "purchase_requests", key, "1.00")
        before = joined.box.vouchers()
        stopped = joined.run()["purchase_requests"]
        assert stopped.state == "blocked"
        assert joined.box.vouchers() == before
        assert joined.run(approve=(stopped.plan_id,))["purchase_requests"].corrected == len(
            joined.links("purchase_requests")
        )
        assert_right(joined)


def test_a_posted_document_that_airbase_lost_is_shown_to_a_person(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=4, payments=4), tmp_path) as joined:
        joined.run()
        key = posted(joined, "payments")
        row = ledger.documents(joined.box, "payments")[key]
        before = joined.box.vouchers()
        joined.edit("delete", "payments", key)
        joined.run(census=True)
        assert joined.box.vouchers() == before
        assert joined.held("payments")[key].held.cause == "gone_from_source"
        joined.edit("create", "payments", key, **row)
        joined.run(census=True)
        assert joined.held("payments") == {}
        assert joined.box.vouchers() == before


def test_a_voucher_of_ours_that_we_did_not_post_is_not_touched(tmp_path: Path) -> None:
    """Somebody changed it in the hold table, and the store was lost."""
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=4, payments=4), tmp_path) as joined:
        joined.run()
        key = posted(joined, "payments")
        one = standing(joined, key)
        joined.box.world.update("HoldVoucherSet", key_of(one), {"VoucherDate": date(2026, 7, 15)})
        joined.post_in_ifs()
        before = joined.box.vouchers()
        (tmp_path / "new").mkdir()
        with rigs.joined_again(joined, sqlite_url(tmp_path / "new")) as other:
            other.run()
            assert other.box.vouchers() == before
            assert {k: held.held.cause for k, held in other.held("payments").items()} == {key: "posted_otherwise"}


def test_a_document_amended_into_a_hold_before_its_file_is_loaded_stays_ours(tmp_path: Path) -> None:
    """The file is loaded as it was handed over; the correction waits, and follows once it may."""
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4), tmp_path, landing="file") as joined:
        joined.run()
        key = posted(joined, "payments")
        amend(joined, "payments", key, "99000000")
        joined.load_files()
        joined.run()  # links it as it was handed over
        for _ in range(3):
            joined.run()
            assert joined.held("payments")[key].held.cause == "over_limit"
        amend(joined, "payments", key, "12")
        joined.done()
        assert joined.held("payments") == {}
        assert_right(joined)
