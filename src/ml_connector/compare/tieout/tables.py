"""A tie-out as tables, for files that spreadsheets open.

Rule: the documents are told one by one, whatever their number; an amount that a spreadsheet would round is there in
digits as well.
Must not know: how a file is written.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.compare.tieout import words
from ml_connector.compare.tieout.shapes import Line, Mirror, TieOut
from ml_connector.records import keys, sheet
from ml_connector.records.money import plain

Cell = str | int | Decimal | None
DIGITS_MAX = 15  # that a spreadsheet keeps of a number
HEADINGS = (
    *("Flow", "Document", "Number", "Company", "Period", "Date", "Currency", "Amount", "State"),
    *("Voucher in IFS", "Place", "Period in IFS", "Amount in IFS", "Difference", "Timing", "Reason", "What to do"),
    *("In Airbase", "In IFS"),
)
IN_DIGITS = ("Amount in digits", "Amount in IFS in digits")
RECONCILED = ("Company", "Currency", "What", "Documents or vouchers", "Amount", "Amount in digits")
COUNTED = (
    *("Flow", "In the source", "In the target", "Equal", "Different", "Missing", "Extra", "Held", "Not due"),
    *("Digest of the source", "Digest of the target"),
)
PLACES = {"ledger": "ledger", "hold": "hold table"}


class Sheet(NamedTuple):
    """A table with its title."""

    title: str
    headings: tuple[str, ...]
    rows: Iterable[tuple[Cell, ...]]


def row(line: Line) -> tuple[Cell, ...]:
    """A document as a row under `HEADINGS`."""
    about = (line.flow, keys.shown(line.key), line.number, line.company, line.period, line.dated_on, line.currency)
    state = words.called(words.STATES, line.state)
    there = (keys.shown(line.target_id), PLACES.get(line.place, line.place), line.ifs_period, line.ifs_amount)
    differs = (words.called(words.KINDS, line.difference), words.called(words.TIMES, line.timing))
    return (*about, line.amount, state, *there, *differs, line.reason, line.remedy, line.url, line.ifs_url)


def as_csv(lines: Iterable[Line]) -> Iterator[str]:
    """Documents as CSV, line by line."""
    yield sheet.line(HEADINGS)
    for one in lines:
        yield sheet.line([f"{cell:f}" if isinstance(cell, Decimal) else cell for cell in row(one)])


def sheets(found: TieOut, lines: Iterable[Line], facts: Iterable[tuple[str, str]] = ()) -> Iterator[Sheet]:
    """All of a tie-out; `lines`: its documents one by one; `facts`: what else there is to say of it."""
    yield Sheet("Summary", ("What", ""), [("Verdict", words.headline(found)), *_facts(found), *facts])
    yield Sheet("Reconciliation", RECONCILED, _reconciled(found))
    yield _listed("Documents", lines)
    yield _listed("Differences", found.differences)
    yield _listed("Timing", found.timing)
    yield _listed("Waiting", found.waiting)
    yield Sheet("Master data", COUNTED, [_counted(one) for one in found.mirrors])


def kept_as(number: int, digest: str, signed_at: datetime | None, signed_by: str, note: str) -> list[tuple[str, str]]:
    """Facts of a tie-out that was kept."""
    told = [("Tie-out", str(number)), ("SHA-256", digest)]
    if signed_at is None:
        return [*told, ("Signed off", "not yet")]
    return [*told, ("Signed off", f"{_instant(signed_at)} by {signed_by}"), ("Note", note)]


def _facts(found: TieOut) -> Iterator[tuple[str, str]]:
    yield "Connection", found.connection
    yield "Period", found.period
    yield "Documents of", ", ".join(found.flows).replace("_", " ")
    yield "Made at", _instant(found.made_at)
    yield "Made by", found.made_by
    for name, more in found.cut.items():
        yield f"Not listed under {name.replace('_', ' ')}", f"{more:,} more; the documents have them all"
    for assumed in found.assumed:
        yield "Assumed", assumed


def _reconciled(found: TieOut) -> Iterator[tuple[Cell, ...]]:
    for total in found.totals:
        for step in words.steps(total):
            amount = step.figure.amount
            yield total.company, total.currency, step.name, step.figure.count, amount, _in_digits(amount)


def _listed(title: str, lines: Iterable[Line]) -> Sheet:
    rows = ((*row(one), _in_digits(one.amount), _in_digits(one.ifs_amount)) for one in lines)
    return Sheet(title, (*HEADINGS, *IN_DIGITS), rows)


def _counted(one: Mirror) -> tuple[Any, ...]:
    numbers = (one.source, one.target, one.equal, one.differing, one.missing, one.extra, one.held, one.not_due)
    return one.title, *numbers, one.source_digest, one.target_digest


def _in_digits(amount: Decimal | None) -> str:
    """The amount where a spreadsheet would round it."""
    if amount is None:
        return ""
    told = plain(amount)
    return told if len(told.lstrip("-0.").replace(".", "")) > DIGITS_MAX else ""


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"
