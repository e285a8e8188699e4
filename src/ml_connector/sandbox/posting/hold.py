"""The hold table: what IFS adds to a voucher and its rows as they come in or change, and the check of the whole.

Rule: a voucher is checked as a whole once all changes of its transaction are made, never row by row.
It must not know HTTP, nor where a change came from.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.posting.amounts import in_company_currency, one_sided
from ml_connector.sandbox.posting.books import Books
from ml_connector.sandbox.posting.draft import Draft, DraftRow, Flaw, Unfit
from ml_connector.sandbox.posting.rules import flaws, head_flaws, period_of
from ml_connector.sandbox.posting.series import allot
from ml_connector.sandbox.world import Key, World
from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW

USER = "MLC_SERVICE"
REFERENCE = ("ReferenceSerie", "ReferenceNumber")
VOUCHER_KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
_COMPANY_AMOUNTS = ("DebetAmount", "CreditAmount")
_DECIDES_AMOUNTS = {"CurrencyCode", "CurrencyRate", "CurrencyDebetAmount", "CurrencyCreditAmount"}
Values = dict[str, Any]


def new_voucher(world: World, values: Values) -> Values:
    """A voucher with all that IFS adds to it: year, period, number, day, user, function group."""
    books, draft = Books(world), _head(values)
    demand_none(head_flaws(draft, books))
    period = period_of(draft, books)
    if period is None:
        raise Unfit("AccountingPeriod.NOTEXIST", f"There is no accounting period for {draft.dated_on}.")
    kind = books.voucher_type(draft.company, draft.voucher_type) or {}
    number = values.get("VoucherNo") or allot(world, draft.company, draft.voucher_type, period.year)
    return {
        "AccountingYear": period.year,
        **values,
        "VoucherNo": number,
        "AccountingPeriod": period.number,
        "EntryDate": world.now().date(),
        "Userid": USER,
        "FunctionGroup": kind.get("VoucherGroup"),
    }


def changed_voucher(world: World, old: Values, values: Values) -> Values:
    """The changes of a voucher, and the period that follows from them."""
    books, draft = Books(world), _head({**old, **values})
    demand_none(head_flaws(draft, books))
    period = period_of(draft, books)
    return values if period is None else {**values, "AccountingPeriod": period.number}


def new_row(world: World, values: Values) -> Values:
    """A row with all that IFS adds to it: number, amounts in the company's currency, rate, reference."""
    key = tuple(values[name] for name in VOUCHER_KEY)
    voucher = world.get(HOLD, key)
    if voucher is None:  # the insert will say so
        return values
    last = max((row["RowNo"] for row in world.below(HOLD_ROW, key)), default=Decimal(0))
    reference = {name: voucher[name] for name in REFERENCE}
    return {"RowNo": last + 1, **_with_amounts(world, values), **reference}


def changed_row(world: World, old: Values, values: Values) -> Values:
    """The changes of a row, and the amounts in the company's currency that follow from them."""
    if not _DECIDES_AMOUNTS & set(values) and not set(_COMPANY_AMOUNTS) & set(values):
        return values
    keeps = dict.fromkeys(_COMPANY_AMOUNTS) if not set(_COMPANY_AMOUNTS) & set(values) else {}
    full = _with_amounts(world, {**old, **keeps, **values})
    return {**values, **{name: full[name] for name in (*_COMPANY_AMOUNTS, "CurrencyRate")}}


def settle(world: World, keys: Iterable[Key]) -> None:
    """Give the rows of these vouchers the reference of their voucher, and check each as a whole.

    Raises: Unfit with what an ERP would show first.
    """
    books = Books(world)
    for key in keys:
        voucher = world.get(HOLD, key)
        if voucher is not None:
            rows = world.below(HOLD_ROW, key)
            _spread_reference(world, voucher, rows)
            demand_none(flaws(_head(voucher)._replace(rows=[draft_row(row) for row in rows]), books))


def demand_none(found: list[Flaw]) -> None:
    """Raise Unfit for the first flaw."""
    if found:
        raise Unfit(found[0].code, found[0].text)


def parts_of(row: Values) -> dict[str, str]:
    """The code parts of a row that have a value."""
    return {part: row[f"Code{part}"] for part in CODE_PARTS if row.get(f"Code{part}") is not None}


def draft_row(row: Values) -> DraftRow:
    """A row of the hold table as it is checked."""
    amount = one_sided(row["CurrencyDebetAmount"], row["CurrencyCreditAmount"])
    company_amount = one_sided(row["DebetAmount"], row["CreditAmount"])
    return DraftRow(row["Account"], parts_of(row), row["CurrencyCode"], amount, company_amount, row["Text"])


def _head(voucher: Values) -> Draft:
    return Draft(
        company=voucher["Company"],
        voucher_type=voucher["VoucherType"],
        user_group=voucher["UserGroup"],
        dated_on=voucher["VoucherDate"],
        year=voucher.get("AccountingYear"),
        rows=[],
        text=voucher.get("VoucherText"),
    )


def _with_amounts(world: World, values: Values) -> Values:
    company_currency = Books(world).currency(values["Company"])
    currency, rate = values["CurrencyCode"], values.get("CurrencyRate")
    side, amount = _side(values.get("CurrencyDebetAmount"), values.get("CurrencyCreditAmount"))
    if one_sided(values.get("DebetAmount"), values.get("CreditAmount")) is None:
        values = {**values, side: in_company_currency(amount, currency, rate, company_currency)}
    one = Decimal(1) if currency == company_currency else None
    return {**dict.fromkeys(_COMPANY_AMOUNTS), **values, "CurrencyRate": one if rate is None else rate}


def _side(debit: Decimal | None, credit: Decimal | None) -> tuple[str, Decimal]:
    one_sided(debit, credit)
    if debit is not None:
        return "DebetAmount", debit
    if credit is not None:
        return "CreditAmount", credit
    raise Unfit("VoucherRow.NOAMOUNT", "The row has no amount.")


def _spread_reference(world: World, voucher: Values, rows: list[Values]) -> None:
    reference = {name: voucher[name] for name in REFERENCE}
    for row in rows:
        if any(row[name] != value for name, value in reference.items()):
            world.update(HOLD_ROW, [row[name] for name in (*VOUCHER_KEY, "RowNo")], reference)
