"""What is still open on the clearing accounts, story by story: a request, its bills and its payments.

Rule: a story is closed when nothing is left of it, neither in any currency nor in the company's.
Must not know: which accounts are clearing accounts, where the rows come from.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.compare import worth
from ml_connector.records import money
from ml_connector.records.money import Money


class ClearingRow(msgspec.Struct, frozen=True):
    """One row on a clearing account, debit positive; `story` chains the documents that should come to nothing."""

    company: str
    account: str
    currency: str
    story: str
    amount: Decimal
    company_amount: Decimal
    document: str
    dated_on: date


class OpenStory(msgspec.Struct, frozen=True):
    """A story that has not come to nothing.

    `open` may be empty when only the company's currency is left over. Units: age_days since its oldest document.
    """

    story: str
    open: tuple[Money, ...]
    company_amount: Decimal
    documents: tuple[str, ...]
    oldest_on: date
    age_days: int


class ClearingAccount(msgspec.Struct, frozen=True):
    """A clearing account of a company with its open stories, oldest first, and what they come to."""

    company: str
    account: str
    stories: tuple[OpenStory, ...] = ()
    open: tuple[Money, ...] = ()
    company_amount: Decimal = Decimal(0)


def clearing(rows: Iterable[ClearingRow], today: date) -> list[ClearingAccount]:
    """What is open on each account that was posted to, by company and account."""
    accounts: dict[tuple[str, str], dict[str, list[ClearingRow]]] = {}
    for row in rows:
        accounts.setdefault((row.company, row.account), {}).setdefault(row.story, []).append(row)
    return [_account(*place, accounts[place], today) for place in sorted(accounts)]


def _account(company: str, account: str, by_story: dict[str, list[ClearingRow]], today: date) -> ClearingAccount:
    stories = [_story(name, rows, today) for name, rows in by_story.items()]
    still_open = sorted(
        (one for one in stories if one.open or one.company_amount), key=lambda one: (one.oldest_on, one.story)
    )
    return ClearingAccount(
        company,
        account,
        tuple(still_open),
        worth.totals(amount for one in still_open for amount in one.open),
        money.total(one.company_amount for one in still_open),
    )


def _story(name: str, rows: Sequence[ClearingRow], today: date) -> OpenStory:
    oldest_on = min(row.dated_on for row in rows)
    return OpenStory(
        name,
        worth.totals(Money(row.amount, row.currency) for row in rows),
        money.total(row.company_amount for row in rows),
        tuple(dict.fromkeys(row.document for row in sorted(rows, key=lambda row: (row.dated_on, row.document)))),
        oldest_on,
        (today - oldest_on).days,
    )


def in_words(account: ClearingAccount) -> str:
    """What is open on an account, in a sentence."""
    place = f"Clearing account {account.account} of company {account.company}"
    if not account.stories:
        return f"{place}: nothing is open."
    count, oldest = len(account.stories), account.stories[0]
    left = worth.in_words(account.open) or f"{account.company_amount:,f} in the company's currency"
    stories = "1 story is" if count == 1 else f"{count:,} stories are"
    own = f" ({account.company_amount:,f} in the company's currency)" if account.open else ""
    return f"{place}: {stories} open, {left}{own}; the oldest for {_days(oldest.age_days)}."


def story_in_words(story: OpenStory) -> str:
    """What is open of a story, in a sentence."""
    left = worth.in_words(story.open) or f"only {story.company_amount:,f} in the company's currency"
    return f"{', '.join(story.documents)}: {left} open for {_days(story.age_days)}."


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"
