"""What the ledger refuses in a voucher.

Rule: a voucher without a flaw may be posted; the first flaw is the one an ERP would show.
It must not know where the voucher came from or where it goes.
"""

from collections.abc import Iterator
from decimal import Decimal

from ml_connector.sandbox.posting.books import CURRENCIES, Books, Period
from ml_connector.sandbox.posting.draft import Draft, DraftRow, Flaw
from ml_connector.sandbox.world.ledger import CODE_PARTS

TEXT_MAX = 200


def flaws(draft: Draft, books: Books) -> list[Flaw]:
    """All that is wrong with a voucher."""
    empty = [] if draft.rows else [Flaw("Voucher.NOROWS", "The voucher has no rows.")]
    return [*head_flaws(draft, books), *empty, *_of_rows(draft, books), *_of_sums(draft, books)]


def head_flaws(draft: Draft, books: Books) -> list[Flaw]:
    """All that is wrong with a voucher whatever its rows are."""
    return [*_of_type(draft, books), *_of_period(draft, books), *_of_text(draft.text, "Voucher")]


def period_of(draft: Draft, books: Books) -> Period | None:
    """The period that a voucher belongs to, by its date and what its user group may post to."""
    year_end = books.year_end_group(draft.company, draft.user_group) or False
    return books.period(draft.company, draft.dated_on, year_end)


def _of_type(draft: Draft, books: Books) -> Iterator[Flaw]:
    if books.voucher_type(draft.company, draft.voucher_type) is None:
        yield Flaw("VoucherType.NOTEXIST", f"The voucher type {draft.voucher_type} does not exist.")


def _of_text(text: str | None, where: str) -> Iterator[Flaw]:
    if len(text or "") > TEXT_MAX:
        yield Flaw(f"{where}.TEXTTOOLONG", f"The text has more than {TEXT_MAX} characters.")


def _of_period(draft: Draft, books: Books) -> Iterator[Flaw]:
    year_end = books.year_end_group(draft.company, draft.user_group)
    if year_end is None:
        yield Flaw("UserGroupFinance.NOTEXIST", f"The user group {draft.user_group} does not exist.")
    period = period_of(draft, books)
    if period is None and year_end and books.period(draft.company, draft.dated_on, year_end=False):
        yield Flaw("UserGroupPeriod.NOTALLOWED", f"The user group {draft.user_group} posts to year-end periods only.")
    elif period is None:
        yield Flaw("AccountingPeriod.NOTEXIST", f"There is no accounting period for {draft.dated_on}.")
    else:
        yield from _of_year(draft, books, period)


def _of_year(draft: Draft, books: Books, period: Period) -> Iterator[Flaw]:
    if not period.is_open:
        yield Flaw("AccountingPeriod.CLOSED", f"The period {period.year} {period.number} is closed.")
    if draft.year not in (None, period.year):
        yield Flaw("Voucher.WRONGYEAR", f"The voucher date {draft.dated_on} is not in the year {draft.year}.")
    if not books.has_series(draft.company, draft.voucher_type, period.year):
        yield Flaw(
            "VoucherNoSerial.NOTALLOTTED",
            f"The voucher type {draft.voucher_type} has no voucher numbers for the year {period.year}.",
        )


def _of_rows(draft: Draft, books: Books) -> Iterator[Flaw]:
    for at, row in enumerate(draft.rows):
        for flaw in (*_of_amounts(row, books.currency(draft.company)), *_of_account(draft, row, books)):
            yield flaw._replace(row=at)


def _of_amounts(row: DraftRow, company_currency: str) -> Iterator[Flaw]:
    if row.currency not in CURRENCIES:
        yield Flaw("CurrencyCode.UNKNOWN", f"The currency code {row.currency} does not exist.")
    if row.amount is None or row.company_amount is None:
        yield Flaw("VoucherRow.NOAMOUNT", "The row has no amount.")
    elif row.currency == company_currency and row.amount != row.company_amount:
        yield Flaw("VoucherRow.AMOUNTSDIFFER", f"The two amounts in {company_currency} are not the same.")
    yield from _of_text(row.text, "VoucherRow")


def _of_account(draft: Draft, row: DraftRow, books: Books) -> Iterator[Flaw]:
    account = books.account(draft.company, row.account) if row.account else None
    if account is None:
        yield Flaw("Account.NOTEXIST", f"The account {row.account} does not exist.")
        return
    if not account.covers(draft.dated_on):
        yield Flaw("Account.NOTVALID", f"The account {row.account} is not valid on {draft.dated_on}.")
    for part in CODE_PARTS:
        demand, value = account.demands[part], row.parts.get(part)
        if demand == "Mandatory" and value is None:
            yield Flaw(
                f"Account.CODE{part}MISSING", f"The code part {part} is mandatory for the account {row.account}."
            )
        elif demand == "Blocked" and value is not None:
            yield Flaw(f"Account.CODE{part}BLOCKED", f"The code part {part} is blocked for the account {row.account}.")
        elif value is not None:
            yield from _of_part(draft, part, value, books)


def _of_part(draft: Draft, part: str, value: str, books: Books) -> Iterator[Flaw]:
    found = books.part(draft.company, part, value)
    if found is None:
        yield Flaw(f"Code{part}.NOTEXIST", f"The value {value} of the code part {part} does not exist.")
    elif not found.covers(draft.dated_on):
        yield Flaw(f"Code{part}.NOTVALID", f"The value {value} of code part {part} is not valid on {draft.dated_on}.")


def _of_sums(draft: Draft, books: Books) -> Iterator[Flaw]:
    left = sum((row.company_amount for row in draft.rows if row.company_amount is not None), Decimal(0))
    if left:
        company_currency = books.currency(draft.company)
        yield Flaw("Voucher.NOTBALANCED", f"The voucher does not balance: {left:f} {company_currency} are left.")
