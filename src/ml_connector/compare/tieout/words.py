"""A tie-out in words: its first sentence, its reconciliation, its kinds and states.

Rule: amounts of different currencies are never added up; nothing is said that the figures do not say.
Must not know: where it is shown.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.compare.tieout.shapes import Figure, Kind, Mirror, State, TieOut, Timing, Total
from ml_connector.records import money

CURRENCIES_MAX = 4
NO_COMPANY = "?"
STATES = {
    State.POSTED: "posted",
    State.THERE: "already there",
    State.HELD: "held",
    State.REFUSED: "refused",
    State.NOT_DUE: "not due",
    State.TO_COME: "to come",
}
KINDS = {
    Kind.MISSING: "missing in IFS",
    Kind.EXTRA: "should not be in IFS",
    Kind.AMOUNT: "wrong amount",
    Kind.CURRENCY: "wrong currency",
    Kind.PERIOD: "wrong period",
    Kind.ACCOUNT: "wrong account or code part",
    Kind.PARTY: "wrong supplier",
    Kind.DUPLICATE: "posted twice",
    Kind.REVERSED: "reversed in IFS",
    Kind.CHANGED: "changed since it was posted",
    Kind.UNREADABLE: "not readable",
}
IN_MIRRORS = {  # master data goes the other way
    Kind.MISSING: "missing in Airbase",
    Kind.EXTRA: "no longer in IFS",
    Kind.CHANGED: "different",
}
TIMES = {
    Timing.IN_HOLD: "in the hold table",
    Timing.LATER: "posted in another period",
    Timing.EARLIER: "document of another period",
    Timing.DAY: "on another day of the period",
}


class Step(NamedTuple):
    """A row of a reconciliation: what it is, how many, how much.

    `sum`: it is what comes of the rows above; `spare`: it may be left out where it is nothing.
    """

    name: str
    figure: Figure
    sum: bool = False
    spare: bool = False


def headline(found: TieOut) -> str:
    """The whole in a sentence, and in others what it leaves open: what waits, master data, days to come."""
    return " ".join((_verdict(found), *_open(found)))


def _verdict(found: TieOut) -> str:
    if found.ties:
        return _ties(found)
    many = differences(found)
    left = _amounts((one.currency, abs(one.unexplained)) for one in found.totals if one.unexplained)
    told = f"{_count(many, 'difference')} in period {found.period}"
    return f"{told}, {left} unexplained." if left else f"{told}; the sums agree."


def _open(found: TieOut) -> Iterator[str]:
    if many := waiting(found):
        yield f"{_count(many, 'document')} {'waits' if many == 1 else 'wait'}, not posted yet."
    if not found.in_line:
        yield out_of_line(found)
    if found.until_on and found.made_at.date().isoformat() <= found.until_on:
        yield "The period was not over yet."


def out_of_line(found: TieOut) -> str:
    """What of the master data is not equal on both sides, in a sentence."""
    told = "; ".join(f"{one.title}: {_apart(one)}" for one in found.mirrors if not one.in_line)
    return f"Master data is out of line ({told})."


def _apart(one: Mirror) -> str:
    counts = ((one.differing, Kind.CHANGED), (one.missing, Kind.MISSING), (one.extra, Kind.EXTRA))
    return ", ".join(f"{count:,} {IN_MIRRORS[kind]}" for count, kind in counts if count)


def differences(found: TieOut) -> int:
    """How many there are, also of those that are not listed."""
    return len(found.differences) + found.cut.get("differences", 0)


def waiting(found: TieOut) -> int:
    """How many documents wait, also of those that are not listed."""
    return len(found.waiting) + found.cut.get("waiting", 0)


def steps(one: Total) -> list[Step]:
    """The reconciliation of a company and currency, from what was read to what is left."""
    should, there = should_be_in(one), figure((one.ledger, one.hold))
    timed = figure((there, one.later, _less(one.earlier)))
    return [
        Step("Documents in Airbase", one.read),
        Step("less held", _less(one.held), spare=True),
        Step("less refused", _less(one.refused), spare=True),
        Step("less not due", _less(one.not_due), spare=True),
        Step("less to come", _less(one.to_come), spare=True),
        Step("Should be in IFS", should, sum=True),
        Step("In the ledger", one.ledger),
        Step("In the hold table", one.hold),
        Step("plus posted in other periods", one.later, spare=True),
        Step("less of documents of other periods", _less(one.earlier), spare=True),
        Step("In IFS for this period", timed, sum=True),
        Step("Difference", Figure(should.count - timed.count, one.unexplained), sum=True),
    ]


def steps_told(one: Total) -> list[Step]:
    """The same without rows in which there is nothing."""
    return [step for step in steps(one) if not step.spare or step.figure.count or step.figure.amount]


def title(one: Total) -> str:
    """What a reconciliation is of."""
    return f"{f'Company {one.company}' if one.company != NO_COMPANY else 'No company'}, {one.currency}"


def figure(several: Iterable[Figure]) -> Figure:
    """Figures of one currency together."""
    listed = list(several)
    return Figure(sum(one.count for one in listed), money.total(one.amount for one in listed))


def called(names: Mapping[Any, str], value: str) -> str:
    """What a state, a kind or a timing is called."""
    return names.get(value, value.replace("_", " "))


def amount(value: Decimal, currency: str) -> str:
    """An amount with thousands apart and the decimals of its currency, or more; no digit is lost."""
    return f"{value:,.{_decimals(value, currency)}f}"


def in_digits(value: Decimal, currency: str) -> str:
    """The same without anything between the thousands."""
    return f"{value:.{_decimals(value, currency)}f}"


def should_be_in(one: Total) -> Figure:
    """What of the documents should be in the ledger by now."""
    return figure((one.posted, one.already_there))


def _ties(found: TieOut) -> str:
    there = [(one.currency, should_be_in(one)) for one in found.totals]
    many = sum(one.count for _, one in there)
    if not (found.flows or found.totals):
        return f"Of period {found.period} nothing was compared: no flow that posts documents is in use."
    if not many:
        return f"Period {found.period} ties out: nothing was to be in the ledger."
    sums = _amounts((currency, one.amount) for currency, one in there if one.count)
    waits = sum(one.hold.count for one in found.totals)
    held = f", {waits:,} still in the hold table" if waits else ""
    return f"Period {found.period} ties out: {_count(many, 'document')}, {sums} on both sides{held}."


def _amounts(pairs: Iterable[tuple[str, Decimal]]) -> str:
    """Amounts, each currency for itself."""
    sums: dict[str, Decimal] = {}
    for currency, value in pairs:
        sums[currency] = money.total((sums.get(currency, Decimal(0)), value))
    told = [f"{currency} {amount(value, currency)}" for currency, value in sorted(sums.items())]
    return ", ".join(told) if len(told) <= CURRENCIES_MAX else f"amounts in {len(told)} currencies"


def _decimals(value: Decimal, currency: str) -> int:
    return max(money.decimals(currency), len(money.plain(value).partition(".")[2]))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _less(one: Figure) -> Figure:
    return Figure(-one.count, one.amount.copy_negate() if one.amount else one.amount)
