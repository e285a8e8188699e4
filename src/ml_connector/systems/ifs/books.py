"""The general ledger's reference data of a tenant, read at once.

Rule: all of it, of the allowed companies only, or an error: a voucher is never checked against half of the books.
Must not know: vouchers, rules.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from ml_connector.errors import MalformedError
from ml_connector.records.ledger import (
    AccountTerms,
    Books,
    Company,
    Period,
    UserGroup,
    ValueTerms,
    VoucherType,
)
from ml_connector.systems.ifs import rows
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.pick import Pick, UnreadableError
from ml_connector.systems.ifs.translate import DIMENSION_PARTS, account_terms, value_terms

T = TypeVar("T")
YEAR_END_FROM = 13  # the first period number that lies over an ordinary period
_YES_NO = {"": True, "yes": True, "true": True, "no": False, "false": False}
_YEAR_END = {"": False, "ordinaryperiods": False, "yearendperiods": True}


def read_books(client: IfsClient) -> Books:
    """All that a voucher is checked against.

    Raises: RemoteError; MalformedError that names the set which holds what can't be read.
    """
    shelf = _Shelf(client)
    accounts = dict(shelf.read("accounts", _account))  # the longest first: they show how long a page may be
    periods = shelf.periods()
    values = {key: terms for part in DIMENSION_PARTS for key, terms in shelf.read(part, _value)}
    return Books(
        companies={company.company: company for company in shelf.read("companies", _company)},
        accounts=accounts,
        values=values,
        types={(kind.company, kind.code): kind for kind in shelf.read("voucher_types", _voucher_type)},
        groups={(group.company, group.group): group for group in shelf.read("user_groups", _user_group)},
        periods=periods,
    )


def read_calendar(client: IfsClient) -> Books:
    """Of the books, only what says which period a day is in. Raises: RemoteError, MalformedError."""
    shelf = _Shelf(client)
    periods = shelf.periods()
    groups = {(group.company, group.group): group for group in shelf.read("user_groups", _user_group)}
    return Books(groups=groups, periods=periods)


class _Shelf:
    """Reads sets to their end; a page shorter than the longest one that came so far is the last of its set."""

    def __init__(self, client: IfsClient) -> None:
        self._client = client
        self._given_max = 0

    def read(self, name: str, make: Callable[[Pick], T]) -> Iterator[T]:
        part = self._client.profile.parts[name]
        plan = Plan(part.properties, part.key, skip=part.paging == "skip", end_short=True, given_min=self._given_max)
        for page in self._client.pages(name, plan, prefetch=False):
            self._given_max = max(self._given_max, len(page.rows))
            for seen in rows.seen(name, part, page):
                yield self._made(name, make, Pick(part.set, part, seen))

    def periods(self) -> dict[str, tuple[Period, ...]]:
        """Periods by company, ordered by their first day; a year-end period after the ordinary one it lies over."""
        found: dict[str, list[Period]] = {}
        for period in self.read("periods", _period):
            found.setdefault(period.company, []).append(period)
        return {company: tuple(sorted(periods, key=_first_day)) for company, periods in found.items()}

    def _made(self, name: str, make: Callable[[Pick], T], pick: Pick) -> T:
        try:
            return make(pick)
        except UnreadableError as error:
            raise MalformedError(self._client.wire.system, f"read {name}", str(error)) from None


def _first_day(period: Period) -> tuple[object, ...]:
    return period.from_on, period.year_end, period.year, period.number


def _account(pick: Pick) -> tuple[tuple[str, str], AccountTerms]:
    return (pick.key[1], pick.key[0]), account_terms(pick)


def _value(pick: Pick) -> tuple[tuple[str, str, str], ValueTerms]:
    part, value, company = pick.key
    return (company, part, value), value_terms(pick)


def _company(pick: Pick) -> Company:
    return Company(pick.key[0], pick.text("name"), pick.text("currency"))


def _voucher_type(pick: Pick) -> VoucherType:
    allotted = pick.one_of("allotted", _YES_NO)
    return VoucherType(pick.key[0], pick.key[1], pick.text("description"), allotted)


def _user_group(pick: Pick) -> UserGroup:
    return UserGroup(pick.key[0], pick.key[1], pick.one_of("periods", _YEAR_END))


def _period(pick: Pick) -> Period:
    number = pick.whole(2)
    return Period(
        pick.key[0],
        pick.whole(1),
        number,
        pick.needed_day("from_on"),
        pick.needed_day("until_on"),
        open=pick.needed("status").lower() == "open",
        year_end=number >= YEAR_END_FROM,
    )
