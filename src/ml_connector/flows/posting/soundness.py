"""What is wrong with a document whatever the rules say.

Rule: the first problem wins; nothing is corrected.
Must not know: rules, accounts, companies.
"""

from collections.abc import Callable, Iterator

from ml_connector.flows.posting.currencies import CURRENCIES
from ml_connector.flows.posting.holds import held
from ml_connector.records import money
from ml_connector.records.money import Money
from ml_connector.records.spend import Document
from ml_connector.sync.outcome import Held, Owner

MEND = "Correct it in Airbase."


def problem_of(document: Document) -> Held | None:
    """The first thing that is wrong with a document."""
    return next((found for check in CHECKS if (found := check(document))), None)


def date_missing(document: Document) -> Held | None:
    """A document without a day belongs to no period."""
    if document.dated_on is None:
        return held(document, "date_missing", "has no usable date", MEND)
    return None


def unknown_currency(document: Document) -> Held | None:
    """A code that ISO 4217 does not have."""
    code = next((each.currency for each in _monies(document) if each.currency not in CURRENCIES), None)
    if code is None:
        return None
    return held(
        document,
        "unknown_currency",
        f"is in {code or 'no currency'}, which is not a currency of ISO 4217",
        MEND,
        Owner.ADMINISTRATOR,
    )


def zero_amount(document: Document) -> Held | None:
    """Nothing to post."""
    if document.amount.amount == 0:
        return held(document, "zero_amount", "has the amount zero, so there is nothing to post", MEND)
    return None


def too_precise(document: Document) -> Held | None:
    """An amount with more decimals than its currency has."""
    for each in (*_monies(document), *_parts(document)):
        if money.rounded(each.amount, each.currency) != each.amount:
            places = money.decimals(each.currency)
            problem = f"has {money.plain(each.amount)} {each.currency}, but {each.currency} has {places} decimals"
            return held(document, "too_precise", problem, MEND)
    return None


CHECKS: tuple[Callable[[Document], Held | None], ...] = (date_missing, unknown_currency, zero_amount, too_precise)


def _monies(document: Document) -> Iterator[Money]:
    yield document.amount
    yield from (each for each in (document.company_amount, document.settlement) if each)


def _parts(document: Document) -> Iterator[Money]:
    yield from (Money(line.amount, document.amount.currency) for line in document.lines)
    paid_in = (document.settlement or document.amount).currency
    yield Money(document.fee, paid_in)
