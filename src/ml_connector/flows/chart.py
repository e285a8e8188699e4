"""What an account and a code part value have in common: companies, each with its name and validity for it.

Rule: usable is what at least one mapped company may use today; a company without a subsidiary has no say.
Must not know: what is usable.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from ml_connector.records.ledger import AccountTerms, Validity, ValueTerms
from ml_connector.sync.flow import Context


class Use(msgspec.Struct, frozen=True):
    """How something of the chart may be used today, and the next day on which time alone may change that."""

    name: str
    active: bool
    subsidiaries: tuple[str, ...]
    wake_on: date | None


def use(terms: Sequence[AccountTerms] | Sequence[ValueTerms], context: Context) -> Use:
    """The use of something with these terms, ordered by company; its name is the first company's that may use it."""
    table = context.tables.subsidiaries
    mapped = [one for one in terms if one.company in table]
    valid = [one for one in mapped if one.validity.holds(context.today)]
    shown = valid or mapped
    return Use(
        name=next((one.description for one in shown if one.description), ""),
        active=bool(valid),
        subsidiaries=tuple(sorted({table[one.company] for one in shown})),
        wake_on=min((day for one in mapped for day in _turns(one.validity) if day > context.today), default=None),
    )


def _turns(validity: Validity) -> tuple[date, ...]:
    """The days on which a validity begins to hold, and holds no more."""
    last = validity.until_on
    after = (last + timedelta(days=1),) if last and last < date.max else ()
    return ((validity.from_on,) if validity.from_on else ()) + after
