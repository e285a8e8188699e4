"""A tie-out in words and tables: what is said adds up, exactly, and no digit is lost on the way into a file."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from ml_connector.compare.tieout import tables, words
from ml_connector.compare.tieout.shapes import Figure, Kind, Line, Mirror, State, TieOut, Total
from ml_connector.records import money

AT = datetime(2026, 10, 2, tzinfo=UTC)
AMOUNTS = some.decimals(-(10**15), 10**15, allow_nan=False, places=3)
FIGURES = some.builds(Figure, some.integers(0, 10**6), AMOUNTS)
TEXTS = some.text(max_size=20)
LINES = some.builds(
    Line, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, some.sampled_from(["EUR", "JPY", "KWD"]), AMOUNTS, ifs_amount=AMOUNTS
)


def tie_out(*totals: Total, **more: object) -> TieOut:
    return TieOut("acme", "2026-09", AT, "kari", totals, **more)  # pyright: ignore[reportArgumentType]


@given(some.builds(Total, some.just("10"), some.just("EUR"), *[FIGURES] * 11))
def test_a_reconciliation_adds_up(one: Total) -> None:
    """Whatever the figures: rows above a sum come to it, when what was read is the sum of its states."""
    states = (one.posted, one.already_there, one.held, one.refused, one.not_due, one.to_come)
    steps = words.steps(Total("10", "EUR", words.figure(states), *states, one.ledger, one.hold, one.later, one.earlier))
    first, second = (steps[:6], steps[6:11])
    for rows in (first, second):
        assert words.figure(step.figure for step in rows[:-1]) == rows[-1].figure
    assert [step.name for step in words.steps_told(one) if step.sum] == [step.name for step in steps if step.sum]


@given(AMOUNTS, some.sampled_from(["EUR", "JPY", "KWD"]))
def test_no_digit_is_lost(amount: Decimal, currency: str) -> None:
    told = words.amount(amount, currency)
    assert Decimal(told.replace(",", "")) == amount == Decimal(words.in_digits(amount, currency))
    assert len(told.partition(".")[2]) >= money.decimals(currency)


@given(some.lists(LINES, max_size=5))
def test_a_table_says_the_same_and_computes_nothing(lines: list[Line]) -> None:
    rows = list(csv.reader(io.StringIO("".join(tables.as_csv(lines)), newline="")))
    assert len(rows) == len(lines) + 1
    assert {len(row) for row in rows} == {len(tables.HEADINGS)}
    for one, row in zip(lines, rows[1:], strict=True):
        assert Decimal(row[tables.HEADINGS.index("Amount")]) == one.amount
        texts = [cell for name, cell in zip(tables.HEADINGS, row, strict=True) if not name.startswith("Amount")]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _number(cell) for cell in texts)


def test_an_amount_is_never_told_with_an_exponent() -> None:
    """A spreadsheet would show another one, or take it for text."""
    line = Line("payments", "p", "P", "10", "2026-09", "EUR", Decimal("-1E+3"), ifs_amount=Decimal("0E-8"))
    (_, row) = csv.reader(io.StringIO("".join(tables.as_csv([line])), newline=""))
    told = dict(zip(tables.HEADINGS, row, strict=True))
    assert (told["Amount"], told["Amount in IFS"]) == ("-1000", "0.00000000")


def _number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit()


def test_the_first_sentence_says_it_all() -> None:
    posted, none = Figure(2, Decimal("1204300.5")), Figure()
    even = Total("10", "EUR", posted, posted, ledger=posted)
    assert words.headline(tie_out(even)) == "Period 2026-09 ties out: 2 documents, EUR 1,204,300.50 on both sides."
    waits = Total("10", "JPY", posted, posted, ledger=none, hold=Figure(2, Decimal("1204300.5")))
    assert words.headline(tie_out(waits)).endswith("on both sides, 2 still in the hold table.")
    assert "ties out: nothing was to be" in words.headline(tie_out(flows=("payments",)))
    assert words.headline(tie_out()).startswith("Of period 2026-09 nothing was compared: no flow")
    held = Line("payments", "p", "P", "10", "2026-09", "EUR", Decimal(1), State.HELD)
    assert words.headline(tie_out(even, waiting=(held,))).endswith("sides. 1 document waits, not posted yet.")
    cut = {"waiting": 1200}
    assert "sides. 1,201 documents wait, not" in words.headline(tie_out(even, waiting=(held,), cut=cut))
    for until_on, over in (("2026-10-01", True), ("2026-10-02", False), ("2026-10-31", False)):
        assert words.headline(tie_out(even, until_on=until_on)).endswith("sides.") == over
    assert words.headline(tie_out(even, until_on="2026-10-31")).endswith("sides. The period was not over yet.")
    lines = (Line("payments", "p", "P", "10", "2026-09", "EUR", Decimal(1), difference=Kind.ACCOUNT),)
    agree = tie_out(even, differences=lines)
    assert words.headline(agree) == "1 difference in period 2026-09; the sums agree."
    off = (Total("10", "EUR", unexplained=Decimal("-912.4")), Total("20", "EUR", unexplained=Decimal(1)))
    found = tie_out(*off, differences=lines, cut={"differences": 1200})
    assert words.headline(found) == "1,201 differences in period 2026-09, EUR 913.40 unexplained."
    many = [Total("10", name, posted, posted) for name in ("AAA", "BBB", "CCC", "DDD", "EEE")]
    assert "amounts in 5 currencies" in words.headline(tie_out(*many))


def test_master_data_that_is_out_of_line_is_said_plainly() -> None:
    digests = ("a" * 64, "b" * 64)
    even = Mirror("accounts", "Accounts", 3, 3, 3, 0, 0, 0, 1, 0, *digests)
    odd = (
        Mirror("suppliers", "Suppliers", 3, 3, 1, 2, 1, 0, 0, 0, *digests),
        Mirror("purchase_orders", "Purchase orders", 3, 3, 3, 0, 0, 1200, 0, 0, *digests),
    )
    assert (tie_out(mirrors=(even,)).in_line, tie_out(mirrors=(even, *odd)).in_line) == (True, False)
    assert "Master data" not in words.headline(tie_out(mirrors=(even,)))
    found = tie_out(mirrors=(even, *odd))
    assert found.ties
    assert words.headline(found).endswith(
        "Master data is out of line (Suppliers: 2 different, 1 missing in Airbase; "
        "Purchase orders: 1,200 no longer in IFS)."
    )


def test_what_a_spreadsheet_would_round_is_there_in_digits() -> None:
    line = Line("payments", "p", "P", "10", "2026-09", "EUR", Decimal("1234567890123456.78"), State.POSTED)
    sheets = {sheet.title: sheet for sheet in tables.sheets(tie_out(), [line], [("SHA-256", "abc")])}
    (row,) = sheets["Documents"].rows
    assert row[-2:] == ("1234567890123456.78", "")
    assert ("SHA-256", "abc") in list(sheets["Summary"].rows)
