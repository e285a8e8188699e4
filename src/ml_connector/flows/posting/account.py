"""The account and the code parts of a row.

Rule: an account is what a rule says, never a default; a code part is what the tags say, the line's before the
document's, and what the account rule says only where they are silent.
Must not know: amounts.
"""

from collections.abc import Iterable, Mapping

from ml_connector.flows.posting.case import Case, number_of
from ml_connector.flows.posting.holds import held
from ml_connector.flows.posting.rules import GIVEN, AccountRule, facts_of
from ml_connector.flows.posting.toml import DOTS, table
from ml_connector.records.ledger import Requirement
from ml_connector.records.spend import Document, SpendLine, Tag
from ml_connector.sync.outcome import Held

Parts = tuple[tuple[str, str], ...]


def of_line(case: Case, line: SpendLine) -> tuple[str, Parts] | Held:
    """The account and code parts of a line."""
    rule = case.book.line_rule(facts_of(case.document, line, case.company.company))
    if rule is None:
        return _not_mapped(case.document, line)
    account = _account(case, rule, line)
    own = parts_of(case.document, line.tags, case.context.tables.dimensions)
    shared = document_parts(case)
    if isinstance(account, Held):
        return account
    if isinstance(own, Held):
        return own
    return shared if isinstance(shared, Held) else (account, in_order({**dict(rule.parts), **shared, **own}))


def document_parts(case: Case) -> dict[str, str] | Held:
    """The code parts that a document's tags give to all its rows."""
    return parts_of(case.document, case.document.tags, case.context.tables.dimensions)


def allowed(case: Case, account: str, parts: Mapping[str, str]) -> Parts:
    """Those code parts that an account does not block."""
    terms = case.context.books.accounts.get((case.company.company, account))
    if terms is None:
        return ()
    blocked = {part for part, what in terms.requirements.items() if what is Requirement.BLOCKED}
    return in_order({part: value for part, value in parts.items() if part not in blocked})


def parts_of(document: Document, tags: Iterable[Tag], dimensions: Mapping[str, str]) -> dict[str, str] | Held:
    """Code parts by tags; labels that are not mapped are nobody's."""
    parts: dict[str, str] = {}
    for tag in tags:
        part = dimensions.get(tag.label)
        if part is None:
            continue
        if not tag.reference:
            return _without_code(document, tag)
        if parts.setdefault(part, tag.reference) != tag.reference:
            return _conflict(document, part, parts[part], tag)
    return parts


def in_order(parts: Mapping[str, str]) -> Parts:
    """Code parts in order."""
    return tuple(sorted(parts.items()))


def _account(case: Case, rule: AccountRule, line: SpendLine) -> str | Held:
    if rule.account == GIVEN:
        return line.account
    return number_of(case, rule.account) if case.book.is_name(rule.account) else rule.account


def _not_mapped(document: Document, line: SpendLine) -> Held:
    named = {"category": line.category or document.category, "type": document.type, "vendor": document.vendor}
    told = ", ".join(f"{what} {value}" for what, value in named.items() if value)
    what = "category" if named["category"] else "given" if line.account else "vendor" if document.vendor else "kind"
    values = {**named, "given": line.account, "kind": document.kind}
    proposed = table("[[posting.account]]", {what: values[what], "account": DOTS})
    return held(
        document,
        "account_not_mapped",
        f"has a line ({line.number}) that no account rule takes: {told or 'without category, type or vendor'}",
        f"Add to the profile (in the console: Mapping), with the account it should go to:\n{proposed}\nThen run again.",
        lacks=values[what] if what == "category" else f"{what}: {values[what]}",
    )


def _without_code(document: Document, tag: Tag) -> Held:
    return held(
        document,
        "tag_without_code",
        f"has the tag {tag.label} {tag.name or '(no name)'}, which has no code in IFS",
        "Give the tag its ERP id in Airbase (or archive it there and choose another one).",
    )


def _conflict(document: Document, part: str, value: str, tag: Tag) -> Held:
    return held(
        document,
        "tags_conflict",
        f"has two tags for code part {part} that differ: {value} and {tag.reference} ({tag.label})",
        "Remove one of them in Airbase.",
    )
