"""The comparison of a period: nothing counts twice or is dropped; what was planted is found and called by its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.compare.tieout.calendar import UNKNOWN, Calendar, calendar_of, written
from ml_connector.compare.tieout.claims import carries, claim_of
from ml_connector.compare.tieout.lines import extras, lines_of
from ml_connector.compare.tieout.mirrors import Mirroring
from ml_connector.compare.tieout.shapes import Figure, Kind, Line, State, TieOut, Timing
from ml_connector.compare.tieout.sides import Claim, There
from ml_connector.compare.tieout.totals import STATES, Totals
from ml_connector.compare.tieout.tying import Tying
from ml_connector.records.ledger import Books, Period, UserGroup
from ml_connector.records.money import Money, total
from ml_connector.records.spend import Document, SpendLine
from ml_connector.records.supplier import Vendor
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Action, Decision, Link
from ml_connector.sync.ports import Sight

COMPANIES = ("10", "20")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def months(company: str, first: date, year: int) -> tuple[Period, ...]:
    """Twelve periods of a fiscal year that begins on a day."""
    begins = [first]
    for _ in range(12):
        begins.append((begins[-1] + timedelta(days=32)).replace(day=1))
    ends = [after - timedelta(days=1) for after in begins[1:]]
    return tuple(
        Period(company, year, number, begin, end, open=True)
        for number, (begin, end) in enumerate(zip(begins, ends, strict=False), 1)
    )


CALENDAR = Calendar(
    {
        "10": (*months("10", date(2026, 1, 1), 2026), *months("10", date(2027, 1, 1), 2027)),
        "20": (*months("20", date(2025, 7, 1), 2026), *months("20", date(2026, 7, 1), 2027)),
    }
)
PERIODS = CALENDAR.names()
DAYS = st.dates(date(2026, 1, 1), date(2026, 6, 30))  # in a period of either company
AMOUNTS = st.integers(1, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))


def voucher(company: str, day: date, amount: Decimal, fee: Decimal = Decimal(0), account: str = "6110") -> Voucher:
    """A voucher that moves an amount in EUR, with a fee beside it."""
    rows = [(account, amount), ("6570", fee), ("1930", total((amount, fee)).copy_negate())]
    made = (VoucherRow(name, "EUR", value, value, (("B", "100"),)) for name, value in rows if value)
    return Voucher(company, day, "PR-1 Paper", tuple(made))


def negated(one: Voucher) -> Voucher:
    rows = (
        msgspec.structs.replace(row, amount=row.amount.copy_negate(), company_amount=row.company_amount.copy_negate())
        for row in one.rows
    )
    return msgspec.structs.replace(one, rows=tuple(rows))


@dataclass
class World:
    """A document with its vouchers, right as it stands."""

    claim: Claim
    there: list[There]

    def lines(self, period: str) -> list[Line]:
        return list(lines_of(self.claim, self.there, CALENDAR, period))

    def put(self, body: Voucher, on: date, version: int = 1, place: str = "ledger", reversal: bool = False) -> None:
        number = f"{body.company}/X/2026/{len(self.there) + 1}"
        period = CALENDAR.period(body.company, on)
        self.there.append(There(self.claim.key, version, reversal, place, number, period, on, body))


@st.composite
def worlds(draw: st.DrawFn, corrected: bool = True) -> World:
    """A document that was posted, perhaps late, perhaps corrected several times, rightly."""
    company, day = draw(st.sampled_from(COMPANIES)), draw(DAYS)
    amount, fee = draw(AMOUNTS), draw(st.sampled_from((Decimal(0), Decimal("1.50"))))
    places = ["hold" if draw(st.booleans()) else "ledger"]
    claim = Claim("payments", "key", "PAY-1", company, "EUR", amount, day, State.POSTED, linked=True, active=True)
    world = World(claim, [])
    on = draw(st.sampled_from((day, _next(company, day), _next(company, _next(company, day)))))
    versions = draw(st.integers(1, 3)) if corrected else 1
    for version in range(1, versions + 1):
        last = version == versions
        body = voucher(company, day, amount if last else draw(AMOUNTS), fee)
        world.put(body, on, version, places[0] if last else "ledger")
        if not last:
            later = draw(st.sampled_from((on, _next(company, on))))
            world.put(negated(body), later, version, reversal=True)
            on = later
        else:
            world.claim = msgspec.structs.replace(claim, expected=body)
    return world


def _next(company: str, day: date) -> date:
    """The first day of the period after a day."""
    return next(one.from_on for one in CALENDAR.periods[company] if one.from_on > day)


def tied(worlds_of: Sequence[World], period: str) -> tuple[TieOut, list[Line]]:
    """The tie-out of several documents."""
    told: list[Line] = []
    tying = Tying(told.append)
    for world in worlds_of:
        for line in world.lines(period):
            tying.add(line)
    return tying.onto(TieOut("acme", period, NOW, "ada")), told


@settings(max_examples=50, deadline=None)
@given(st.lists(worlds(), min_size=1, max_size=4))
def test_what_is_right_ties_in_every_period_and_counts_once(several: list[World]) -> None:
    read = Decimal(0)
    there = Decimal(0)
    for period in PERIODS:
        found, told = tied(several, period)
        assert found.ties, (found.differences, found.totals)
        for one in found.totals:
            assert_adds_up(one)
            assert one.posted.count - one.later.count + one.earlier.count == one.ledger.count + one.hold.count
            read = total((read, one.read.amount))
            there = total((there, one.ledger.amount, one.hold.amount))
        assert all(line.ifs_amount == line.amount for line in told)
    assert read == total(world.claim.amount for world in several) == there


def assert_adds_up(one: object) -> None:
    """What was read is the sum of its states."""
    states = [getattr(one, name) for name in STATES.values()]
    read: Figure = getattr(one, "read")  # noqa: B009
    assert read.count == sum(state.count for state in states)
    assert read.amount == total(state.amount for state in states)


# Whatever is there


@st.composite
def anything(draw: st.DrawFn) -> World:
    """A claim and vouchers that need not fit."""
    company = draw(st.sampled_from((*COMPANIES, UNKNOWN)))
    day = draw(st.none() | DAYS)
    expected = voucher(draw(st.sampled_from(COMPANIES)), day or date(2026, 3, 1), draw(AMOUNTS))
    claim = Claim(
        "payments",
        "key",
        "PAY-1",
        company,
        draw(st.sampled_from(("EUR", "USD"))),
        draw(AMOUNTS),
        day,
        draw(st.sampled_from(State)),
        *(draw(st.booleans()) for _ in range(5)),
        expected=draw(st.sampled_from((None, expected))),
    )
    world = World(claim, [])
    for _ in range(draw(st.integers(0, 4))):
        body = draw(
            st.sampled_from((expected, voucher(draw(st.sampled_from(COMPANIES)), date(2026, 2, 1), Decimal(7))))
        )
        turned = draw(st.booleans())
        world.put(
            negated(body) if turned else body,
            draw(DAYS),
            draw(st.integers(1, 2)),
            draw(st.sampled_from(("hold", "ledger"))),
            reversal=draw(st.booleans()),
        )
    return world


@settings(max_examples=50, deadline=None)
@given(anything())
def test_whatever_is_there_is_read_once_and_each_voucher_counts_in_one_period(world: World) -> None:
    states = 0
    for period in PERIODS:
        lines = world.lines(period)
        own = [line for line in lines if line.state]
        assert len(own) <= 1
        states += len(own)
        totals = Totals()
        for line in lines:
            totals.add(line)
        for one in totals.made():
            assert_adds_up(one)
            sides = (one.posted, one.already_there, one.earlier), (one.ledger, one.hold, one.later)
            left, right = (total(figure.amount for figure in side) for side in sides)
            assert one.unexplained == total((left, right.copy_negate()))
        for place in ("ledger", "hold"):
            inside = [one for one in world.there if one.period == period and one.place == place]
            counted = sum(getattr(line, place).count for line in lines)
            assert counted <= len(inside)
    home = CALENDAR.period(world.claim.company, world.claim.dated_on)
    assert states == 1 if home != UNKNOWN else states >= 1


@settings(max_examples=50, deadline=None)
@given(worlds(), st.sampled_from(State))
def test_what_is_in_no_period_counts_in_each_that_it_may_be_of(world: World, state: State) -> None:
    claim = Claim("payments", "k", "PAY-1", UNKNOWN, "EUR", world.claim.amount, None, state)
    for period in PERIODS:
        (line,) = lines_of(claim, [], CALENDAR, period)
        assert (line.company, line.period, line.state, line.amount) == (UNKNOWN, UNKNOWN, state, claim.amount)
    dated = msgspec.structs.replace(claim, dated_on=date(2026, 2, 3))
    assert [period for period in PERIODS if list(lines_of(dated, [], CALENDAR, period))] == ["2026-02", "2026-08"]


# What was planted


def lose(world: World) -> None:
    world.there.clear()


def enlarge(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, amount=row.amount * 2, company_amount=row.amount * 2))


def recode(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, account="9999") if row.account == "6110" else row)


def recode_parts(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, parts=(("B", "200"),)) if row.amount > 0 else row)


def give_to_another(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, party="S-2") if row.amount < 0 else row)


def recode_onto_itself(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, account="1930"))


def turn(world: World) -> None:
    world.there[-1] = msgspec.structs.replace(world.there[-1], voucher=negated(world.there[-1].voucher))


def in_company_currency(world: World) -> None:
    _change_last(world, lambda row: msgspec.structs.replace(row, company_amount=row.company_amount * 2))


def double(world: World) -> None:
    world.there.append(msgspec.structs.replace(world.there[-1], target_id="10/X/2026/99"))


def post_again(world: World) -> None:
    world.put(world.there[-1].voucher, world.there[-1].on, world.there[-1].version + 1)


def reverse(world: World) -> None:
    last = world.there[-1]
    world.put(negated(last.voucher), last.on, last.version, reversal=True)


def reverse_by_copy(world: World) -> None:
    last = world.there[-1]
    world.put(negated(last.voucher), last.on, last.version)


def move(world: World) -> None:
    """To a day in the middle of the next period."""
    day = _next(world.claim.company, world.there[-1].on) + timedelta(days=9)
    moved = msgspec.structs.replace(world.there[-1].voucher, dated_on=day)
    period = CALENDAR.period(world.claim.company, day)
    world.there[-1] = msgspec.structs.replace(world.there[-1], on=day, period=period, voucher=moved)


def move_period_alone(world: World) -> None:
    world.there[-1] = msgspec.structs.replace(world.there[-1], period=PERIODS[-1])


def change(world: World) -> None:
    world.claim = msgspec.structs.replace(world.claim, changed=True, amount=world.claim.amount + 1)


def withdraw(world: World) -> None:
    world.claim = msgspec.structs.replace(world.claim, active=False, expected=None, state=State.NOT_DUE)


def carry_otherwise(world: World) -> None:
    world.claim = msgspec.structs.replace(world.claim, carried=False, amount=world.claim.amount + 1)


def _change_last(world: World, how: Callable[[VoucherRow], VoucherRow]) -> None:
    last = world.there[-1]
    rows = tuple(how(row) for row in last.voucher.rows)
    world.there[-1] = msgspec.structs.replace(last, voucher=msgspec.structs.replace(last.voucher, rows=rows))


PLANTED: dict[Callable[[World], None], Kind] = {
    lose: Kind.MISSING,
    enlarge: Kind.AMOUNT,
    turn: Kind.AMOUNT,
    in_company_currency: Kind.AMOUNT,
    carry_otherwise: Kind.AMOUNT,
    recode: Kind.ACCOUNT,
    recode_parts: Kind.ACCOUNT,
    recode_onto_itself: Kind.ACCOUNT,
    give_to_another: Kind.PARTY,
    double: Kind.DUPLICATE,
    post_again: Kind.DUPLICATE,
    reverse: Kind.REVERSED,
    reverse_by_copy: Kind.REVERSED,
    move: Kind.PERIOD,
    move_period_alone: Kind.PERIOD,
    change: Kind.CHANGED,
    withdraw: Kind.EXTRA,
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@settings(max_examples=25, deadline=None)
@given(world=worlds(), beside=worlds())
def test_what_was_planted_is_found_and_called_by_its_name(
    plant: Callable[[World], None], world: World, beside: World
) -> None:
    plant(world)
    home = CALENDAR.period(world.claim.company, world.claim.dated_on)
    found, told = tied([beside, world], home)
    assert [line.difference for line in found.differences] == [PLANTED[plant]], told
    (line,) = found.differences
    assert not found.ties
    assert line.reason.endswith(".")
    assert line.remedy.endswith(".")
    assert world.claim.company in line.reason or line.difference in (Kind.CHANGED, Kind.PERIOD)


@settings(max_examples=50, deadline=None)
@given(worlds(corrected=False))
def test_what_is_unexplained_is_what_is_missing_or_too_much(world: World) -> None:
    amount = world.claim.amount
    mine = CALENDAR.period(world.claim.company, world.claim.dated_on)
    for plant, left in ((double, amount.copy_negate()), (reverse, amount), (lose, amount), (move, amount)):
        planted = World(world.claim, list(world.there))
        plant(planted)
        found, _ = tied([planted], mine)
        assert [one.unexplained for one in found.totals] == [left], plant


def test_a_voucher_in_a_wrong_period_is_too_much_there() -> None:
    world = World(_claim(date(2026, 1, 10)), [])
    world.put(voucher("10", date(2026, 3, 10), Decimal(5)), date(2026, 3, 10))
    for period, left in (("2026-01", Decimal(5)), ("2026-03", Decimal(-5))):
        found, _ = tied([world], period)
        assert [line.difference for line in found.differences] == [Kind.PERIOD]
        assert [one.unexplained for one in found.totals] == [left]


@settings(max_examples=50, deadline=None)
@given(worlds(corrected=False), st.booleans())
def test_a_voucher_in_another_currency_says_both_amounts_and_counts_in_each(world: World, known: bool) -> None:
    """Whether or not anybody can say which rows it should have."""
    if not known:
        world.claim = msgspec.structs.replace(world.claim, expected=None)
    _change_last(world, lambda row: msgspec.structs.replace(row, currency="USD"))
    moved = total(row.amount for row in world.there[-1].voucher.rows if row.amount > 0)
    left: dict[str, Decimal] = {}
    for found, _ in (tied([world], period) for period in PERIODS):
        for line in found.differences:
            assert line.difference == Kind.CURRENCY
            assert all(str(Money(amount, name)) in line.reason for amount, name in ((moved, "USD"), _own(world)))
        for one in found.totals:
            left[one.currency] = total((left.get(one.currency, Decimal(0)), one.unexplained))
            assert sum((one.ledger.count, one.hold.count)) == (one.currency == "USD")
    assert left == {"EUR": world.claim.amount, "USD": moved.copy_negate()}


def _own(world: World) -> tuple[Decimal, str]:
    return world.claim.amount, world.claim.currency


def test_a_double_in_another_currency_counts_there() -> None:
    world = World(_claim(date(2026, 1, 10)), [])
    for _ in range(2):
        world.put(voucher("10", date(2026, 1, 10), Decimal(5)), date(2026, 1, 10))
    _change_last(world, lambda row: msgspec.structs.replace(row, currency="USD"))
    found, _ = tied([world], "2026-01")
    assert [(line.currency, line.difference) for line in found.differences] == [
        ("EUR", Kind.DUPLICATE),
        ("USD", Kind.CURRENCY),
    ]
    assert [(one.ledger, one.unexplained) for one in found.totals] == [
        (Figure(1, Decimal(5)), Decimal(0)),
        (Figure(1, Decimal(5)), Decimal(-5)),
    ]


def test_a_reversal_with_another_supplier_leaves_both_out_of_line() -> None:
    old, new = (_with_party(voucher("10", DAY, Decimal(amount)), "S-1") for amount in (5, 6))
    world = World(msgspec.structs.replace(_claim(DAY, Decimal(6)), expected=new), [])
    world.put(old, DAY)
    world.put(negated(old), DAY, reversal=True)
    world.put(new, DAY, version=2)
    assert [line.difference for line in world.lines("2026-01")] == [""]
    taken = world.there[1]
    world.there[1] = msgspec.structs.replace(taken, voucher=_with_party(taken.voucher, "S-2"))
    (line,) = world.lines("2026-01")
    assert line.difference == Kind.PARTY
    assert "supplier S-2" in line.reason


def _with_party(one: Voucher, party: str) -> Voucher:
    return msgspec.structs.replace(one, rows=tuple(msgspec.structs.replace(row, party=party) for row in one.rows))


def test_a_voucher_that_lost_its_rows_comes_to_nothing() -> None:
    world = World(_claim(DAY), [])
    world.put(msgspec.structs.replace(voucher("10", DAY, Decimal(5)), rows=()), DAY, place="hold")
    (line,) = world.lines("2026-01")
    assert (line.difference, line.ifs_amount) == (Kind.AMOUNT, 0)
    assert "comes to EUR 0.00, but the document to EUR 5.00" in line.reason


@pytest.mark.parametrize(
    ("plant", "there", "due"),
    [
        (in_company_currency, "EUR 5.00 (10 in the company's currency)", "EUR 5.00 (5 in the company's currency)"),
        (give_to_another, "account 1930 of supplier S-2 EUR -5.00", "account 1930 of no supplier EUR -5.00"),
        (recode, "account 9999 B 100 EUR 5.00", "account 6110 B 100 EUR 5.00"),
    ],
)
def test_what_differs_is_seen_in_what_is_said(plant: Callable[[World], None], there: str, due: str) -> None:
    world = World(_claim(DAY), [])
    world.put(voucher("10", DAY, Decimal(5)), DAY)
    plant(world)
    (line,) = world.lines("2026-01")
    before, _, after = line.reason.partition(" instead of ")
    assert (there in before, due in after) == (True, True), line.reason


def test_a_reversal_of_another_amount_in_company_currency_says_what_is_left() -> None:
    body = voucher("10", DAY, Decimal(5))
    world = World(_claim(DAY), [])
    world.put(body, DAY)
    world.put(body, DAY)
    world.put(negated(body), DAY, reversal=True)
    _change_last(world, lambda row: msgspec.structs.replace(row, company_amount=row.company_amount * 2))
    (line,) = world.lines("2026-01")
    assert line.difference
    assert "nothing instead of nothing" not in line.reason


@pytest.mark.parametrize("side", [-1, 1])
def test_what_was_changed_on_one_side_alone_shows_in_the_amount(side: int) -> None:
    world = World(_claim(date(2026, 1, 10)), [])
    world.put(voucher("10", date(2026, 1, 10), Decimal(5)), date(2026, 1, 10))
    _change_last(
        world, lambda row: msgspec.structs.replace(row, amount=row.amount * (2 if row.amount * side > 0 else 1))
    )
    (line,) = world.lines("2026-01")
    assert (line.difference, line.ifs_amount) == (Kind.AMOUNT, Decimal(10))


def test_a_reversal_that_takes_back_one_currency_alone_leaves_the_voucher_standing() -> None:
    body = voucher("10", date(2026, 1, 10), Decimal(5))
    world = World(_claim(date(2026, 1, 10)), [])
    world.put(body, date(2026, 1, 10))
    world.put(negated(body), date(2026, 1, 10), reversal=True)
    _change_last(world, lambda row: msgspec.structs.replace(row, company_amount=Decimal(0)))
    (line,) = world.lines("2026-01")
    assert (line.difference, line.ledger.count) == (Kind.AMOUNT, 1)


def test_a_document_that_lost_its_day_is_where_its_voucher_is() -> None:
    world = World(msgspec.structs.replace(_claim(date(2026, 1, 10)), dated_on=None, expected=None), [])
    world.put(voucher("10", date(2026, 1, 10), Decimal(5)), date(2026, 1, 10))
    assert [(line.company, line.period, line.state) for line in world.lines("2026-01")] == [
        ("10", "2026-01", State.POSTED)
    ]
    assert world.lines("2026-02") == []


@settings(max_examples=50, deadline=None)
@given(worlds())
def test_vouchers_without_a_document_are_extra_where_they_are(world: World) -> None:
    for period in PERIODS:
        lines = list(extras(world.there, period))
        inside = [one for one in world.there if one.period == period]
        assert bool(lines) == bool(inside)
        assert all(line.difference == Kind.EXTRA and not line.state for line in lines)


@settings(max_examples=50, deadline=None)
@given(worlds(), AMOUNTS)
def test_a_voucher_in_another_company_is_extra_there(world: World, amount: Decimal) -> None:
    other = "20" if world.claim.company == "10" else "10"
    world.put(voucher(other, date(2026, 2, 2), amount), date(2026, 2, 2), version=9)
    period = CALENDAR.period(other, date(2026, 2, 2))
    strays = [line for line in world.lines(period) if line.company == other]
    assert [(line.difference, line.ifs_amount) for line in strays] == [(Kind.EXTRA, amount)]
    assert "PAY-1" in strays[0].reason


# Single things


@settings(max_examples=25, deadline=None)
@given(worlds(corrected=False))
def test_a_reversal_that_takes_nothing_back_is_a_difference(world: World) -> None:
    """Whether its voucher is gone, or it is there twice: what it moved is in the ledger."""
    body = world.there[-1]
    for _ in range(2):
        world.put(negated(body.voucher), body.on, body.version, reversal=True)
    withdraw(world)
    for there in (world.there[-1:], world.there):
        for how in (partial(lines_of, world.claim, there, CALENDAR), partial(extras, there)):
            by_period = {period: list(how(period)) for period in PERIODS}
            lines = [line for several in by_period.values() for line in several]
            assert {(line.difference, line.timing) for line in lines} == {(Kind.EXTRA, "")}
            totals = Totals()
            for line in lines:
                totals.add(line)
            assert [one.unexplained > 0 for one in totals.made()] == [True]


@settings(max_examples=25, deadline=None)
@given(worlds(), st.booleans())
def test_a_double_that_was_taken_back_leaves_what_it_doubled(world: World, later: bool) -> None:
    body, home = world.there[-1].voucher, world.there[-1].period
    company = world.claim.company
    on = _next(company, world.there[-1].on) + timedelta(days=9) if later else world.there[-1].on
    world.put(body, on, world.there[-1].version)
    world.put(negated(body), on, world.there[-1].version)
    for period in PERIODS:
        found, _ = tied([world], period)
        assert found.ties, (period, home, found.differences)
        for one in found.totals:
            assert one.posted.count + one.earlier.count - one.later.count == one.ledger.count + one.hold.count


def test_a_wrong_amount_in_a_wrong_period_is_no_timing() -> None:
    day, amount = date(2026, 2, 10), Decimal(100)
    claim = Claim("payments", "key", "PAY-1", "10", "EUR", amount, day, State.POSTED, linked=True, active=True)
    world = World(msgspec.structs.replace(claim, expected=voucher("10", day, amount)), [])
    world.put(voucher("10", day, Decimal(150)), date(2026, 3, 9))
    for period, left in (("2026-02", 100), ("2026-03", -150)):
        (total_of,) = tied([world], period)[0].totals
        assert (total_of.unexplained, total_of.later, total_of.earlier) == (left, Figure(), Figure())


def test_a_correction_to_the_other_sign_counts_as_what_it_moves() -> None:
    day, later = date(2026, 2, 10), date(2026, 3, 1)
    claim = Claim("payments", "key", "PAY-1", "10", "EUR", Decimal(-50), day, State.POSTED, linked=True, active=True)
    body = voucher("10", day, Decimal(-50))
    world = World(msgspec.structs.replace(claim, expected=body), [])
    world.put(voucher("10", day, Decimal(100)), day)
    world.put(negated(world.there[0].voucher), later, reversal=True)
    world.put(body, later, 2)
    for period, ledger in (("2026-02", 100), ("2026-03", -150)):
        found, _ = tied([world], period)
        assert found.ties
        assert found.totals[0].ledger.amount == ledger


def test_a_reversal_that_doubles_what_it_should_take_back_counts_as_what_it_moves() -> None:
    day = date(2026, 2, 10)
    claim = Claim("payments", "key", "PAY-1", "10", "EUR", Decimal(100), day, State.POSTED, linked=True, active=True)
    body = voucher("10", day, Decimal(100))
    world = World(msgspec.structs.replace(claim, expected=body), [])
    world.put(body, day)
    world.put(body, day, reversal=True)
    for lines in (world.lines("2026-02"), list(extras(world.there, "2026-02"))):
        (line,) = lines
        assert line.difference
        assert (line.ifs_amount, line.ledger.amount) == (200, 200)


@pytest.mark.parametrize("plant", [withdraw, post_again])
def test_what_is_too_much_is_so_where_it_is(plant: Callable[[World], None]) -> None:
    """A voucher that should not be there is no timing, whatever period its document is of."""
    day = date(2026, 2, 10)
    claim = Claim("payments", "key", "PAY-1", "10", "EUR", Decimal(100), day, State.POSTED, linked=True, active=True)
    world = World(msgspec.structs.replace(claim, expected=voucher("10", day, Decimal(100))), [])
    if plant is post_again:
        world.put(voucher("10", day, Decimal(100)), day)
    world.put(voucher("10", day, Decimal(100)), date(2026, 3, 9), len(world.there) + 1)
    if plant is withdraw:
        withdraw(world)
    for period, left in (("2026-02", 0), ("2026-03", -100)):
        found, _ = tied([world], period)
        assert not found.ties
        assert [one.unexplained for one in found.totals] == [left]


def test_what_was_withdrawn_and_taken_back_says_so() -> None:
    day = date(2026, 2, 10)
    claim = Claim("payments", "key", "PAY-1", "10", "EUR", Decimal(100), day, State.NOT_DUE, linked=True)
    world = World(claim, [])
    world.put(voucher("10", day, Decimal(100)), day)
    world.put(negated(world.there[0].voucher), date(2026, 4, 20), reversal=True)
    for period in ("2026-02", "2026-04"):
        (line,) = world.lines(period)
        assert line.reason == "It was posted and taken back (2026-02, 2026-04); together that comes to nothing."


def test_timing_is_told_apart_from_differences() -> None:
    late = World(_claim(date(2026, 1, 31)), [])
    late.put(voucher("10", date(2026, 1, 31), Decimal(5)), date(2026, 2, 1))
    held = World(_claim(date(2026, 1, 31)), [])
    held.put(voucher("10", date(2026, 1, 31), Decimal(5)), date(2026, 1, 31), place="hold")
    january, _ = tied([late, held], "2026-01")
    february, _ = tied([late, held], "2026-02")
    assert [line.timing for line in january.timing] == [Timing.LATER, Timing.IN_HOLD]
    assert [line.timing for line in february.timing] == [Timing.EARLIER]
    assert january.ties
    assert february.ties
    (one,) = january.totals
    assert (one.later, one.hold, one.ledger.count) == (Figure(1, Decimal(5)), Figure(1, Decimal(5)), 0)
    (one,) = february.totals
    assert (one.read.count, one.earlier, one.ledger) == (0, Figure(1, Decimal(5)), Figure(1, Decimal(5)))


def _claim(day: date, amount: Decimal = Decimal(5)) -> Claim:
    body = voucher("10", day, amount)
    return Claim(
        "payments", "k", "PAY-1", "10", "EUR", amount, day, State.POSTED, linked=True, active=True, expected=body
    )


@pytest.mark.parametrize("place", ["ledger", "hold"])
def test_a_day_within_the_period_is_told_but_no_difference_and_one_that_hides_in_a_first_day_is_one(place: str) -> None:
    claim = _claim(date(2026, 1, 10))
    moved = World(claim, [])
    moved.put(voucher("10", date(2026, 1, 12), Decimal(5)), date(2026, 1, 12), place=place)
    found, _ = tied([moved], "2026-01")
    assert found.ties
    (line,) = found.timing
    assert line.timing == Timing.DAY
    assert ("2026-01-10" in line.reason, "2026-01-12" in line.reason) == (True, True)
    again = World(claim, [])  # it says of which day it is, as one that is posted late, but that is none
    again.put(voucher("10", date(2026, 1, 10), Decimal(5)), date(2026, 1, 12), place=place)
    assert [line.timing for line in again.lines("2026-01")] == [Timing.DAY]
    hidden = World(claim, [])
    hidden.put(voucher("10", date(2026, 2, 1), Decimal(5)), date(2026, 2, 1))  # it does not say of which day it is
    assert [line.difference for line in hidden.lines("2026-01")] == [Kind.PERIOD]


def test_a_correction_that_is_in_ifs_already_is_not_due() -> None:
    """Its answer was lost; the next run finds it."""
    day = date(2026, 1, 10)
    old, new, nothing = voucher("10", day, Decimal(5)), voucher("10", day, Decimal(6)), Voucher("10", day, "")
    claim = msgspec.structs.replace(_claim(day), amount=Decimal(6), changed=True, wanted=new)
    world = World(claim, [])
    world.put(old, day)
    assert [line.difference for line in world.lines("2026-01")] == [Kind.CHANGED]
    world.put(negated(old), day, reversal=True)
    world.put(new, day, version=2)
    assert [line.difference for line in world.lines("2026-01")] == [""]
    world.there.pop()
    withdrawn = msgspec.structs.replace(claim, wanted=nothing)
    (line,) = lines_of(withdrawn, world.there, CALENDAR, "2026-01")
    assert (line.difference, line.state) == ("", State.NOT_DUE)
    dated = msgspec.structs.replace(claim, amount=Decimal(5), dated_on=day + timedelta(days=30))
    moved = msgspec.structs.replace(dated, wanted=msgspec.structs.replace(old, dated_on=dated.dated_on))
    assert [line.difference for line in lines_of(moved, world.there[:1], CALENDAR, "2026-01")] == [Kind.CHANGED]


def test_negative_documents_keep_their_sign_on_both_sides() -> None:
    body = negated(voucher("10", date(2026, 1, 10), Decimal(5)))
    claim = msgspec.structs.replace(_claim(date(2026, 1, 10)), amount=Decimal(-5), expected=body)
    world = World(claim, [])
    world.put(body, date(2026, 1, 10))
    found, told = tied([world], "2026-01")
    assert found.ties
    assert told[0].ifs_amount == Decimal(-5)


def test_year_end_periods_belong_to_groups_that_post_there() -> None:
    ordinary = Period("10", 2026, 12, date(2026, 12, 1), date(2026, 12, 31), open=True)
    ending = Period("10", 2026, 13, date(2026, 12, 31), date(2026, 12, 31), open=True, year_end=True)
    groups = {("10", "AC"): UserGroup("10", "AC"), ("10", "YE"): UserGroup("10", "YE", year_end=True)}
    books = Books(periods={"10": (ordinary, ending)}, groups=groups)
    last = date(2026, 12, 31)
    assert calendar_of(books, "AC").period("10", last) == "2026-12"
    assert calendar_of(books, "YE").period("10", last) == "2026-13"
    assert calendar_of(books, "YE").period("10", date(2026, 12, 30)) == UNKNOWN
    assert calendar_of(books, "AC").days("2026-12") == ("2026-12-01", "2026-12-31")


@pytest.mark.parametrize(
    ("said", "is_written"), [("2026-9", "2026-09"), (" 2026-10 ", "2026-10"), ("October", ""), ("2026-100", "")]
)
def test_a_period_is_written_one_way(said: str, is_written: str) -> None:
    assert written(said) == is_written


def test_periods_follow_each_other_whatever_the_year() -> None:
    assert all(left < right for left, right in pairwise(PERIODS))
    assert CALENDAR.period("20", date(2026, 1, 15)) == "2026-07"
    assert CALENDAR.days("2026-01") == ("2025-07-01", "2026-01-31")


@pytest.mark.parametrize(
    ("amount", "settled", "lines", "rows", "carried"),
    [
        ("5", None, (), ("5", "-5"), True),
        ("5", "6.5", (), ("4.99", "1.51", "-6.5"), True),
        ("5", None, ("2", "3"), ("2", "3", "0.07", "-5.07"), True),
        ("5", None, (), ("6", "-6"), False),
        ("5", None, ("2", "3"), ("2", "4", "-6"), False),
    ],
)
def test_a_voucher_must_move_what_the_document_says_itself(
    amount: str, settled: str | None, lines: tuple[str, ...], rows: tuple[str, ...], carried: bool
) -> None:
    document = Document(
        "1",
        "payment",
        "PAY-1",
        "settled",
        "SUB-10",
        Money(Decimal(amount), "EUR"),
        date(2026, 1, 1),
        settlement=Money(Decimal(settled), "EUR") if settled else None,
        lines=tuple(SpendLine(number, Decimal(one)) for number, one in enumerate(lines, 1)),
    )
    made = tuple(VoucherRow("1", "EUR", Decimal(one), Decimal(one)) for one in rows)
    assert carries(document, Voucher("10", date(2026, 1, 1), "", made)) is carried


def test_lists_are_bounded_and_say_what_they_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.compare.tieout.tying.LINES_MAX", 2)
    world = World(_claim(date(2026, 1, 10)), [])
    found, told = tied([world] * 5, "2026-01")
    assert len(told) == 5
    assert len(found.differences) == 2
    assert found.cut == {"differences": 3}
    assert found.totals[0].differences == 5


# What a run would do


DAY = date(2026, 1, 10)
DOCUMENT = Document(
    "d1", "payment", "PAY-1", "settled", "SUB-10", Money(Decimal(5), "EUR"), DAY, url="https://a.example"
)
BODY, OTHER = voucher("10", DAY, Decimal(5)), voucher("10", DAY, Decimal(5), account="7000")
NOTHING = Voucher("10", DAY, "")
HELD = Held("period_closed", "It is closed.", "Open it.")
REFUSAL = Held("refused_by_ifs", "IFS refused it.", "Open it.")
DOUBLED = Held("doubled_in_target", "It is there twice.", "Keep one.")


def link(agreed: Voucher = BODY, active: bool = True) -> Link:
    return Link("d1", "10/X/2026/1", "digest", active, agreed)


@pytest.mark.parametrize(
    ("decision", "linked", "state", "expected", "active", "changed"),
    [
        (Decision("d1", Action.CREATE, BODY), None, State.TO_COME, BODY, True, False),
        (Decision("d1", Action.RELINK, BODY), None, State.POSTED, BODY, True, False),
        (Decision("d1", Action.NOT_DUE, NOTHING, active=False), None, State.NOT_DUE, None, False, False),
        (Decision("d1", Action.NOT_DUE, BODY), None, State.NOT_DUE, BODY, True, False),
        (Decision("d1", Action.HELD, held=HELD), None, State.HELD, None, True, False),
        (Decision("d1", Action.HELD, held=REFUSAL), None, State.REFUSED, None, True, False),
        (Decision("d1", Action.UNCHANGED), link(), State.POSTED, BODY, True, False),
        (Decision("d1", Action.UNCHANGED), link(NOTHING, active=False), State.NOT_DUE, None, False, False),
        (Decision("d1", Action.RELINK, OTHER), link(), State.POSTED, OTHER, True, False),
        (Decision("d1", Action.UPDATE, OTHER, BODY), link(), State.POSTED, BODY, True, True),
        (Decision("d1", Action.UPDATE, OTHER), link(NOTHING, active=False), State.TO_COME, None, False, False),
        (Decision("d1", Action.DEACTIVATE, NOTHING, active=False), link(), State.POSTED, BODY, True, True),
        (Decision("d1", Action.HELD, held=HELD), link(), State.POSTED, BODY, True, True),
        (Decision("d1", Action.HELD, held=DOUBLED), link(), State.POSTED, BODY, True, False),
        (Decision("d1", Action.HELD, held=HELD), link(NOTHING, active=False), State.HELD, None, False, False),
    ],
)
def test_what_should_stand_follows_from_link_and_decision(
    decision: Decision, linked: Link | None, state: State, expected: Voucher | None, active: bool, changed: bool
) -> None:
    claim = claim_of("payments", Sight("d1", DOCUMENT), decision, linked, {"SUB-10": "10"})
    assert (claim.state, claim.expected, claim.active, claim.changed) == (state, expected, active, changed)
    assert (claim.company, claim.currency, claim.amount, claim.dated_on) == ("10", "EUR", Decimal(5), DAY)
    assert (claim.number, claim.url, claim.carried) == ("PAY-1", "https://a.example", True)


def test_a_document_that_nobody_can_read_counts_without_an_amount() -> None:
    sight = Sight("d1", unreadable=Held("unreadable", "It has no amount.", "Correct it."))
    decision = Decision("d1", Action.HELD, held=sight.unreadable)
    alone = claim_of("payments", sight, decision, None, {})
    (line,) = lines_of(alone, [], CALENDAR, "2026-01")
    assert (line.company, line.state, line.amount, line.reason) == (
        UNKNOWN,
        State.HELD,
        Decimal(0),
        "It has no amount.",
    )
    there = World(claim_of("payments", sight, decision, link(), {}), [])
    there.put(BODY, DAY)
    (line,) = there.lines("2026-01")
    assert (line.company, line.difference, line.state) == ("10", Kind.UNREADABLE, State.POSTED)
    assert line.ifs_amount == line.ledger.amount == max(row.amount for row in BODY.rows)


# Master data


def test_digests_of_both_sides_are_equal_exactly_when_the_sides_are() -> None:
    first, second = Vendor("a", "A", True, ()), Vendor("b", "B", True, ())
    mirroring = Mirroring("suppliers", "Suppliers")
    for key, record in (("1", first), ("2", second)):
        mirroring.there(key)
        mirroring.add(Sight(key, record), Decision(key, Action.UNCHANGED, record, record))
    equal = mirroring.made()
    assert (equal.source, equal.target, equal.equal, equal.source_digest) == (2, 2, 2, equal.target_digest)
    mirroring.there("3")  # of which the source knows nothing
    mirroring.add(Sight("4", second), Decision("4", Action.CREATE, second))
    mirroring.add(Sight("5", second), Decision("5", Action.UPDATE, second, first, "id"))
    mirroring.add(Sight("6", second), Decision("6", Action.HELD, held=HELD))
    found = mirroring.made()
    assert (found.missing, found.differing, found.extra, found.held) == (1, 1, 1, 1)
    assert found.source_digest != found.target_digest
    assert {line.key: line.difference for line in found.differences} == {
        "3": Kind.EXTRA,
        "4": Kind.MISSING,
        "5": Kind.CHANGED,
    }


@pytest.mark.parametrize("cause", ["doubled_in_target", "differs_in_target"])
def test_what_differs_without_being_known_leaves_no_equal_digests(cause: str) -> None:
    mirroring = Mirroring("suppliers", "Suppliers")
    mirroring.there("1")
    held = Held(cause, "It differs.", "Look.")
    mirroring.add(Sight("1", Vendor("a", "A", True, ())), Decision("1", Action.HELD, held=held))
    found = mirroring.made()
    assert found.differing == len(found.differences) == 1
    assert found.source_digest != found.target_digest
