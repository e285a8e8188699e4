"""Drift: where the charts of IFS and Airbase have parted, and which open documents that would stop.

Rule: a difference is told once, with all documents that it stops; what only looks different stops none.
Must not know: how either side was read.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from ml_connector.compare import worth
from ml_connector.compare.usage import Usage, usage
from ml_connector.records.ledger import Account, Dimension, Validity
from ml_connector.records.money import Money
from ml_connector.records.spend import Document
from ml_connector.records.spend_chart import SpendAccount, SpendTag
from ml_connector.sync.flow import Tables

BLOCKS_SHOWN_MAX = 20
STATISTICAL = "Statistics"  # and kinds that begin so: such an account holds no money
NOT_LISTED = "not listed, but used"


class Kind(StrEnum):
    """How something differs."""

    ONLY_IN_AIRBASE = "only_in_airbase"
    EXPIRED = "expired"
    MISSING_IN_COMPANY = "missing_in_company"
    SUBSIDIARY_NOT_MAPPED = "subsidiary_not_mapped"
    SUBSIDIARY_MISSING = "subsidiary_missing"
    DOUBLED_IN_AIRBASE = "doubled_in_airbase"
    ONLY_IN_IFS = "only_in_ifs"
    INACTIVE_IN_AIRBASE = "inactive_in_airbase"
    RENAMED = "renamed"


class Difference(msgspec.Struct, frozen=True):
    """One difference: how either side has it, and the open documents that it stops, the first of them by number."""

    kind: Kind
    what: str
    ifs: str = ""
    airbase: str = ""
    blocks: tuple[str, ...] = ()
    blocked: int = 0
    stake: tuple[Money, ...] = ()


class _Mine(msgspec.Struct, frozen=True):
    """An account or a code part value as one mapped company has it."""

    company: str
    name: str
    validity: Validity


class _Theirs(msgspec.Struct, frozen=True):
    """An account or a tag of Airbase."""

    name: str
    active: bool


class _Both(msgspec.Struct, frozen=True):
    """One thing of the chart on both sides, and the open documents that use it."""

    what: str
    mine: Sequence[_Mine]
    theirs: Sequence[_Theirs]
    used: Sequence[Document]


def drift(
    accounts: Iterable[Account],
    dimensions: Iterable[Dimension],
    companies: Collection[str],
    spend_accounts: Iterable[SpendAccount],
    spend_tags: Iterable[SpendTag],
    spend_subsidiaries: Mapping[str, str],
    open_documents: Iterable[Document],
    tables: Tables,
    today: date,
) -> list[Difference]:
    """All differences, those that stop most documents first.

    Shape: `companies` are those of IFS that are joined; `spend_subsidiaries` is reference to name.
    """
    used = usage(open_documents)
    joined = {company for company in companies if company in tables.subsidiaries}
    company_of = {tables.subsidiaries[company]: company for company in sorted(joined, reverse=True)}
    things = [
        *_accounts(accounts, spend_accounts, joined, used),
        *_tags(dimensions, spend_tags, joined, used, tables.dimensions),
    ]
    found = [difference for thing in things for difference in _differences(thing, company_of, today)]
    found.extend(_subsidiaries(companies, spend_subsidiaries, used, tables))
    order = list(Kind)
    return sorted(found, key=lambda one: (-one.blocked, order.index(one.kind), one.what))


def _accounts(
    accounts: Iterable[Account], there: Iterable[SpendAccount], joined: Collection[str], used: Usage
) -> Iterator[_Both]:
    mine = {
        account.account: [
            _Mine(terms.company, terms.description, terms.validity)
            for terms in account.terms
            if terms.company in joined and not terms.kind.startswith(STATISTICAL)
        ]
        for account in accounts
    }
    theirs: dict[str, list[_Theirs]] = {}
    for one in there:
        theirs.setdefault(one.reference or one.name, []).append(_Theirs(one.name, one.active))
    for name in sorted(mine.keys() | theirs.keys() | used.accounts.keys()):
        yield _Both(f"account {name}", mine.get(name, ()), _sorted(theirs.get(name)), used.accounts.get(name, ()))


def _tags(
    dimensions: Iterable[Dimension],
    there: Iterable[SpendTag],
    joined: Collection[str],
    used: Usage,
    labels: Mapping[str, str],
) -> Iterator[_Both]:
    """Tags with a label that stands for a code part; values of a part, under the first of its labels that has them."""
    theirs: dict[tuple[str, str], list[_Theirs]] = {}
    for one in there:
        if one.label in labels:
            theirs.setdefault((one.label, one.reference or one.name), []).append(_Theirs(one.name, one.active))
    mine = {
        (value.part, value.value): [
            _Mine(terms.company, terms.description, terms.validity) for terms in value.terms if terms.company in joined
        ]
        for value in dimensions
    }
    there_or_used = theirs.keys() | {place for place in used.tags if place[0] in labels}
    for place in sorted(there_or_used | _untagged(mine, there_or_used, labels)):
        label, name = place
        own = mine.get((labels[label], name), ())
        yield _Both(f"{label} {name}", own, _sorted(theirs.get(place)), used.tags.get(place, ()))


def _sorted(theirs: Iterable[_Theirs] | None) -> tuple[_Theirs, ...]:
    return tuple(sorted(theirs or (), key=lambda one: one.name))


def _untagged(
    mine: Mapping[tuple[str, str], object], theirs: Collection[tuple[str, str]], labels: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Under which label each value would stand that no label of its code part has."""
    by_part: dict[str, list[str]] = {}
    for label, part in sorted(labels.items()):
        by_part.setdefault(part, []).append(label)
    return {
        (by_part[part][0], value)
        for part, value in mine
        if part in by_part and not any((label, value) in theirs for label in by_part[part])
    }


def _differences(thing: _Both, company_of: Mapping[str, str], today: date) -> Iterator[Difference]:
    valid = [one for one in thing.mine if one.validity.holds(today)]
    active = any(one.active for one in thing.theirs)
    shown = thing.theirs[0].name if thing.theirs else NOT_LISTED
    if len(thing.theirs) > 1:
        names = ", ".join(one.name for one in thing.theirs)
        yield Difference(Kind.DOUBLED_IN_AIRBASE, thing.what, thing.mine[0].name if thing.mine else "", names)
    if thing.mine:
        yield from _in_companies(thing, shown, active, company_of, today)
    elif active or thing.used:
        yield _stopping(Kind.ONLY_IN_AIRBASE, thing.what, "", shown, thing.used)
    if valid:
        yield from _shown_otherwise(thing, valid, active)


def _shown_otherwise(thing: _Both, valid: Sequence[_Mine], active: bool) -> Iterator[Difference]:
    """How Airbase shows otherwise what IFS has; that stops nothing."""
    name = valid[0].name
    if not thing.theirs:
        yield Difference(Kind.ONLY_IN_IFS, thing.what, name)
    elif not active:
        yield Difference(Kind.INACTIVE_IN_AIRBASE, thing.what, name, thing.theirs[0].name)
    elif not {one.name.strip() for one in thing.theirs} & {one.name.strip() for one in valid}:
        yield Difference(Kind.RENAMED, thing.what, name, thing.theirs[0].name)


def _in_companies(
    thing: _Both, shown: str, active: bool, company_of: Mapping[str, str], today: date
) -> Iterator[Difference]:
    """Where companies may not use today what Airbase offers, or what an open document of theirs uses."""
    expired = {one.company: one for one in thing.mine if not one.validity.holds(today)}
    has = {one.company for one in thing.mine}
    stopped = [document for document in thing.used if company_of.get(document.subsidiary) in expired]
    missing = [
        document
        for document in thing.used
        if document.subsidiary in company_of and company_of[document.subsidiary] not in has
    ]
    if expired and (stopped or (active and len(expired) == len(has))):
        yield _stopping(Kind.EXPIRED, thing.what, _validities(expired.values()), shown, stopped)
    if missing:
        lacking = sorted({company_of[document.subsidiary] for document in missing})
        said = f"not in company {', '.join(lacking)}"
        yield _stopping(Kind.MISSING_IN_COMPANY, thing.what, said, shown, missing)


def _validities(expired: Iterable[_Mine]) -> str:
    return ", ".join(f"company {one.company}: {_validity(one.validity)}" for one in expired)


def _validity(validity: Validity) -> str:
    since = f"from {validity.from_on} " if validity.from_on else ""
    until = f"until {validity.until_on}" if validity.until_on else ""
    return (since + until).strip() or "always"


def _subsidiaries(
    companies: Collection[str], there: Mapping[str, str], used: Usage, tables: Tables
) -> Iterator[Difference]:
    mapped = {company: tables.subsidiaries.get(company, "") for company in sorted(companies)}
    for company, reference in mapped.items():
        if reference not in there:
            said = f"mapped to {reference}" if reference else "mapped to nothing"
            stopped = used.subsidiaries.get(reference, ()) if reference else ()
            yield _stopping(Kind.SUBSIDIARY_MISSING, f"company {company}", said, "", stopped)
    known = {reference for reference in mapped.values() if reference}
    for reference in sorted((there.keys() | used.subsidiaries.keys()) - known):
        what = f"subsidiary {reference or 'without a reference'}"
        stopped = used.subsidiaries.get(reference, ())
        yield _stopping(Kind.SUBSIDIARY_NOT_MAPPED, what, "", there.get(reference, ""), stopped)


def _stopping(kind: Kind, what: str, ifs: str, airbase: str, documents: Sequence[Document]) -> Difference:
    numbers = sorted(document.number or document.id for document in documents)
    stake = worth.totals(document.amount for document in documents)
    return Difference(kind, what, ifs, airbase, tuple(numbers[:BLOCKS_SHOWN_MAX]), len(numbers), stake)


SENTENCES = {
    Kind.ONLY_IN_AIRBASE: "{what} is in Airbase as “{airbase}”, but not in IFS",
    Kind.EXPIRED: "{what} (“{airbase}”) is not valid in IFS today ({ifs})",
    Kind.MISSING_IN_COMPANY: "{what} (“{airbase}”) is used in Airbase, but {ifs}",
    Kind.SUBSIDIARY_NOT_MAPPED: "{what} (“{airbase}”) of Airbase stands for no company of this connection",
    Kind.SUBSIDIARY_MISSING: "{what} is {ifs}, which Airbase does not have",
    Kind.DOUBLED_IN_AIRBASE: "{what} is in Airbase more than once: {airbase}",
    Kind.ONLY_IN_IFS: "{what} (“{ifs}”) is in IFS, but not in Airbase",
    Kind.INACTIVE_IN_AIRBASE: "{what} (“{ifs}”) is valid in IFS, but switched off in Airbase",
    Kind.RENAMED: "{what} is “{ifs}” in IFS, but “{airbase}” in Airbase",
}


def in_words(difference: Difference) -> str:
    """A difference in a sentence, with what it stops."""
    said = SENTENCES[difference.kind].format(what=difference.what, ifs=difference.ifs, airbase=difference.airbase)
    return f"{said[0].upper()}{said[1:]}{_blocking(difference)}."


def _blocking(difference: Difference) -> str:
    if not difference.blocked:
        return ""
    more = difference.blocked - len(difference.blocks)
    named = ", ".join(difference.blocks) + (f" and {more:,} more" if more else "")
    count = "1 open document" if difference.blocked == 1 else f"{difference.blocked:,} open documents"
    stake = f", {worth.in_words(difference.stake)}" if difference.stake else ""
    return f"; it stops {count}{stake}: {named}"
