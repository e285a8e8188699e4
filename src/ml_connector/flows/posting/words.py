"""The rule book in words that a controller reads.

Rule: one sentence a rule, in the order in which they are tried; nothing that is in effect is left out.
Must not know: documents.
"""

from ml_connector.flows.posting.rules import (
    BANK,
    GIVEN,
    LINES,
    NEXT_OPEN,
    PAYABLE,
    REST,
    SWAP,
    AccountRule,
    Rule,
    RuleBook,
    TableRate,
)
from ml_connector.records import money
from ml_connector.records.ledger import Books

_WORDS = {
    LINES: "the accounts of its lines",
    BANK: "the document's bank account",
    PAYABLE: "the document's payable account",
}
_WHAT = {GIVEN: "account in Airbase"}
_OF = {"request": " of a request", "bill": " of a bill"}
_DOUBLES = {"warn": "is posted and warned of", "hold": "is held"}


def in_words(book: RuleBook) -> list[str]:
    """Each rule, account rule and limit as a sentence."""
    return [
        *(_rule(rule, book) for rule in book.used),
        "A document of any other kind is held, and so is a negative amount where its rule does not swap the sides.",
        *(_line(rule, book) for rule in book.lines),
        _rest(book),
        *_limits(book),
    ]


def _rest(book: RuleBook) -> str:
    if not book.lines:
        return "No account rule is given: every document with lines is held."
    return "Any other line is held." if book.lines[-1].conditions else "A line without an account is held."


def unknown(book: RuleBook, books: Books, companies: tuple[str, ...]) -> list[str]:
    """What the rule book names and IFS does not have, in sentences."""
    pairs = {(company, account) for company in companies for account in _accounts(book, company)}
    values = {(company, *pair) for company in companies for rule in book.lines for pair in rule.parts}
    accounts = sorted(pairs - books.accounts.keys())
    return [
        *(f"Company {company} has no account {account}." for company, account in accounts),
        *(
            f"Company {c} has no value {value} of code part {p}."
            for c, p, value in sorted(values - books.values.keys())
        ),
    ]


def _accounts(book: RuleBook, company: str) -> set[str]:
    names = book.accounts.get(company, book.accounts.get(REST, {}))
    plain = {rule.account for rule in book.lines if rule.account != GIVEN and not book.is_name(rule.account)}
    return {*names.values(), *plain}


def _rule(rule: Rule, book: RuleBook) -> str:
    rounding = f"up to {money.plain(book.rounding_max)} rounding to {_number(rule.rounding, book)}"
    parts = [
        f"{_title(rule)}: debit {_sources(rule.debit, book)}, credit {_sources(rule.credit, book)}",
        *([f"fees to {_number(rule.fee, book)}"] if rule.fee else []),
        *([f"exchange differences to {_number(rule.exchange, book)}"] if rule.exchange else []),
        *([rounding] if rule.rounding else []),
        *(["a negative amount swaps the sides"] if rule.negative == SWAP else []),
    ]
    return "; ".join(parts) + "."


def _title(rule: Rule) -> str:
    """The name of a rule, and which documents it is for where the name does not say so."""
    kinds = f"{', '.join(rule.kinds).replace('_', ' ')}{_OF.get(rule.of, '')}"
    return rule.name if rule.name.casefold() == kinds else f"{rule.name} ({kinds})"


def _sources(sources: tuple[str, ...], book: RuleBook) -> str:
    return ", else ".join(_WORDS.get(source) or _named(source, book) for source in sources)


def _named(name: str, book: RuleBook) -> str:
    """A name with its number, and where companies have their own, those."""
    return _with_own(name, f"{_shared(name, book)} {name}".strip(), book)


def _number(name: str, book: RuleBook) -> str:
    """The number of a name, and where companies have their own, those."""
    return _with_own(name, _shared(name, book) or name, book)


def _shared(name: str, book: RuleBook) -> str:
    return book.accounts.get(REST, {}).get(name, "")


def _with_own(name: str, said: str, book: RuleBook) -> str:
    shared = _shared(name, book)
    own = {company: names.get(name, "") for company, names in book.accounts.items() if company != REST}
    differ = [f"company {company}: {number}" for company, number in own.items() if number and number != shared]
    if not shared and not differ:
        return f"{said} (no account has this name yet)"
    return f"{said} ({', '.join(differ)})" if differ else said


def _line(rule: AccountRule, book: RuleBook) -> str:
    told = " and ".join(f"{_WHAT.get(what, what)} {value}" for what, value in rule.conditions)
    account = "the account that Airbase shows" if rule.account == GIVEN else rule.account
    account = _named(account, book) if book.is_name(account) else account
    parts = ", ".join(f"{part} {value}" for part, value in rule.parts)
    silent = f", with {parts} where tags say nothing" if parts else ""
    return f"Lines of {told}: {account}{silent}." if told else f"All other lines: {account}{silent}."


def _limits(book: RuleBook) -> list[str]:
    return [
        *(_rate(rate) for rate in book.rates),
        _closed(book),
        _doubles(book),
        *(_limit(company, money.plain(amount)) for company, amount in book.amount_max.items()),
    ]


def _rate(rate: TableRate) -> str:
    number = money.plain(rate.rate)
    return f"Where Airbase gives no rate: 1 {rate.base} is {number} {rate.quote} from {rate.on} on ({rate.source})."


def _closed(book: RuleBook) -> str:
    if book.closed_period != NEXT_OPEN:
        return "A document of a closed period is held."
    approved = ", once somebody approved" if book.late_needs_approval else ""
    return f"A document of a closed period is posted on the first open day after it{approved}."


def _doubles(book: RuleBook) -> str:
    if book.duplicates not in _DOUBLES:
        return "Doubles are not looked for."
    return (
        f"What may be a double {_DOUBLES[book.duplicates]}: same supplier and invoice number, amounts at most "
        f"{money.plain(book.duplicate_tolerance)} and days at most {book.duplicate_days} apart."
    )


def _limit(company: str, amount: str) -> str:
    where = "any other company" if company == REST else f"company {company}"
    return f"A voucher of {where} over {amount} is held."
