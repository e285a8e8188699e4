"""Each guard by itself, their order, and the day that a voucher takes effect."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.flows.posting.admit import admit
from ml_connector.flows.posting.case import book_of
from ml_connector.flows.posting.guards import worth
from ml_connector.flows.posting.periods import is_open
from ml_connector.flows.posting.rule_book import rule_book
from ml_connector.records.ledger import (
    AccountTerms,
    Books,
    Company,
    Period,
    Requirement,
    UserGroup,
    Validity,
    ValueTerms,
    VoucherType,
)
from ml_connector.records.money import Money
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.flow import Context, Reference, Tables
from ml_connector.sync.outcome import Admitted, Held, Owner

DAY = date(2026, 9, 15)
UNTIL_AUGUST = Validity(None, date(2026, 8, 31))


def period(number: int, *, is_open: bool, year_end: bool = False, month: int = 0) -> Period:
    first = date(2026, month or number, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return Period("10", 2026, number, first, last, is_open, year_end)


PERIODS = (
    period(8, is_open=True),
    period(9, is_open=True),
    period(10, is_open=False),
    period(11, is_open=True),
    period(13, is_open=True, year_end=True, month=10),
)
BOOKS = Books(
    companies={"10": Company("10", "Ten", "USD")},
    accounts={
        ("10", "6110"): AccountTerms("10", "Supplies", requirements={"B": Requirement.MANDATORY}),
        ("10", "2990"): AccountTerms("10", "Accrued", requirements={"F": Requirement.BLOCKED}),
        ("10", "8310"): AccountTerms("10", "Old interest", UNTIL_AUGUST),
    },
    values={
        ("10", "B", "100"): ValueTerms("10", "Administration"),
        ("10", "B", "900"): ValueTerms("10", "Old", UNTIL_AUGUST),
        ("10", "F", "P"): ValueTerms("10", "Project"),
    },
    types={("10", "M"): VoucherType("10", "M"), ("10", "Q"): VoucherType("10", "Q", allotted=False)},
    groups={("10", "AC"): UserGroup("10", "AC"), ("10", "YE"): UserGroup("10", "YE", year_end=True)},
    periods={"10": PERIODS},
)
LINKS = {Reference("suppliers", "S1"): "v-1", Reference("suppliers", "S2"): "v-2"}


def context(books: Books = BOOKS, **posting: Any) -> Context:
    raw = {"documents": "payments", **posting}
    book = rule_book(raw, subsidiaries={"10": "SUB-10"}, dimensions={"department": "B"})
    tables = Tables({"10": "SUB-10"}, dimensions={"department": "B"}, rules=book)
    return Context(date(2026, 12, 1), tables, LINKS, frozenset({Reference("suppliers", "S2")}), books)


def rows(account: str = "6110", amount: str = "100", parts: str = "B100", party: str = "S1") -> tuple[VoucherRow, ...]:
    number = Decimal(amount)
    pairs = tuple((text[0], text[1:]) for text in parts.split())
    debit = VoucherRow(account, "EUR", number, number * 2, pairs, party=party)
    return (debit, VoucherRow("2990", "EUR", -number, -number * 2, party=party))


def voucher(on: date = DAY, /, **fields: Any) -> Voucher:
    return Voucher("10", on, "PR-7 Chairs · approved by Ada 2026-09-15", rows(**fields))


def changed(**fields: Any) -> Voucher:
    return msgspec.structs.replace(voucher(), **fields)


GOOD = voucher()
WHOSE = {
    "not_balanced": Owner.ADMINISTRATOR,
    "company_unknown": Owner.ADMINISTRATOR,
    "account_not_valid": Owner.CONTROLLER,
    "period_closed": Owner.CONTROLLER,
    "period_missing": Owner.CONTROLLER,
    "user_group_unknown": Owner.ADMINISTRATOR,
    "voucher_type_unknown": Owner.CONTROLLER,
    "voucher_type_by_hand": Owner.CONTROLLER,
    "over_limit": Owner.CONTROLLER,
}
UNEVEN = (*GOOD.rows[:1], msgspec.structs.replace(GOOD.rows[1], amount=Decimal(-99)))
UNEVEN_HOME = (*GOOD.rows[:1], msgspec.structs.replace(GOOD.rows[1], company_amount=Decimal(-199)))
BLOCKED = (*GOOD.rows[:1], msgspec.structs.replace(GOOD.rows[1], parts=(("F", "P"),)))

CASES: list[tuple[str, str, Voucher, dict[str, Any]]] = [
    ("not_balanced", "its debit and credit differ by 1 EUR", changed(rows=UNEVEN), {}),
    ("not_balanced", "differ by 1 in company currency", changed(rows=UNEVEN_HOME), {}),
    ("company_unknown", "IFS does not list company 11", changed(company="11"), {}),
    ("account_unknown", "company 10 has no account 6111", voucher(account="6111"), {}),
    (
        "account_not_valid",
        "account 8310 Old interest of company 10 is not valid on 2026-09-15",
        voucher(account="8310"),
        {},
    ),
    ("code_part_missing", "account 6110 needs code part B (department), and nothing gives it", voucher(parts=""), {}),
    ("code_part_blocked", "account 2990 does not take code part F, but it is P", changed(rows=BLOCKED), {}),
    ("code_part_unknown", "company 10 has no value 101 of code part B (department)", voucher(parts="B101"), {}),
    ("code_part_not_valid", "value 900 of code part B (department) of company 10", voucher(parts="B900"), {}),
    ("supplier_not_linked", "supplier S3 is not among", voucher(party="S3"), {}),
    ("supplier_not_active", "supplier S2 is switched off", voucher(party="S2"), {}),
    ("period_closed", "period 2026-10 is closed in company 10", voucher(date(2026, 10, 5)), {}),
    ("period_missing", "no period for 2026-12-05 that user group AC posts to", voucher(date(2026, 12, 5)), {}),
    ("period_missing", "no period for 2026-09-15 that user group YE posts to", GOOD, {"user_group": "YE"}),
    ("user_group_unknown", "company 10 has no user group ZZ", GOOD, {"user_group": "ZZ"}),
    ("voucher_type_unknown", "company 10 has no voucher type K", GOOD, {"voucher_types": {"*": "K"}}),
    ("voucher_type_by_hand", "voucher type Q of company 10 is numbered by hand", GOOD, {"voucher_types": {"10": "Q"}}),
    ("over_limit", "USD 200.00 is over the limit of USD 199.99 a voucher", GOOD, {"amount_max": {"*": "199.99"}}),
]


@pytest.mark.parametrize(("cause", "problem", "record", "posting"), CASES)
def test_a_guard_holds_and_says_what_is_wrong(
    cause: str, problem: str, record: Voucher, posting: dict[str, Any]
) -> None:
    found = admit(record, context(**posting))
    assert isinstance(found, Held), found
    assert found.cause == cause
    assert found.sentence.startswith("Voucher held: ")
    assert problem in found.sentence
    assert "(PR-7 Chairs)" in found.sentence
    assert found.stake == Money(Decimal(100), "EUR")
    assert found.remedy
    assert found.owner is WHOSE.get(cause, Owner.CLERK)
    assert found.lacks == ("6111" if cause == "account_unknown" else "")


def test_what_fulfils_all_is_admitted_on_its_own_day() -> None:
    assert admit(GOOD, context(voucher_types={"*": "M"}, amount_max={"*": "200"})) == Admitted()
    assert admit(voucher(party=""), context()) == Admitted()
    assert all(admit(voucher(date(2026, 9, day)), context()) == Admitted() for day in (1, 30))  # of its period


def test_the_first_problem_wins() -> None:
    bad = voucher(date(2026, 10, 5), account="6111", parts="B101", party="S3")
    found = admit(bad, context(voucher_types={"*": "K"}))
    assert isinstance(found, Held)
    assert found.cause == "account_unknown"


def test_the_period_of_a_year_end_group() -> None:
    assert admit(voucher(date(2026, 10, 5)), context(user_group="YE")) == Admitted()


def test_a_closed_period_waits_or_is_late_as_the_rule_book_says() -> None:
    late = voucher(date(2026, 10, 5))
    assert admit(late, context(closed_period="next_open")) == Admitted(on=date(2026, 11, 1), late=True)
    held = admit(late, context())
    assert isinstance(held, Held)
    assert held.owner is Owner.CONTROLLER
    choice = ' (or choose closed_period = "next_open" in [posting] of the profile)'
    assert held.remedy == f"Open the period in IFS{choice}, then run again."
    closed = msgspec.structs.replace(BOOKS, periods={"10": PERIODS[:3]})
    nothing_later = admit(late, context(closed, closed_period="next_open"))
    assert isinstance(nothing_later, Held)
    assert nothing_later.remedy == "Open the period in IFS, then run again. No later period is open either."


def test_a_day_without_a_period_is_never_moved() -> None:
    early = admit(voucher(date(2026, 7, 1)), context(closed_period="next_open"))
    assert isinstance(early, Held)
    assert early.cause == "period_missing"


def test_validity_is_asked_for_the_day_that_it_takes_effect() -> None:
    ends = Validity(None, date(2026, 10, 31))
    accounts = {**BOOKS.accounts, ("10", "6110"): AccountTerms("10", "Supplies", ends)}
    books = msgspec.structs.replace(BOOKS, accounts=accounts)
    found = admit(voucher(date(2026, 10, 5)), context(books, closed_period="next_open"))
    assert isinstance(found, Held)
    assert (found.cause, "2026-11-01" in found.sentence) == ("account_not_valid", True)


def test_of_a_withdrawal_only_the_day_is_asked_for() -> None:
    gone = msgspec.structs.replace(voucher(account="6111"), rows=())
    assert admit(gone, context(voucher_types={"*": "K"})) == Admitted()
    held = admit(msgspec.structs.replace(gone, dated_on=date(2026, 10, 5)), context())
    assert isinstance(held, Held)
    assert (held.cause, held.stake) == ("period_closed", None)


@settings(deadline=None)
@given(st.dates(date(2026, 7, 1), date(2026, 12, 31)), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_voucher_never_takes_effect_before_its_day_nor_in_a_closed_period(day: date, opened: list[bool]) -> None:
    periods = tuple(period(number, is_open=is_open) for number, is_open in enumerate(opened, start=7))
    books = msgspec.structs.replace(BOOKS, periods={"10": periods})
    found = admit(voucher(day), context(books, closed_period="next_open"))
    ahead = [one for one in periods if one.open and one.until_on >= day]
    inside = any(one.from_on <= day <= one.until_on for one in periods)
    if isinstance(found, Held):
        assert not inside or not ahead
        return
    effective = found.on or day
    assert effective >= day
    assert found.late == (effective != day)
    assert next(one for one in ahead) == next(one for one in periods if one.from_on <= effective <= one.until_on)


@pytest.mark.parametrize("closed_period", ["hold", "next_open"])
def test_on_which_days_one_may_post(closed_period: str) -> None:
    book = book_of(context(closed_period=closed_period))
    days = {"10": (DAY, date(2026, 10, 5), date(2026, 12, 5)), "11": (DAY,)}
    assert [is_open(one, day, BOOKS, book) for one in days for day in days[one]] == [True, False, False, False]


def test_cents_are_at_stake_too() -> None:
    assert worth(voucher(amount="0.50")) == Money(Decimal("0.50"), "EUR")


def test_at_stake_is_what_the_document_itself_is_about() -> None:
    fee = VoucherRow("6570", "USD", Decimal(7), Decimal(7))
    assert worth(changed(rows=(GOOD.rows[0], fee, GOOD.rows[1]))) == Money(Decimal(100), "EUR")


def test_a_hold_names_all_that_differs_and_all_that_a_code_part_is_called() -> None:
    extra = (VoucherRow("6110", "NOK", Decimal(2), Decimal(0)), VoucherRow("6110", "SEK", Decimal(3), Decimal(0)))
    found = admit(changed(rows=(*GOOD.rows, *extra)), context())
    assert isinstance(found, Held)
    assert "its debit and credit differ by 2 NOK, 3 SEK (" in found.sentence
    two = context()
    tables = msgspec.structs.replace(two.tables, dimensions={"team": "B", "department": "B"})
    found = admit(voucher(parts="B101"), msgspec.structs.replace(two, tables=tables))
    assert isinstance(found, Held)
    assert "code part B (department, team)" in found.sentence
    found = admit(msgspec.structs.replace(voucher(parts="B101"), text="PR-7 Chairs · red · approved"), two)
    assert isinstance(found, Held)
    assert found.sentence.endswith(" (PR-7 Chairs).")
