"""What rounding leaves over, and whether it is little enough to be booked as such.

Rule: never more than the rule book's cap; what is more is held, and the sentence says which amounts do not agree.
Must not know: accounts.
"""

from collections.abc import Sequence
from decimal import Decimal

from ml_connector.flows.posting.amounts import Extra, less
from ml_connector.flows.posting.case import Case
from ml_connector.flows.posting.holds import held
from ml_connector.records import money
from ml_connector.records.money import Money
from ml_connector.records.voucher import VoucherRow
from ml_connector.sync.outcome import Held, Owner


def left_over(case: Case, lines: Sequence[VoucherRow] | None, sign: Decimal, of_bank: Extra | None) -> Extra | None:
    """What is left of the lines on their side against the whole, and of what went through the bank."""
    worth, over = case.worth, of_bank or Extra(case.worth.amount.currency, Decimal(0), Decimal(0))
    amount, company = over.amount, over.company_amount
    if lines is not None:
        amounts, shares = money.total(row.amount for row in lines), money.total(row.company_amount for row in lines)
        amount = less(money.total((amount, money.times(worth.amount.amount, sign))), amounts)
        company = less(money.total((company, money.times(worth.company.amount, sign))), shares)
    return Extra(over.currency, amount, company) if amount or company else None


def problem_with(case: Case, left: Extra | None, of_bank: Extra | None) -> Held | None:
    """Why what is left over can't be booked as rounding."""
    if left is None or _small(case, left):
        return None
    if of_bank and not _small(case, of_bank):
        return _settlement_differs(case, of_bank)
    return _lines_differ(case, left)


def one_sided(left: Extra) -> tuple[Extra, ...]:
    """Rounding as rows that are debit or credit in both currencies."""
    if left.amount * left.company_amount >= 0:
        return (left,)
    return (Extra(left.currency, left.amount, Decimal(0)), Extra(left.currency, Decimal(0), left.company_amount))


def _small(case: Case, left: Extra) -> bool:
    largest = max(left.company_amount.copy_abs(), case.worth.share(left.amount).copy_abs())
    return largest <= case.book.rounding_max


def _lines_differ(case: Case, left: Extra) -> Held:
    document = case.document
    added = money.total(line.amount for line in document.lines)
    currency = document.amount.currency
    limit = Money(case.book.rounding_max, case.company.currency)
    problem = f"is {document.amount}, but its lines add up to {Money(added, currency)}"
    if added == document.amount.amount:
        over = Money(left.company_amount.copy_abs(), case.company.currency)
        problem = f"is off by {over} when its lines are converted one by one"
    return held(
        document,
        "lines_do_not_add_up",
        f"{problem}; up to {limit} is booked as rounding",
        "Correct it in Airbase, or raise rounding_max in [posting] of the profile.",
    )


def _settlement_differs(case: Case, over: Extra) -> Held:
    document = case.document
    return held(
        document,
        "settlement_differs",
        f"is {document.amount} and has a fee of {money.plain(document.fee)}, but {document.settlement} went through "
        f"the bank: {Money(over.amount, over.currency)} too much",
        "Compare it with the bank statement and correct it in Airbase.",
        Owner.CONTROLLER,
    )
