"""The case of one document: all that its voucher is composed from.

Rule: a case is complete; what is missing for one holds the document.
Must not know: rows.
"""

import msgspec

from ml_connector.flows.posting.amounts import Converted, converted
from ml_connector.flows.posting.holds import held, subject
from ml_connector.flows.posting.rules import BANK, HOLD, LINES, OF_DOCUMENT, PAYABLE, Rule, RuleBook
from ml_connector.flows.posting.soundness import problem_of
from ml_connector.flows.posting.toml import DOTS, table
from ml_connector.records.ledger import Company
from ml_connector.records.spend import Document
from ml_connector.sync.flow import Context
from ml_connector.sync.outcome import Held, Owner


class Case(msgspec.Struct, frozen=True):
    """A document with its company, its rule and its worth."""

    document: Document
    company: Company
    rule: Rule
    worth: Converted
    book: RuleBook
    context: Context


def book_of(context: Context) -> RuleBook:
    """The rule book of a connection.

    Raises: TypeError when it has none: then no flow posts.
    """
    if isinstance(context.tables.rules, RuleBook):
        return context.tables.rules
    raise TypeError("the connection has no rule book")


def case_of(document: Document, context: Context) -> Case | Held:
    """The case of a document, or the first thing that stands in its way."""
    book = book_of(context)
    if problem := problem_of(document):
        return problem
    company = _company(document, context)
    if isinstance(company, Held):
        return company
    rule = _rule(document, book)
    if isinstance(rule, Held):
        return rule
    worth = converted(document, company.currency, book)
    return worth if isinstance(worth, Held) else Case(document, company, rule, worth, book, context)


def number_of(case: Case, name: str) -> str | Held:
    """The account that a name stands for in the company of a case."""
    return case.book.account(name, case.company.company) or account_missing(case.document, name, case.company.company)


def source_of(case: Case, sources: tuple[str, ...]) -> str | Held:
    """The first source that gives an account: its number, or `lines`."""
    named = {LINES: LINES if case.document.lines else "", BANK: case.document.bank_account}
    named[PAYABLE] = case.document.payable_account
    for source in sources:
        number = named[source] if source in named else case.book.account(source, case.company.company)
        if number:
            return number
    return _no_source(case, sources)


def account_missing(document: Document, name: str, company: str) -> Held:
    """No account has this name."""
    return held(
        document,
        "account_missing",
        f"needs the account {name} of company {company}, but the profile gives no account that name",
        f"Add to the profile (in the console: Mapping):\n{table('[posting.accounts]', {name: DOTS})}\nThen run again.",
        Owner.CONTROLLER,
        lacks=name,
    )


def _no_source(case: Case, sources: tuple[str, ...]) -> Held:
    name = next((source for source in sources if source not in OF_DOCUMENT), None)
    if name:
        return account_missing(case.document, name, case.company.company)
    if LINES in sources:
        return held(
            case.document, "lines_missing", "has no lines, so its accounts are not known", "Complete it in Airbase."
        )
    what = "bank account" if BANK in sources else "payable account"
    return held(
        case.document,
        "account_missing",
        f"names no {what}, and the rule {case.rule.name} gives no other",
        f"Complete it in Airbase, or give the rule {case.rule.name} a further account in the profile.",
        Owner.CONTROLLER,
    )


def _company(document: Document, context: Context) -> Company | Held:
    found = [one for one, reference in context.tables.subsidiaries.items() if reference == document.subsidiary]
    if len(found) != 1 or not document.subsidiary:
        return _not_mapped(document, found)
    return context.books.companies.get(found[0]) or held(
        document,
        "company_unknown",
        f"belongs to company {found[0]}, which IFS does not list",
        "See whether the user of the connection may read that company in IFS.",
        Owner.ADMINISTRATOR,
    )


def _not_mapped(document: Document, found: list[str]) -> Held:
    problem = f"belongs to subsidiary {document.subsidiary or '(none)'}, which is mapped to no company"
    if found:
        problem = f"belongs to subsidiary {document.subsidiary}, which is mapped to several: {', '.join(found)}"
    return held(
        document,
        "subsidiary_not_mapped",
        problem,
        f"Map it to one: ml-connector connect … --subsidiary <IFS company>={document.subsidiary}, then run again.",
        Owner.ADMINISTRATOR,
        lacks=document.subsidiary,
    )


def _rule(document: Document, book: RuleBook) -> Rule | Held:
    rule = book.rule_for(document)
    if rule is None:
        return _unknown_type(document)
    if document.amount.amount < 0 and rule.negative == HOLD:
        return _negative(document, rule)
    named = document.vendor or document.vendor_id
    if rule.owes and named and not document.supplier_id:
        return _no_supplier(document, named)
    return rule


def _unknown_type(document: Document) -> Held:
    written = {"name": DOTS, "kinds": [document.kind], "debit": DOTS, "credit": DOTS}
    return held(
        document,
        "unknown_type",
        f"is a {document.kind or 'document without a type'}, for which there is no posting rule",
        f"Write one in the profile (in the console: Mapping):\n{table('[[posting.rule]]', written)}\nThen run again.",
        Owner.CONTROLLER,
        lacks=document.kind,
    )


def _negative(document: Document, rule: Rule) -> Held:
    return held(
        document,
        "negative_amount",
        f"is negative ({document.amount}), which the rule {rule.name} does not expect",
        f'If it is a credit, give the rule {rule.name} negative = "swap" in the profile; else correct it in Airbase.',
        Owner.CONTROLLER,
    )


def _no_supplier(document: Document, vendor: str) -> Held:
    return held(
        document,
        "vendor_without_supplier",
        f"is of vendor {vendor}, who is no supplier of IFS yet",
        f"Create {vendor} as a supplier in IFS and give the vendor its number in Airbase; then {subject(document)} "
        "follows by itself.",
    )
