"""A document becomes a voucher.

Rule: a voucher balances in each currency and in the company's, or there is none.
Must not know: the state of the ledger: periods, validity, what is there already.
"""

from decimal import Decimal

import msgspec

from ml_connector.flows.posting import account, texts
from ml_connector.flows.posting.account import Parts
from ml_connector.flows.posting.amounts import Extra, Settled, less, settled
from ml_connector.flows.posting.case import Case, case_of, number_of, source_of
from ml_connector.flows.posting.holds import held
from ml_connector.flows.posting.remainder import left_over, one_sided, problem_with
from ml_connector.flows.posting.rules import LINES
from ml_connector.records import money
from ml_connector.records.spend import Document, SpendLine
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.flow import Context
from ml_connector.sync.outcome import Held, Owner

DEBIT, CREDIT = Decimal(1), Decimal(-1)


class Sides(msgspec.Struct, frozen=True):
    """The accounts that a document moves between, or `lines`; what left the bank beside it goes against `pays`."""

    debit: str
    credit: str
    pays: Decimal

    @property
    def bank(self) -> str:
        """The account of the side that pays."""
        return self.debit if self.pays == DEBIT else self.credit

    @property
    def lines(self) -> Decimal:
        """The side on which the lines are, where there are any."""
        return DEBIT if self.debit == LINES else CREDIT


def compose(document: Document, context: Context) -> Voucher | Held:
    """The voucher of a document, or why there is none."""
    case = case_of(document, context)
    if isinstance(case, Held):
        return case
    sides = _sides(case)
    extra = settled(document, case.worth, case.book, pays_in=case.rule.pays_in)
    if isinstance(sides, Held):
        return sides
    if isinstance(extra, Held):
        return extra
    rows = _rows(case, sides, extra)
    return rows if isinstance(rows, Held) else _voucher(case, rows)


def _voucher(case: Case, rows: tuple[VoucherRow, ...]) -> Voucher:
    company, document = case.company.company, case.document
    assert document.dated_on is not None  # noqa: S101 - a document without a day has no case
    return Voucher(
        company,
        document.dated_on,
        texts.text_of(document),
        rows,
        case.book.voucher_type(company),
        case.book.user_group,
        case.worth.note,
    )


def _sides(case: Case) -> Sides | Held:
    debit, credit = source_of(case, case.rule.debit), source_of(case, case.rule.credit)
    if isinstance(debit, Held):
        return debit
    return credit if isinstance(credit, Held) else Sides(debit, credit, DEBIT if case.rule.pays_in else CREDIT)


def _rows(case: Case, sides: Sides, extra: Settled) -> tuple[VoucherRow, ...] | Held:
    """All rows: debit, fee, exchange difference, rounding, credit."""
    parts = account.document_parts(case)
    lines = _line_rows(case, sides) if LINES in (sides.debit, sides.credit) else None
    if isinstance(parts, Held):
        return parts
    if isinstance(lines, Held):
        return lines
    if sides.bank == LINES and extra.extras:
        return _nothing_to_pay_from(case)
    between = _between(case, parts, sides, lines, extra)
    if isinstance(between, Held):
        return between
    debit = _total(case, parts, sides, extra, DEBIT) if sides.debit != LINES else lines or ()
    credit = _total(case, parts, sides, extra, CREDIT) if sides.credit != LINES else lines or ()
    return (*debit, *between, *credit)


def _line_rows(case: Case, sides: Sides) -> tuple[VoucherRow, ...] | Held:
    rows: list[VoucherRow] = []
    for line in sorted(case.document.lines, key=lambda line: line.number):
        if line.amount:
            row = _line_row(case, line, sides.lines)
            if isinstance(row, Held):
                return row
            rows.append(row)
    return tuple(rows)


def _line_row(case: Case, line: SpendLine, sign: Decimal) -> VoucherRow | Held:
    found = account.of_line(case, line)
    if isinstance(found, Held):
        return found
    number, parts = found
    amount, worth = money.times(line.amount, sign), money.times(case.worth.share(line.amount), sign)
    text = texts.line_text(case.document, line)
    return VoucherRow(number, case.worth.amount.currency, amount, worth, parts, text, case.document.supplier_id)


def _total(case: Case, parts: dict[str, str], sides: Sides, extra: Settled, sign: Decimal) -> tuple[VoucherRow, ...]:
    """The whole amount on one side: a row for each currency that the bank was asked for."""
    worth = case.worth
    whole = Extra(
        worth.amount.currency, money.times(worth.amount.amount, sign), money.times(worth.company.amount, sign)
    )
    beside = extra.extras if sides.pays == sign else ()
    sums = {whole.currency: whole}
    for one in beside:
        sums[one.currency] = _less(sums.get(one.currency, Extra(one.currency, Decimal(0), Decimal(0))), one)
    number = sides.debit if sign == DEBIT else sides.credit
    return tuple(_row(case, number, one, parts, "") for one in sums.values() if one.amount or one.company_amount)


def _less(left: Extra, right: Extra) -> Extra:
    return Extra(left.currency, less(left.amount, right.amount), less(left.company_amount, right.company_amount))


def _between(
    case: Case, parts: dict[str, str], sides: Sides, lines: tuple[VoucherRow, ...] | None, extra: Settled
) -> tuple[VoucherRow, ...] | Held:
    """Fee, exchange difference and rounding."""
    left = left_over(case, lines, sides.lines, extra.rounding)
    if problem := problem_with(case, left, extra.rounding):
        return problem
    rounding = one_sided(left) if left else ()
    rows: list[VoucherRow] = []
    roles = (
        ("fee", case.rule.fee, _some(extra.fee)),
        ("exchange difference", case.rule.exchange, _some(extra.exchange)),
        ("rounding", case.rule.rounding, rounding),
    )
    for role, name, ones in roles:
        number = _role_account(case, role, name) if ones else ""
        if isinstance(number, Held):
            return number
        rows.extend(_row(case, number, one, parts, role) for one in ones)
    return tuple(rows)


def _some(one: Extra | None) -> tuple[Extra, ...]:
    return (one,) if one else ()


def _role_account(case: Case, role: str, name: str) -> str | Held:
    if name:
        return number_of(case, name)
    cause = f"{role.split()[0]}_account_missing"
    return held(
        case.document,
        cause,
        f"needs an account for the {role}, and the rule {case.rule.name} names none",
        f'Add {role.split()[0]} = "<name of an account>" to the rule {case.rule.name} in the profile; then run again.',
        Owner.CONTROLLER,
    )


def _row(case: Case, number: str, one: Extra, parts: dict[str, str], role: str) -> VoucherRow:
    text = texts.role_text(case.document, role) if role else texts.topic(case.document)
    allowed: Parts = account.allowed(case, number, parts)
    party = case.document.supplier_id
    return VoucherRow(number, one.currency, one.amount, one.company_amount, allowed, text, party)


def _nothing_to_pay_from(case: Case) -> Held:
    return held(
        case.document,
        "settlement_differs",
        f"has a fee or an exchange difference, but the rule {case.rule.name} has no account that it is paid from",
        f"Let the rule {case.rule.name} credit an account instead of lines, or write a rule of its own for it.",
        Owner.CONTROLLER,
    )
