"""Amounts in the company's currency, and what of a settlement is fee, exchange difference and rounding.

Rule: every result is exact, or rounded half up once to the decimals of its currency.
Must not know: accounts, code parts.
"""

from decimal import Decimal
from fractions import Fraction

import msgspec

from ml_connector.flows.posting.holds import held
from ml_connector.flows.posting.rules import RuleBook
from ml_connector.flows.posting.toml import DOTS, Value, table
from ml_connector.records import money
from ml_connector.records.money import Money
from ml_connector.records.spend import Document
from ml_connector.sync.outcome import Held, Owner


class Converted(msgspec.Struct, frozen=True):
    """A document's amount, that amount in the company's currency, and where this comes from."""

    amount: Money
    company: Money
    note: str = ""

    def share(self, part: Decimal) -> Decimal:
        """What a part of the amount is in the company's currency."""
        return share(part, self.company, self.amount.amount)


class Extra(msgspec.Struct, frozen=True):
    """What left the bank beside a document's amount; `amount` in `currency`, `company_amount` in the company's."""

    currency: str
    amount: Decimal
    company_amount: Decimal


class Settled(msgspec.Struct, frozen=True):
    """What a settlement adds to a document's amount."""

    fee: Extra | None = None
    exchange: Extra | None = None
    rounding: Extra | None = None

    @property
    def extras(self) -> tuple[Extra, ...]:
        """All of them, those that are nothing left out."""
        return tuple(one for one in (self.fee, self.exchange, self.rounding) if one)


def negated(number: Decimal) -> Decimal:
    """The exact negative."""
    return money.total((number.copy_negate(),))


def less(left: Decimal, *others: Decimal) -> Decimal:
    """The exact difference."""
    return money.total((left, *(other.copy_negate() for other in others)))


def share(part: Decimal, whole: Money, of: Decimal) -> Decimal:
    """What is to a whole as a part is to `of`, rounded half up to the decimals of the whole's currency."""
    places = money.decimals(whole.currency)
    units = Fraction(part) * Fraction(whole.amount) / Fraction(of) * 10**places
    rounded = (2 * abs(units.numerator) + units.denominator) // (2 * units.denominator)
    signed = rounded if units >= 0 else -rounded
    return money.times(Decimal(signed), Decimal(1).scaleb(-places))


def converted(document: Document, currency: str, book: RuleBook) -> Converted | Held:
    """A document's amount in the company's currency: as it says itself, else by its rate, else by the table."""
    amount, given = document.amount, document.company_amount
    problem = _company_amount_problem(document, currency)
    if problem:
        return problem
    if amount.currency == currency:
        return Converted(amount, amount)
    if given:
        return Converted(amount, given, _note(document, str(given)))
    rate = _rate(document, amount.currency, currency, book)
    if rate is None:
        return rate_missing(document, amount.currency, currency)
    number, source = rate
    worth = money.rounded(money.times(amount.amount, number), currency)
    return Converted(amount, Money(worth, currency), f"{amount.currency} {money.plain(number)} {source}".strip())


def settled(document: Document, worth: Converted, book: RuleBook, *, pays_in: bool) -> Settled | Held:
    """What a settlement adds, seen from the side that pays; `pays_in`: money arrives instead of leaving."""
    settlement = document.settlement
    if settlement is None:
        return _fee_without_settlement(document) if document.fee else Settled()
    if not settlement.amount or (settlement.amount < 0) != (document.amount.amount < 0):
        return _not_that_way(document, settlement)
    if settlement.currency == worth.amount.currency:
        return _in_kind(document, worth, settlement, pays_in=pays_in)
    return _across(document, worth, settlement, book, pays_in=pays_in)


def rate_missing(document: Document, base: str, quote: str) -> Held:
    """Nobody says what one currency is worth in another."""
    on: Value = document.dated_on or DOTS
    written = table("[[posting.rate]]", {"from": base, "to": quote, "rate": DOTS, "on": on, "source": DOTS})
    return held(
        document,
        "rate_missing",
        f"is in {base}, and neither it nor the rate table says what that is in {quote} on {on}",
        f"Add the rate to the profile (in the console: Mapping):\n{written}\nThen run again.",
        Owner.CONTROLLER,
    )


def _in_kind(document: Document, worth: Converted, settlement: Money, *, pays_in: bool) -> Settled:
    """Settled in the document's own currency: beside the fee there should be nothing."""
    over = less(settlement.amount, worth.amount.amount)
    left = less(negated(over) if pays_in else over, document.fee)
    return Settled(fee=_own(worth, document.fee), rounding=_own(worth, left))


def _across(
    document: Document, worth: Converted, settlement: Money, book: RuleBook, *, pays_in: bool
) -> Settled | Held:
    """Settled in another currency: what is not fee is an exchange difference."""
    currency = worth.company.currency
    rate = Decimal(1) if settlement.currency == currency else _table_rate(document, settlement.currency, currency, book)
    if rate is None:
        return rate_missing(document, settlement.currency, currency)
    taken = money.rounded(money.times(settlement.amount, rate), currency)
    fee = money.rounded(money.times(document.fee, rate), currency)
    over = less(taken, worth.company.amount)
    exchange = less(negated(over) if pays_in else over, fee)
    return Settled(fee=_company(currency, fee), exchange=_company(currency, exchange))


def _own(worth: Converted, amount: Decimal) -> Extra | None:
    return Extra(worth.amount.currency, amount, worth.share(amount)) if amount else None


def _company(currency: str, amount: Decimal) -> Extra | None:
    return Extra(currency, amount, amount) if amount else None


def _rate(document: Document, base: str, quote: str, book: RuleBook) -> tuple[Decimal, str] | None:
    """The rate and where it comes from."""
    given = document.rate
    if given and given.rate > 0:
        return given.rate, f"{given.source} {given.on.isoformat() if given.on else ''}".strip()
    found = book.rate(base, quote, document.dated_on) if document.dated_on else None
    return (found.rate, f"{found.source} {found.on.isoformat()}") if found else None


def _table_rate(document: Document, base: str, quote: str, book: RuleBook) -> Decimal | None:
    found = book.rate(base, quote, document.dated_on) if document.dated_on else None
    return found.rate if found else None


def _note(document: Document, given: str) -> str:
    """Where an amount in company currency comes from that the document gives itself."""
    rate = document.rate
    currency = document.amount.currency
    if rate is None:
        return f"{currency} as {given}"
    return f"{currency} {money.plain(rate.rate)} {rate.source} {rate.on.isoformat() if rate.on else ''}".strip()


def _company_amount_problem(document: Document, currency: str) -> Held | None:
    given = document.company_amount
    if given is None:
        return None
    if given.currency != currency:
        return held(
            document,
            "company_currency_differs",
            f"is {given} to its subsidiary, but the company keeps its books in {currency}",
            "See whether the subsidiary is mapped to the right company, and which currency it has in Airbase.",
            Owner.ADMINISTRATOR,
        )
    unlike = not given.amount or (given.amount < 0) != (document.amount.amount < 0)
    if unlike or (given.currency == document.amount.currency and given.amount != document.amount.amount):
        return held(
            document,
            "amounts_differ",
            f"is {document.amount}, and {given} to its subsidiary; the two do not go together",
            "Correct it in Airbase.",
        )
    return None


def _fee_without_settlement(document: Document) -> Held:
    return held(
        document,
        "settlement_missing",
        f"has a fee of {money.plain(document.fee)}, but does not say what left the bank",
        "Complete it in Airbase: settlement amount and currency.",
    )


def _not_that_way(document: Document, settlement: Money) -> Held:
    told = f"what went through the bank is {settlement}: the other way"
    return held(
        document,
        "settlement_differs",
        f"is {document.amount}, but {told if settlement.amount else 'nothing went through the bank'}",
        "Compare it with the bank statement and correct it in Airbase.",
        Owner.CONTROLLER,
    )
