"""Which day is in which accounting period of which company.

Rule: what IFS says; no period is made up, and a company's year need not be the calendar's.
Must not know: documents, vouchers.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from ml_connector.records.ledger import Books, Period

UNKNOWN = "?"  # the company or period of what belongs to none
_PERIOD = re.compile(r"(\d{4})-(\d{1,2})")


def written(period: str) -> str:
    """A period as it is written here: 2026-9 is 2026-09; "" for what can't be one."""
    found = _PERIOD.fullmatch(period.strip())
    return f"{found[1]}-{int(found[2]):02d}" if found else ""


class Calendar(msgspec.Struct, frozen=True):
    """The periods that vouchers of ours go to, by company, in order of their first day; `others`: those they don't."""

    periods: Mapping[str, tuple[Period, ...]] = {}
    others: tuple[Period, ...] = ()

    def period(self, company: str, day: date | None) -> str:
        """The period of a day in a company; `UNKNOWN` when there is none."""
        if day is None:
            return UNKNOWN
        found = (str(one) for one in self.periods.get(company, ()) if one.from_on <= day <= one.until_on)
        return next(found, UNKNOWN)

    def opens(self, company: str, day: date) -> bool:
        """Whether a period of a company begins on a day."""
        return any(one.from_on == day for one in self.periods.get(company, ()))

    def names(self) -> list[str]:
        """All periods that any company has, in order."""
        return sorted({str(one) for one in (*self._all(), *self.others)}, key=_order)

    def days(self, period: str) -> tuple[str, str]:
        """The first and the last day of a period, over all companies."""
        these = [one for one in (*self._all(), *self.others) if str(one) == period]
        if not these:
            return "", ""
        return min(one.from_on for one in these).isoformat(), max(one.until_on for one in these).isoformat()

    def may_be(self, period: str, day: date | None) -> bool:
        """Whether what has this day, but no company, may belong to a period; what fits none may belong to any."""
        named = {str(one) for one in self._all() if day and one.from_on <= day <= one.until_on}
        return not named or period in named

    def _all(self) -> Iterable[Period]:
        return (one for periods in self.periods.values() for one in periods)


def calendar_of(books: Books, user_group: str) -> Calendar:
    """The periods that a user group posts to: the ordinary ones, or those of the year's end."""
    ending = {
        company for company, group in books.groups if group == user_group and books.groups[company, group].year_end
    }
    ours = {
        company: tuple(one for one in these if one.year_end == (company in ending))
        for company, these in books.periods.items()
    }
    others = (one for company, these in books.periods.items() for one in these if one not in ours[company])
    return Calendar(ours, tuple(others))


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("-"))
