"""A tie-out of a sandbox and a connector: each document is counted once, by what became of it, whatever that was."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import DOCUMENTS, LedgerRig, ledger_rig
from rig import NAME, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Figure, Kind, Line, State, TieOut, Timing
from ml_connector.errors import BusyError, SettingsError
from ml_connector.flows import FLOWS
from ml_connector.records.money import total
from ml_connector.sandbox.posting import tamper
from ml_connector.settings import Gate, Web
from ml_connector.sync.outcome import Held
from ml_connector.sync.ports import Noted
from ml_connector.sync.report import Report
from ml_connector.wiring.both_sides import Reading
from ml_connector.wiring.comparing import tie_out

MONTHS = ("2026-02", "2026-03")
DAYS: dict[str, Any] = {"from_date": "2026-02-02", "to_date": "2026-03-20"}
FEBRUARY: dict[str, Any] = {"from_date": "2026-02-02", "to_date": "2026-02-20"}
LATE: dict[str, Any] = {"requests": 6, "payments": 6, "closed_period": 1.0}
CLOSED, OPEN = "2025-05", "2025-07"
WITH_REFERENCE = {"serie": 40, "reference": 41}  # columns of a voucher file


def tied(joined: Any, period: str) -> tuple[TieOut, list[Line]]:
    """A tie-out, and all its lines."""
    told: list[Line] = []
    with wiring.joined(joined.store, NAME) as both:
        return tie_out(both, period, each=told.append), told


def line_of(lines: Sequence[Line], key: str) -> Line:
    (found,) = [line for line in lines if line.key == key]
    return found


def posted(joined: LedgerRig, flow: str, period: str = "") -> str:
    """A posted document, of a month."""
    rows = ledger.documents(joined.box, flow)
    on = "paid_at" if flow == "payments" else "approved_at"
    return next(key for key in sorted(joined.links(flow)) if str(rows[key][on]).startswith(period))


@pytest.mark.parametrize(
    ("any_store", "entries"),
    [("sqlite", False), ("sqlite", True), ("postgresql", True)],
    indirect=["any_store"],
)
def test_each_document_is_counted_once_by_what_became_of_it(any_store: str, tmp_path: Path, entries: bool) -> None:
    counts: dict[str, Any] = {"entries": 50} if entries else {"requests": 30, "payments": 30, "fees": 0.5}
    options = rigs.world(**counts, **DAYS)
    rules = rigs.entries_posting() if entries else rigs.posting()
    with ledger_rig(any_store, options, tmp_path, rules) as joined:
        wanted = Counter(one.state for flow in joined.flows for one in joined.wanted(flow).values())
        joined.run()
        joined.box.ledger.approve("10")
        joined.box.ledger.update_gl("10")
        before = joined.written()
        states: Counter[str] = Counter()
        seen: set[str] = set()
        for period in (*MONTHS, CLOSED):
            found, told = tied(joined, period)
            assert found.ties, found.differences
            fresh = [line for line in told if line.key not in seen]
            seen.update(line.key for line in fresh)
            states.update(line.state for line in fresh)
            assert {line.place for line in told if line.company == "10"} <= {"ledger", ""}
            assert_sound(found, told)
        assert joined.written() == before
        assert states == wanted


def assert_sound(found: TieOut, told: Sequence[Line]) -> None:
    """Totals are the sums of the lines, and the two sides come to the same."""
    for one in found.totals:
        mine = [line for line in told if (line.company, line.currency) == (one.company, one.currency) and line.state]
        assert one.read == Figure(len(mine), total(line.amount for line in mine))
        should = total((one.posted.amount, one.already_there.amount, one.earlier.amount))
        assert should == total((one.ledger.amount, one.hold.amount, one.later.amount))
    assert all(line.reason for line in (*found.timing, *found.waiting))


def test_what_is_posted_late_or_corrected_later_is_timing(tmp_path: Path) -> None:
    options, rules = rigs.plain_world(**LATE), rigs.posting(closed_period="next_open")
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules) as joined:
        joined.run()
        joined.post_in_ifs()
        corrected, withdrawn = sorted(joined.links("payments"))[:2]
        joined.edit("amend", "payments", corrected, amount="50")
        joined.edit("reverse", "payments", withdrawn)
        joined.run()
        own, told = tied(joined, CLOSED)
        assert own.ties, own.differences
        assert {line.timing for line in own.timing} == {Timing.LATER}
        assert line_of(told, corrected).later == Figure(1, Decimal(50))
        assert line_of(told, withdrawn).state == State.NOT_DUE
        other, told = tied(joined, OPEN)
        assert other.ties, other.differences
        assert {line.timing for line in other.timing} == {Timing.EARLIER}
        line = line_of(told, corrected)
        assert (line.state, line.ledger.count, line.hold.count, line.earlier.amount) == ("", 0, 1, Decimal(50))
        assert all(total((one.read.amount,)) == 0 for one in other.totals if one.company != "?")


def test_a_correction_in_a_later_period_leaves_the_first_one_as_it_was_closed(tmp_path: Path) -> None:
    rules = rigs.posting(closed_period="next_open")
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=4, **FEBRUARY), tmp_path, rules) as joined:
        joined.run()
        joined.post_in_ifs()
        key = posted(joined, "purchase_requests")
        before = line_of(tied(joined, "2026-02")[1], key)
        for company in ("10", "20"):
            joined.box.ledger.set_period(company, 2026, 2, "Closed")
        joined.edit("amend", "purchase_requests", key, amount="4321")
        joined.run()
        february, told = tied(joined, "2026-02")
        line = line_of(told, key)
        assert february.ties, february.differences
        assert (line.timing, line.ledger, line.amount) == (Timing.LATER, Figure(0, before.amount), Decimal(4321))
        march, told = tied(joined, "2026-03")
        assert march.ties, march.differences
        assert line_of(told, key).earlier == Figure(1, total((Decimal(4321), before.amount.copy_negate())))


def test_what_waits_is_told_with_why_and_what_to_do(tmp_path: Path) -> None:
    options, rules = rigs.plain_world(**LATE), rigs.posting(closed_period="next_open", late_needs_approval=True)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules) as joined:
        stopped = joined.run()
        found, _ = tied(joined, CLOSED)
        assert found.ties
        assert {line.state for line in found.waiting} == {State.TO_COME}
        assert all("gate" in line.reason and "approve" in line.remedy for line in found.waiting)
        joined.run(approve=tuple(stopped[flow].plan_id for flow in DOCUMENTS))
        joined.connect(rigs.posting(closed_period="hold"))
        assert tied(joined, CLOSED)[0].waiting == ()


def test_what_ifs_refused_before_is_told_as_refused(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=3, **FEBRUARY), tmp_path) as joined:
        joined.run("suppliers")
        key, *_ = sorted(ledger.documents(joined.box, "payments"))
        said = Held("refused_by_ifs", "IFS refused it: the year is not open.", "Open the year in IFS.")
        with closing(wiring.Joined(joined.store, NAME)) as both:
            store = both.store(FLOWS["payments"])
            run_id = store.begin("run")
            store.note(run_id, [Noted(key, held=said)])
            store.finish(run_id, "done", Report("payments"))
        found, told = tied(joined, "2026-02")
        assert Counter(line.state for line in told) == {State.REFUSED: 1, State.TO_COME: 2}
        line = line_of(found.waiting, key)
        assert (line.state, line.reason, line.remedy) == (State.REFUSED, said.sentence, said.remedy)


def test_what_is_in_a_file_waits_until_it_is_loaded(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4, **FEBRUARY), tmp_path, landing="file") as joined:
        joined.run()
        handed = {line.key: line for line in tied(joined, "2026-02")[0].waiting}
        assert len(handed) == 4
        assert {line.state for line in handed.values()} == {State.HELD}
        assert all("Load the file" in line.remedy for line in handed.values())
        joined.load_files()
        before_the_run = tied(joined, "2026-02")[1]
        assert {line.state for line in before_the_run if line.key in handed} == {State.POSTED}
        joined.run()
        assert tied(joined, "2026-02")[0].ties


def test_a_double_of_what_came_by_file_is_found_by_its_text(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4, **FEBRUARY), tmp_path, landing="file") as joined:
        joined.run()
        joined.load_files()
        joined.run()
        key, (one,) = next(iter(sorted(ledger.ours(joined.box).items())))
        place = tuple(one.voucher[name] for name in ("company", "type", "year", "no"))
        double = tamper.stray(joined.box.world, place, key)
        joined.box.world.update("HoldVoucherSet", double, {"ReferenceSerie": "AIRBASE"})
        (line,) = tied(joined, "2026-02")[0].differences
        assert (line.key, line.difference) == (key, Kind.DUPLICATE)


def test_what_was_posted_before_vouchers_came_by_file_counts_beside_what_came_by_file(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4, **FEBRUARY), tmp_path) as joined:
        joined.run()
        joined.landing = "file"
        joined.connect()
        assert tied(joined, "2026-02")[0].ties
        key, (one,) = next(iter(sorted(ledger.ours(joined.box).items())))
        place = tuple(one.voucher[name] for name in ("company", "type", "year", "no"))
        double = tamper.stray(joined.box.world, place, key)
        as_by_file = {"VoucherText": f"{key} Paid", "ReferenceSerie": "", "ReferenceNumber": ""}
        joined.box.world.update("HoldVoucherSet", double, as_by_file)
        (line,) = tied(joined, "2026-02")[0].differences
        assert (line.key, line.difference) == (key, Kind.DUPLICATE)


def test_a_file_that_lands_while_both_sides_are_read_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, rules = rigs.plain_world(payments=4, **FEBRUARY), rigs.posting(landing={"layout": WITH_REFERENCE})
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules, landing="file") as joined:
        joined.run()
        joined.load_files()
        joined.run()
        key = posted(joined, "payments")
        joined.edit("amend", "payments", key, amount="4321")
        joined.run()
        read = Reading._read  # pyright: ignore[reportPrivateUsage]

        def landing_after(reading: Reading) -> None:
            read(reading)
            joined.load_files()

        monkeypatch.setattr(Reading, "_read", landing_after)
        found, told = tied(joined, "2026-02")
        assert found.ties, found.differences
        assert line_of(told, key).ifs_amount == Decimal(4321)


def test_what_was_posted_under_earlier_rules_stands(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=5, payments=5, **DAYS), tmp_path) as joined:
        joined.run()
        accounts = {**rigs.ACCOUNTS, "accrual": "2440"}
        joined.connect(rigs.posting(accounts=accounts, account=[{"account": "9999"}]))
        assert all(tied(joined, period)[0].ties for period in MONTHS)


def test_changes_that_are_not_posted_yet_are_differences(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=9, payments=9, **DAYS), tmp_path) as joined:
        joined.run()
        joined.post_in_ifs()
        amended, moved, gone, denied = (
            *list(joined.links("payments"))[:3],
            posted(joined, "purchase_requests"),
        )
        rows = ledger.documents(joined.box, "payments")
        months = {key: str(rows[key]["paid_at"])[:7] for key in (amended, moved, gone)}
        months[denied] = str(ledger.documents(joined.box, "purchase_requests")[denied]["approved_at"])[:7]
        joined.edit("amend", "payments", amended, amount="1.00")
        joined.edit("update", "payments", moved, paid_at="2026-12-24T00:00:00")
        joined.edit("delete", "payments", gone)
        joined.edit("deny", "purchase_requests", denied)
        told = {period: tied(joined, period) for period in (*MONTHS, "2026-12")}
        kinds = {(line.key, period): line for period, (found, _) in told.items() for line in found.differences}
        assert {place: line.difference for place, line in kinds.items()} == {
            (amended, months[amended]): Kind.CHANGED,
            (moved, months[moved]): Kind.CHANGED,
            (moved, "2026-12"): Kind.CHANGED,
            (gone, months[gone]): Kind.EXTRA,
            (denied, months[denied]): Kind.CHANGED,
        }
        assert (
            "no longer lists it" in kinds[gone, months[gone]].reason or "not list" in kinds[gone, months[gone]].reason
        )
        assert kinds[gone, months[gone]].remedy
        joined.run(census=True)
        again = [line for period in (*MONTHS, "2026-12") for line in tied(joined, period)[0].differences]
        assert [line.key for line in again] == [gone]


def test_a_correction_that_has_to_wait_says_why(tmp_path: Path) -> None:
    own = {"suppliers": Gate(1.0, 1.0)}
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=3, **FEBRUARY), tmp_path, gate=own) as joined:
        joined.run()
        joined.post_in_ifs()
        for company in ("10", "20"):
            joined.box.ledger.set_period(company, 2026, 2, "Closed")
        key = posted(joined, "purchase_requests")
        joined.edit("amend", "purchase_requests", key, amount="4321")
        (line,) = tied(joined, "2026-02")[0].differences
        assert (line.key, line.difference, line.state, line.amount) == (key, Kind.CHANGED, State.POSTED, Decimal(4321))
        assert "period 2026-02 is closed" in line.reason
        assert "Open the period" in line.remedy


def test_with_the_store_lost_what_is_there_is_already_there(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=5, payments=5, **DAYS), tmp_path) as joined:
        joined.run()
        (tmp_path / "new").mkdir()
        with rigs.joined_again(joined, sqlite_url(tmp_path / "new")) as other:
            other.run("suppliers")
            found = [tied(other, period) for period in MONTHS]
            assert all(one.ties for one, _ in found)
            assert {line.state for _, told in found for line in told} == {State.THERE}


def test_what_is_held_once_the_store_is_lost_says_that_only_amounts_were_compared(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=3, **FEBRUARY), tmp_path) as joined:
        joined.run()
        assert not any("only the amounts" in one for one in tied(joined, "2026-02")[0].assumed)
        (tmp_path / "new").mkdir()
        with rigs.joined_again(joined, sqlite_url(tmp_path / "new")) as other:
            other.connect(rigs.posting(account=[]))
            found, told = tied(other, "2026-02")
            assert {(line.state, line.difference) for line in told} == {(State.THERE, "")}
            assert all("only its amount was compared" in line.reason for line in told)
            assert found.assumed[-1].startswith(f"of {len(told)} that are held only the amounts were compared")


def test_what_belongs_to_no_company_or_period_still_counts(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4, **FEBRUARY), tmp_path) as joined:
        first, second, third, _ = sorted(ledger.documents(joined.box, "payments"))
        joined.edit("update", "payments", first, subsidiary={"erp_reference_id": "SUB-99"})
        joined.edit("update", "payments", second, paid_at=None)
        joined.edit("update", "payments", third, paid_at="2199-01-01T00:00:00")
        joined.run()
        for period, keys in (("2026-02", {first, second, third}), ("2026-03", {second, third})):
            found, told = tied(joined, period)
            assert {line.key for line in told if line.company == "?"} == keys
            assert found.ties
            assert sum(one.read.count for one in found.totals if one.company == "?") == len(keys)


def test_addresses_come_from_the_document_and_the_profile(tmp_path: Path) -> None:
    web = Web(ifs={"payments": "https://ifs.example/voucher?id={target_id}"})
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=3, **FEBRUARY), tmp_path, web=web) as joined:
        joined.run()
        told = [line for line in tied(joined, "2026-02")[1] if line.place]
        assert len(told) == 3
        quoted = {f"https://ifs.example/voucher?id={line.target_id.replace('/', '%2F')}" for line in told}
        assert {line.ifs_url for line in told} == quoted


def test_a_period_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=1), tmp_path) as joined:
        with pytest.raises(SettingsError, match="no accounting period 2026-19; there are: 2026-01, 2026-02"):
            tied(joined, "2026-19")
        with pytest.raises(SettingsError, match="no accounting period next month; there are: "):
            tied(joined, "next month")
        assert tied(joined, " 2026-2 ")[0].period == "2026-02"
        found = tied(joined, "2026-02")[0]
        assert (found.from_on, found.until_on, found.connection) == ("2026-02-01", "2026-02-28", NAME)
        assert_refused_while_it_runs(joined)


def assert_refused_while_it_runs(joined: LedgerRig) -> None:
    with (
        closing(wiring.Joined(joined.store, NAME)) as both,
        both.store(FLOWS["payments"]).turn(),
        pytest.raises(BusyError),
    ):
        tied(joined, "2026-02")


def test_master_data_is_counted_and_digested_on_both_sides(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=20, orders=10)) as joined:
        joined.run()
        found, told = tied(joined, "2026-10")
        assert (found.totals, told, found.ties) == ((), [], True)
        mirrors = {one.flow: one for one in found.mirrors}
        suppliers, orders = mirrors["suppliers"], mirrors["purchase_orders"]
        assert suppliers.source == 20
        assert suppliers.equal == suppliers.target > 10
        assert suppliers.source_digest == suppliers.target_digest != orders.source_digest
        assert (suppliers.differing, suppliers.missing, suppliers.extra) == (0, 0, 0)
        renamed, lost = [row for row in joined.box.airbase_rows("vendors") if row["is_active"]][:2]
        joined.box.airbase.edit({"op": "update", "kind": "vendors", "id": renamed["id"], "fields": {"name": "Else"}})
        joined.box.airbase.edit({"op": "delete", "kind": "vendors", "id": lost["id"]})
        after = tied(joined, "2026-10")[0].mirrors[0]
        assert (after.equal, after.target) == (suppliers.equal - 2, suppliers.target - 1)
        assert after.source_digest != after.target_digest
        differ = {line.key: line for line in after.differences}
        assert {key: line.difference for key, line in differ.items()} == {
            renamed["erp_reference_id"]: Kind.CHANGED,
            lost["erp_reference_id"]: Kind.MISSING,
        }
        assert differ[renamed["erp_reference_id"]].reason == "It differs in name."
        assert (after.missing, after.differing, after.held) == (1, 1, suppliers.held)
