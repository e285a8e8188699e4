"""Fills a world with a general ledger: accounts, code parts, voucher types, user groups, periods, voucher rows.

Rule: every voucher balances, in its currency and in the company's.
It must not know how rows are stored or served.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.tables import Table
from ml_connector.sandbox.world.values import exact
from ml_connector.sandbox.world.vouchers import LOAD_TYPE, POSTED, SERIES
from ml_connector.sandbox.world.words import COMPANY_CURRENCIES
from ml_connector.sandbox.world.world import World

YEARS = range(2023, 2029)
OPEN_FROM = date(2025, 7, 1)
VOUCHERS_PER_COMPANY = 100
SEEDED_TYPE, SEEDED_YEAR = "M", 2025
ACCOUNTS = (
    ("1510", "Accounts receivable", "Assets"),
    ("1930", "Bank", "Assets"),
    ("1940", "Card clearing", "Assets"),
    ("1950", "Bill payment clearing", "Assets"),
    ("2440", "Accounts payable", "Liabilities"),
    ("2640", "Input VAT", "Liabilities"),
    ("2960", "Employee payables", "Liabilities"),
    ("2990", "Accrued purchases", "Liabilities"),
    ("3010", "Sales", "Revenues"),
    ("3740", "Rounding", "Cost"),
    ("4010", "Goods purchased", "Cost"),
    ("5010", "Rent of premises", "Cost"),
    ("6110", "Office supplies", "Cost"),
    ("6540", "IT services & licences", "Cost"),
    ("6570", "Bank fees", "Cost"),
    ("7690", "Staff costs, other", "Cost"),
    ("7960", "Exchange differences", "Cost"),
    ("8310", "Interest received (closed)", "Revenues"),
    ("9000", "Head count", "Statistics"),
)
CODE_VALUES = {
    "B": (("100", "Administration"), ("200", "Production"), ("300", "Sales & Marketing"), ("900", "Old (closed)")),
    "C": (("C1", "Machines"), ("C2", "Vehicles")),
    "D": (("NORTH", "Region North"), ("SOUTH", "Region South")),
    "F": (("P-001", "New plant"), ("P-002", "Web shop")),
}
FREE_OF_B = ("3740", "6570", "7960")  # cost accounts that do without a cost centre
VOUCHER_TYPES = (
    ("I", "Supplier invoices", "4"),
    ("M", "Manual vouchers", "M"),
    ("Q", "Numbered by hand", "Q"),
    ("U", "Supplier payments", "U"),
    ("X", "External vouchers", "X"),
)
BY_HAND = "Q"
LOAD_TYPES = (("AIRBASE", "Airbase", "X", "AC"),)
YEAR_END_PERIOD = 13
SERIES_LENGTH = 1_000_000
USER_GROUPS = (("AC", "Accounting", "OrdinaryPeriods"), ("YE", "Year end", "YearEndPeriods"))


def fill_ledger(world: World, rng: Random, companies: tuple[str, ...]) -> None:
    """Fill the ledger sets of a world."""
    _load(world, "Reference_Account", _accounts(companies))
    for part in CODE_PARTS:
        _load(world, f"Reference_Code{part}", _code_part(part, companies))
    _load(world, "Reference_VoucherType", _voucher_types(companies))
    _load(world, "Reference_UserGroupFinance", _user_groups(companies))
    _load(world, "AccountingPeriodSet", _periods(companies))
    _load(world, "VoucherRowSet", _voucher_rows(rng, companies))
    _load(world, POSTED, _posted(world))
    _load(world, SERIES, _series(companies))
    _load(world, LOAD_TYPE, _load_types(companies))


def _load(world: World, name: str, rows: Iterator[dict[str, Any]]) -> None:
    table, stamp = world.tables[name], _first_instant(world)
    world.load(name, ([*_values(table, row), stamp] for row in rows))


def _values(table: Table, row: dict[str, Any]) -> list[Any]:
    assert set(row) <= set(table.index), set(row) - set(table.index)  # noqa: S101 - a slip in this file
    return [row.get(item.name) for item in table.properties]


def _first_instant(world: World) -> Any:
    first = world.heap("CompanySet")[0]
    return first[world.tables["CompanySet"].stamp_at]


def _accounts(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for account, text, kind in ACCOUNTS:
            closed = "closed" in text
            rules = {f"ReqCode{part}": _rule(account, kind, part) for part in CODE_PARTS}
            yield {
                "Company": company,
                "CodePart": "A",
                "Account": account,
                "ValidFrom": date(2000, 1, 1),
                "ValidUntil": date(2020, 12, 31) if closed else date(2049, 12, 31),
                "Description": text,
                "AccntGroup": account[0],
                "AccntType": kind[0],
                "LogicalAccountType": kind,
                "LedgFlag": "LedgerAccount" if account in ("1510", "2440") else "NotLedgerAccount",
                "StatAccount": "StatisticalAccount" if kind == "Statistics" else "NoStatisticalAccount",
                "TaxHandlingValue": "All",
                "TaxFlag": "TaxAccount" if account == "2640" else "NotTaxAccount",
                "CurrBalance": "NoCurrencyBalance",
                "ReqText": "Can",
                "TaxCodeMandatory": False,
                **rules,
            }


def _rule(account: str, kind: str, part: str) -> str:
    if part == "B" and kind == "Cost" and account not in FREE_OF_B:
        return "Mandatory"
    return "Can" if part in "BCDF" else "Blocked"


def _code_part(part: str, companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for value, text in CODE_VALUES.get(part, ()):
            yield {
                "Company": company,
                "CodePart": part,
                f"Code{part}": value,
                "ValidFrom": date(2000, 1, 1),
                "ValidUntil": date(2020, 12, 31) if "closed" in text else date(2049, 12, 31),
                "Description": text,
                "SortValue": value,
                "BudgetValue": "NotBudgetAccount",
            }


def _voucher_types(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for voucher_type, text, group in VOUCHER_TYPES:
            yield {
                "Company": company,
                "VoucherType": voucher_type,
                "VoucherGroup": group,
                "AutomaticAllot": "No" if voucher_type == BY_HAND else "Yes",
                "Description": text,
                "LedgerId": "*",
                "UseManual": "TRUE" if group == "M" else "FALSE",
                "UseApprovalWorkflow": "FALSE",
                "SeparateUserApproval": False,
            }


def _user_groups(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for group, text, periods in USER_GROUPS:
            yield {
                "Company": company,
                "UserGroup": group,
                "Description": text,
                "AllowedAccountingPeriod": periods,
            }


def _periods(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for year in YEARS:
            for month in range(1, 13):
                yield _period(company, date(year, month, 1), month)
            yield {**_period(company, date(year, 12, 1), YEAR_END_PERIOD), "Description": f"Year end {year}"}


def _period(company: str, first: date, period: int) -> dict[str, Any]:
    return {
        "Company": company,
        "AccountingYear": Decimal(first.year),
        "AccountingPeriod": Decimal(period),
        "Description": f"{first:%B %Y}",
        "DateFrom": first,
        "DateUntil": (first + timedelta(days=31)).replace(day=1) - timedelta(days=1),
        "PeriodStatus": "Open" if first >= OPEN_FROM else "Closed",
    }


def _series(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The numbers of a year, one series a voucher type; the seeded manual vouchers have taken the first of theirs."""
    kinds = [voucher_type for voucher_type, _, _ in VOUCHER_TYPES if voucher_type != BY_HAND]
    for company in companies:
        for voucher_type in kinds:
            for year in YEARS:
                taken = VOUCHERS_PER_COMPANY if (voucher_type, year) == (SEEDED_TYPE, SEEDED_YEAR) else 0
                yield {
                    "Company": company,
                    "VoucherType": voucher_type,
                    "AccountingYear": Decimal(year),
                    "SerieUntil": Decimal(year * SERIES_LENGTH + SERIES_LENGTH - 1),
                    "NextNo": Decimal(year * SERIES_LENGTH + taken + 1),
                }


def _load_types(companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for company in companies:
        for load_type, text, voucher_type, group in LOAD_TYPES:
            yield {
                "Company": company,
                "LoadType": load_type,
                "Description": text,
                "VoucherType": voucher_type,
                "UserGroup": group,
            }


def _posted(world: World) -> Iterator[dict[str, Any]]:
    table = world.tables[POSTED]
    for row in world.rows("VoucherRowSet"):
        if row["RowNo"] == 1:
            yield {**{name: row[name] for name in table.keys}, "VoucherText": row["Text"]}


def _voucher_rows(rng: Random, companies: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for at, company in enumerate(companies):
        currency = COMPANY_CURRENCIES[at % len(COMPANY_CURRENCIES)]
        for number in range(1, VOUCHERS_PER_COMPANY + 1):
            day = date(SEEDED_YEAR, 1, 1) + timedelta(days=rng.randrange(365))
            amount = exact(Decimal(rng.randrange(100, 5_000_000)).scaleb(-2))
            common = _voucher(company, currency, number, day)
            yield {**common, **_side(1, amount, debit=True), "Account": "6110", "CodeB": "100"}
            yield {**common, **_side(2, amount, debit=False), "Account": "2440"}


def _voucher(company: str, currency: str, number: int, day: date) -> dict[str, Any]:
    return {
        "Company": company,
        "VoucherType": SEEDED_TYPE,
        "AccountingYear": Decimal(day.year),
        "VoucherNo": Decimal(SEEDED_YEAR * SERIES_LENGTH + number),
        "VoucherDate": day,
        "AccountingPeriod": Decimal(day.month),
        "CurrencyCode": currency,
        "CurrencyRate": Decimal(1),
        "ConversionFactor": Decimal(1),
        "Text": f"Voucher {number}",
        "ReferenceSerie": "AB",
        "ReferenceNumber": f"REF-{company}-{number}",
        "TransCode": "MANUAL",
        "FunctionGroup": "M",
        "EntryDate": day,
        "EnteredByUserGroup": "AC",
        "Userid": "IFSAPP",
        "Correction": False,
    }


def _side(row: int, amount: Decimal, debit: bool) -> dict[str, Any]:
    signed = amount if debit else -amount
    return {
        "RowNo": Decimal(row),
        "CurrencyDebetAmount": amount if debit else None,
        "CurrencyCreditAmount": None if debit else amount,
        "CurrencyAmount": signed,
        "DebetAmount": amount if debit else None,
        "CreditAmount": None if debit else amount,
        "Amount": signed,
    }
