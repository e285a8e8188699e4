"""The day on which a voucher takes effect: its own, or the first open one after it.

Rule: never earlier than the document's own day, and never another one unless the rule book says so.
Must not know: what is posted.
"""

from collections.abc import Sequence
from datetime import date

from ml_connector.flows.posting.guards import hold
from ml_connector.flows.posting.rules import NEXT_OPEN, RuleBook
from ml_connector.records.ledger import Books, Period
from ml_connector.records.voucher import Voucher
from ml_connector.sync.outcome import Admitted, Held, Owner


def opening(record: Voucher, books: Books, book: RuleBook) -> Admitted | Held:
    """On which day a voucher may be posted."""
    group = books.groups.get((record.company, book.user_group))
    if group is None:
        return _no_group(record, book)
    periods = [one for one in books.periods.get(record.company, ()) if one.year_end == group.year_end]
    inside = [one for one in periods if one.from_on <= record.dated_on <= one.until_on]
    if not inside:
        return _no_period(record, book)
    if any(one.open for one in inside):
        return Admitted()
    later = _next_open(periods, record.dated_on) if book.closed_period == NEXT_OPEN else None
    return Admitted(on=later.from_on, late=True) if later else _closed(record, inside[0], book)


def is_open(company: str, day: date, books: Books, book: RuleBook) -> bool:
    """Whether one may post in a company on this very day."""
    opened = opening(Voucher(company, day, ""), books, book)
    return isinstance(opened, Admitted) and not opened.late


def _next_open(periods: Sequence[Period], day: date) -> Period | None:
    open_ones = (one for one in periods if one.open and one.from_on > day)
    return min(open_ones, key=lambda one: one.from_on, default=None)


def _closed(record: Voucher, period: Period, book: RuleBook) -> Held:
    choice = ' (or choose closed_period = "next_open" in [posting] of the profile)'
    waits = " No later period is open either." if book.closed_period == NEXT_OPEN else ""
    return hold(
        record,
        "period_closed",
        f"period {period} is closed in company {record.company}",
        f"Open the period in IFS{'' if waits else choice}, then run again.{waits}",
        Owner.CONTROLLER,
    )


def _no_period(record: Voucher, book: RuleBook) -> Held:
    return hold(
        record,
        "period_missing",
        f"company {record.company} has no period for {record.dated_on} that user group {book.user_group} posts to",
        "Create the period in IFS, or correct the date in Airbase.",
        Owner.CONTROLLER,
    )


def _no_group(record: Voucher, book: RuleBook) -> Held:
    return hold(
        record,
        "user_group_unknown",
        f"company {record.company} has no user group {book.user_group}",
        "Name another user_group in [posting] of the profile.",
        Owner.ADMINISTRATOR,
    )
