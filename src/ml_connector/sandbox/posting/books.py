"""What the ERP knows that a voucher is held against: periods, accounts, code parts, types, groups, currencies.

Rule: one set of books reads the world as it was when first asked, so that a long check does not ask twice.
It must not know vouchers.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.sandbox.posting.draft import Unfit
from ml_connector.sandbox.world import By, World
from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.seed_ledger import YEAR_END_PERIOD
from ml_connector.sandbox.world.vouchers import LOAD_TYPE, SERIES

CURRENCIES = {"USD": 2, "EUR": 2, "GBP": 2, "SEK": 2, "NOK": 2, "DKK": 2, "CHF": 2, "CAD": 2, "JPY": 0, "KWD": 3}


class Period(NamedTuple):
    """An accounting period."""

    year: Decimal
    number: Decimal
    is_open: bool


class Validity(NamedTuple):
    """From when to when something may be posted on; for an account also what it demands of code parts."""

    from_on: date
    until_on: date
    demands: dict[str, str]

    def covers(self, day: date) -> bool:
        """Whether a day is within."""
        return self.from_on <= day <= self.until_on


class Books:
    """The books of all companies, as read once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[tuple[Any, ...], Any] = {}

    def currency(self, company: str) -> str:
        """A company's currency."""
        row = self._row("CompanySet", company)
        return (row or {}).get("CurrencyCode") or ""

    def voucher_type(self, company: str, voucher_type: str) -> dict[str, Any] | None:
        """A voucher type."""
        return self._row("Reference_VoucherType", company, voucher_type)

    def has_series(self, company: str, voucher_type: str, year: Decimal) -> bool:
        """Whether a voucher type has numbers to allot in a year."""
        kind = self.voucher_type(company, voucher_type)
        automatic = kind is not None and kind["AutomaticAllot"] == "Yes"
        return automatic and self._row(SERIES, company, voucher_type, year) is not None

    def load_type(self, company: str, load_type: str) -> dict[str, Any] | None:
        """A type of load."""
        return self._row(LOAD_TYPE, company, load_type)

    def year_end_group(self, company: str, user_group: str) -> bool | None:
        """Whether a user group posts to year-end periods; none when there is no such group."""
        row = self._row("Reference_UserGroupFinance", company, user_group)
        return None if row is None else row["AllowedAccountingPeriod"] == "YearEndPeriods"

    def period(self, company: str, day: date, year_end: bool) -> Period | None:
        """The ordinary period that a day is in, or the year-end period."""
        return self._once(("period", company, day, year_end), lambda: self._period(company, day, year_end))

    def account(self, company: str, account: str) -> Validity | None:
        """An account."""
        return self._once(("account", company, account), lambda: self._account(company, account))

    def part(self, company: str, part: str, value: str) -> Validity | None:
        """A value of a code part."""
        return self._once((part, company, value), lambda: _valid(self._row(f"Reference_Code{part}", company, value)))

    def _period(self, company: str, day: date, year_end: bool) -> Period | None:
        table = self._world.tables["AccountingPeriodSet"]
        order = tuple(By(at, nullable=False) for at in table.key_at)
        names = ("AccountingYear", "AccountingPeriod", "DateFrom", "DateUntil", "PeriodStatus")
        places = [table.index[name] for name in names]
        for row in self._world.ordered(table.name, order, (company,), (company,)):
            year, number, first, last, status = (row[at] for at in places)
            if first <= day <= last and (number >= YEAR_END_PERIOD) is year_end:
                return Period(year, number, status == "Open")
        return None

    def _account(self, company: str, account: str) -> Validity | None:
        row = self._row("Reference_Account", company, account)
        return _valid(row, {part: (row or {}).get(f"ReqCode{part}") or "Can" for part in CODE_PARTS})

    def _row(self, name: str, *key: Any) -> dict[str, Any] | None:
        return self._once((name, *key), lambda: self._world.get(name, key))

    def _once(self, key: tuple[Any, ...], read: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]


def _valid(row: dict[str, Any] | None, demands: dict[str, str] | None = None) -> Validity | None:
    if row is None:
        return None
    return Validity(row["ValidFrom"] or date.min, row["ValidUntil"] or date.max, demands or {})


def known_currency(code: str | None) -> str:
    """The currency, or Unfit."""
    if code not in CURRENCIES:
        raise Unfit("CurrencyCode.UNKNOWN", f"The currency code {code} does not exist.")
    return code
