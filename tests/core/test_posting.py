"""The decision on a document, case by case and as laws."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records import codec
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync import causes
from ml_connector.sync.outcome import Held, Mapped, Trace
from ml_connector.sync.plan import Action, Decision, Found, Link, Tally
from ml_connector.sync.posting import decide_document, decide_doubted, decide_handed, stands

DAY = date(2026, 9, 15)


def voucher(amount: int) -> Voucher:
    rows = (
        VoucherRow("6110", "USD", Decimal(amount), Decimal(amount)),
        VoucherRow("2990", "USD", Decimal(-amount), Decimal(-amount)),
    )
    return Voucher("10", DAY, "PR-1", rows)


GONE = Voucher("10", DAY, "PR-1")


def link(record: Voucher, *, active: bool = True, sure: bool = True, origin: str = "o1") -> Link:
    return Link("k", "10/X/2026/1", codec.digest(record) if sure else "", active, record, None, origin)


def found(record: Voucher, *, pending: bool = False) -> Found:
    return Found("k", "10/X/2026/1", record, pending)


CASES = [
    ("new and due", Mapped(voucher(5)), None, None, Action.CREATE),
    ("new, not approved", Mapped(voucher(5), due=False), None, None, Action.NOT_DUE),
    ("new, denied", Mapped(GONE, active=False), None, None, Action.NOT_DUE),
    ("there and equal, not ours yet", Mapped(voucher(5)), None, found(voucher(5)), Action.ADOPT),
    ("there and different, not ours", Mapped(voucher(5)), None, found(voucher(6)), Action.HELD),
    ("handed over, not loaded", Mapped(voucher(5)), None, found(voucher(5), pending=True), Action.HELD),
    ("posted, same value", Mapped(voucher(5)), link(voucher(5)), None, Action.RELINK),
    ("posted, edited in the hold table by a person", Mapped(voucher(5)), link(voucher(5)), found(voucher(9)), "relink"),
    ("posted, amended", Mapped(voucher(7)), link(voucher(5)), None, Action.UPDATE),
    ("posted, denied since", Mapped(GONE, active=False), link(voucher(5)), None, Action.DEACTIVATE),
    ("reversed and still denied", Mapped(GONE, active=False), link(voucher(5), active=False), None, Action.RELINK),
    ("reversed, approved again", Mapped(voucher(5)), link(GONE, active=False), None, Action.UPDATE),
    ("in doubt, and it is there", Mapped(voucher(7)), link(voucher(5), sure=False), found(voucher(7)), Action.RELINK),
    ("in doubt, and it is not", Mapped(voucher(7)), link(voucher(5), sure=False), found(voucher(5)), Action.UPDATE),
    ("in doubt, not asked", Mapped(voucher(7)), link(voucher(5), sure=False), None, Action.UPDATE),
    ("stands", None, link(voucher(5)), None, Action.UNCHANGED),
    ("never there", None, None, None, Action.NOT_DUE),
    ("idle and unknown", Held("c", "s", "r", idle=True), None, None, Action.NOT_DUE),
    ("idle but posted", Held("c", "s", "r", idle=True), link(voucher(5)), None, Action.HELD),
]


@pytest.mark.parametrize(("_name", "mapped", "linked", "there", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_table(
    _name: str, mapped: Mapped[Voucher] | Held | None, linked: Link | None, there: Found | None, expected: Action
) -> None:
    if isinstance(mapped, Mapped):
        mapped = msgspec.structs.replace(mapped, wake_on=DAY)
    decision = decide_document("k", mapped, linked, there)
    assert decision.action == expected
    assert bool(decision.held) == (decision.action is Action.HELD)
    if isinstance(mapped, Mapped) and not decision.held:
        before = linked.agreed if linked else there.record if there else None
        assert (decision.after, decision.before, decision.wake_on) == (mapped.record, before, DAY)
        assert decision.target_id == ("10/X/2026/1" if linked or there else "")


def test_a_handed_over_document_is_linked_as_it_was_handed_over_once_it_shows() -> None:
    handed = Decision("k", Action.CREATE, voucher(5), wake_on=DAY, trace=Trace("o1"))
    there = found(voucher(5), pending=True)
    assert decide_handed("k", handed, None) == Decision("k", Action.HELD, held=causes.handed_over("k", ""))
    waits = Decision("k", Action.HELD, held=causes.handed_over("k", there.target_id))
    assert decide_handed("k", handed, there) == decide_document("k", Mapped(voucher(5)), None, there) == waits
    assert decide_handed("k", handed, found(voucher(9))) == Decision(
        "k", Action.RELINK, voucher(5), voucher(9), there.target_id, wake_on=DAY, trace=handed.trace
    )


def test_what_is_in_doubt_and_stands_as_agreed_is_linked_again_whatever_the_rules_say() -> None:
    there, trace = found(voucher(5)), Trace("o1")
    doubted = msgspec.structs.replace(link(voucher(5), sure=False, active=False), wake_on=DAY)
    again = decide_doubted(doubted, there, trace)
    assert again == Decision(
        "k", Action.RELINK, voucher(5), voucher(5), "10/X/2026/1", active=False, wake_on=DAY
    )  # fmt: skip
    assert decide_doubted(link(voucher(5)), there, trace) is None
    assert decide_doubted(doubted, there, Trace("o2")) is None
    assert decide_doubted(link(voucher(5), sure=False, origin=""), there, Trace()) is None
    assert decide_doubted(doubted, found(voucher(5), pending=True), trace) is None
    assert decide_doubted(doubted, found(voucher(6)), trace) is None


def test_what_was_withdrawn_for_certain_stays_so_and_what_is_in_doubt_is_done_again() -> None:
    gone = Mapped(GONE, active=False)
    assert decide_document("k", gone, link(GONE, active=False), None).action is Action.RELINK
    assert decide_document("k", gone, link(GONE, active=False, sure=False), None).action is Action.DEACTIVATE


def test_a_voucher_whose_source_is_gone_and_that_nobody_linked_is_held() -> None:
    decision = decide_document("k", None, None, found(voucher(5)))
    assert decision.held == causes.posted_without_source("k", "10/X/2026/1")
    other = decide_document("k", Mapped(voucher(6)), None, found(voucher(5)))
    assert other.held == causes.posted_otherwise("k", "10/X/2026/1")


@given(st.booleans(), st.sampled_from(["", "o1", "o2"]), st.sampled_from(["", "o1"]))
def test_a_document_stands_only_when_it_is_certain_and_its_source_is_as_it_was(
    sure: bool, origin: str, before: str
) -> None:
    made = link(voucher(5), sure=sure, origin=before)
    assert stands(made, Trace(origin)) == (sure and origin == before == "o1")
    assert not stands(None, Trace(origin))


def test_late_documents_change_the_identity_of_a_plan() -> None:
    plain, late = Tally(), Tally()
    decision = decide_document("k", Mapped(voucher(5)), None, None)
    plain.add(decision)
    late.add(msgspec.structs.replace(decision, late=True))
    assert (plain.late, late.late) == (0, 1)
    later = Tally()
    later.add(msgspec.structs.replace(decision, late=True, effective_on=DAY))
    assert len({plain.plan_id, late.plan_id, later.plan_id}) == 3
