"""What a tie-out of a period should say, worked out from Airbase's JSON and the sandbox's vouchers alone.

A request is what it accrues, a payment is what it takes off what was accrued or is payable; fees, rounding and exchange
differences of the same voucher are not its amount.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import expected_ledger as ledger
from ledger_rig import LedgerRig
from rig import NAME

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Figure, Line, TieOut, Total
from ml_connector.wiring.comparing import tie_out

NOWHERE = "?"
OWED = {"2990", "2440"}  # accrued, payable
Group = tuple[str, str]  # company and currency


@dataclass
class Side:
    """How many documents, and what they come to."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def add(self, amount: Decimal) -> None:
        """One more."""
        self.count += 1
        self.amount = ledger.EXACT.add(self.amount, amount)


@dataclass
class Truth:
    """One company and currency in a period."""

    read: Side = field(default_factory=Side)
    there: Side = field(default_factory=Side)  # posted, or already there
    waits: Side = field(default_factory=Side)  # held or refused
    not_due: Side = field(default_factory=Side)
    in_ifs: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # by place


@dataclass(frozen=True)
class Doc:
    """A document of Airbase, and what should have become of it."""

    flow: str
    key: str
    group: Group
    period: str
    amount: Decimal
    state: str

    def may_be_of(self, period: str) -> bool:
        """Whether it counts in a period; one without a day counts in each until it has one."""
        return self.period in (period, "")


def documents(joined: LedgerRig) -> list[Doc]:
    """All documents of all posting flows."""
    return [one for flow in joined.flows for one in _of(joined, flow)]


def _of(joined: LedgerRig, flow: str) -> Iterator[Doc]:
    books, there = joined.books(), defaultdict[str, list[ledger.Standing]](list)
    for one in ledger.every(joined.box):
        there[one.key].append(one)
    for key, raw in ledger.documents(joined.box, flow).items():
        made, wanted = ledger.doc(flow, raw), ledger.outcome(flow, raw, books)
        company = books.company(made.subsidiary) or NOWHERE
        found = books.period(company, made.day) if made.day and company != NOWHERE else None
        standing = bool(ledger.net(there[key]))
        group = company if found else NOWHERE, made.currency
        yield Doc(flow, key, group, period_of(found), made.amount, _state(wanted, standing))


def _state(wanted: ledger.Outcome, standing: bool) -> str:
    """What may stay stands where it was posted; what only the state of the ledger holds back today does too."""
    stays = (wanted.state == "not_due" and wanted.rows) or wanted.guarded
    return "posted" if standing and stays else wanted.state


def period_of(row: dict[str, Any] | None) -> str:
    """A period as people write it."""
    return f"{int(row['AccountingYear'])}-{int(row['AccountingPeriod']):02d}" if row else ""


def vouchers(joined: LedgerRig) -> Iterator[tuple[Group, str, str, Decimal]]:
    """Every voucher of ours: company and currency, period, place, amount."""
    known = {key for flow in joined.flows for key in ledger.documents(joined.box, flow)}
    requests = ledger.documents(joined.box, "purchase_requests")
    for one in ledger.every(joined.box):
        amount, currency = amount_of(one)
        period = f"{one.voucher['year']}-{one.voucher['period']:02d}"
        turned = one.key in requests if one.key in known else (amount < 0) != one.reversal
        yield (one.voucher["company"], currency), period, one.place, ledger.negated(amount) if turned else amount


def amount_of(one: ledger.Standing) -> tuple[Decimal, str]:
    """What it makes owed, or no longer owed, and in which currency."""
    (row,) = [row for row in one.rows.elements() if row.account in OWED]
    return row.amount, row.currency


def counted(joined: LedgerRig, period: str) -> dict[Group, Truth]:
    """What a tie-out of the period should say of documents."""
    found: dict[Group, Truth] = defaultdict(Truth)
    for one in documents(joined):
        if one.may_be_of(period):
            group = found[one.group]
            group.read.add(one.amount)
            side = {"posted": group.there, "held": group.waits, "not_due": group.not_due}[one.state]
            side.add(one.amount)
    return found


def truth(joined: LedgerRig, period: str) -> dict[Group, Truth]:
    """What a tie-out of the period should say of documents and vouchers."""
    found = counted(joined, period)
    for group, when, place, amount in vouchers(joined):
        if when == period:
            before = found[group].in_ifs[place]
            found[group].in_ifs[place] = ledger.EXACT.add(before, amount)
    return found


def periods(joined: LedgerRig) -> list[str]:
    """Those that any document or voucher is in."""
    named = {one.period for one in documents(joined)} | {period for _, period, _, _ in vouchers(joined)}
    return sorted(named - {""})


def tied(joined: LedgerRig, period: str) -> tuple[TieOut, list[Line]]:
    """The tie-out of a period, and all its lines."""
    lines: list[Line] = []
    with wiring.joined(joined.store, NAME) as both:
        return tie_out(both, period, each=lines.append), lines


def assert_true(joined: LedgerRig, found: TieOut, wanted: dict[Group, Truth]) -> None:
    """Every figure is that of the independent calculation, and the whole adds up."""
    totals = {(one.company, one.currency): one for one in found.totals}
    for group in totals.keys() | wanted.keys():
        _assert_total(group, totals.get(group, Total(*group)), wanted.get(group, Truth()))


def _assert_total(group: Group, said: Total, true: Truth) -> None:
    _assert_counted(group, said, true)
    assert said.ledger.amount == true.in_ifs.get("ledger", 0), (group, said, true)
    assert said.hold.amount == true.in_ifs.get("hold", 0), (group, said, true)
    assert_adds_up(said)


def assert_counted(joined: LedgerRig, found: TieOut, period: str) -> None:
    """Every document is counted as what became of it; of vouchers it is only asked that all adds up."""
    totals, wanted = {(one.company, one.currency): one for one in found.totals}, counted(joined, period)
    for group in totals.keys() | wanted.keys():
        said = totals.get(group, Total(*group))
        _assert_counted(group, said, wanted.get(group, Truth()))
        assert_adds_up(said)


def _assert_counted(group: Group, said: Total, true: Truth) -> None:
    assert pair(said.read) == _side(true.read), (group, said, true)
    assert _both(said.posted, said.already_there) == _side(true.there), (group, said, true)
    assert _both(said.held, said.refused) == _side(true.waits), (group, said, true)
    assert pair(said.not_due) == _side(true.not_due), (group, said, true)
    assert pair(said.to_come) == (0, 0), (group, said)


def assert_adds_up(said: Total) -> None:
    """What was read is in exactly one state; what should be there is what is there, but for what is left over."""
    states = (said.posted, said.already_there, said.held, said.refused, said.not_due, said.to_come)
    assert pair(said.read) == _both(*states), said
    _, there = _both(said.ledger, said.hold, said.later)
    _, should = _both(said.posted, said.already_there, said.earlier)
    assert ledger.less(should, there) == said.unexplained, said


def _side(side: Side) -> tuple[int, Decimal]:
    return side.count, side.amount


def pair(figure: Figure) -> tuple[int, Decimal]:
    """A figure as a pair."""
    return figure.count, figure.amount


def _both(*figures: Figure) -> tuple[int, Decimal]:
    return sum(one.count for one in figures), ledger.total(one.amount for one in figures)
