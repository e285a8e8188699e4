"""The rule book as a person writes it in the profile, checked.

Rule: every mistake is found when the connection is made, and says where it is.
Must not know: how rules are applied.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.flows.posting import written
from ml_connector.flows.posting.defaults import DEFAULT_RULES
from ml_connector.flows.posting.names import account_names, account_of_lines
from ml_connector.flows.posting.overlap import check_account_rules, check_documents, check_rules
from ml_connector.flows.posting.rules import (
    HOLD,
    LINES,
    NEXT_OPEN,
    OF_DOCUMENT,
    REST,
    SWAP,
    AccountRule,
    Rule,
    RuleBook,
    TableRate,
)
from ml_connector.records.ledger import CODE_PARTS

PLACE = "posting"
SETTINGS = (
    "documents",
    "closed_period",
    "late_needs_approval",
    "rounding_max",
    "duplicates",
    "duplicate_tolerance",
    "duplicate_days",
    "user_group",
    "amount_max",
    "voucher_types",
    "accounts",
    "account",
    "rule",
    "rate",
)
RULE = ["name", "kinds", "of", "debit", "credit", "fee", "exchange", "rounding", "negative"]
CONDITIONS = ("category", "type", "kind", "vendor", "company", "subsidiary", "tag", "given")
RATE = ["from", "to", "rate", "on", "source"]


def rule_book(raw: Mapping[str, Any], *, subsidiaries: Mapping[str, str], dimensions: Mapping[str, str]) -> RuleBook:
    """The rule book of a `[posting]` table; `subsidiaries` by company, `dimensions` label to code part.

    Raises: SettingsError.
    """
    table = written.table(PLACE, raw, SETTINGS)
    _check_dimensions(dimensions)
    accounts = account_names(table.get("accounts", {}), subsidiaries)
    book = RuleBook(
        documents=_documents(table),
        rules=_rules(table, accounts) if "rule" in table else DEFAULT_RULES,
        accounts=accounts,
        lines=_account_rules(table, accounts, subsidiaries),
        rates=_rates(table),
        **_scalars(table),
        **_by_company(table, subsidiaries),
    )
    check_rules(book.rules)
    check_account_rules(book.lines)
    check_documents(book)
    return book


def _documents(table: Mapping[str, Any]) -> tuple[str, ...]:
    place = f"{PLACE}.documents"
    found = written.texts(place, written.needed(PLACE, table, "documents"))
    return tuple(written.known(place, one, flows.DOCUMENTS, "kind of document") for one in found)


def _scalars(table: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Callable[[str, Any], Any]] = {
        "closed_period": lambda place, value: written.choice(place, value, (HOLD, NEXT_OPEN)),
        "late_needs_approval": written.flag,
        "rounding_max": written.amount,
        "duplicates": lambda place, value: written.choice(place, value, ("warn", "hold", "off")),
        "duplicate_tolerance": written.amount,
        "duplicate_days": written.days,
        "user_group": written.text,
    }
    return {name: how(f"{PLACE}.{name}", table[name]) for name, how in read.items() if name in table}


def _by_company(table: Mapping[str, Any], subsidiaries: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, how in (("amount_max", written.amount), ("voucher_types", written.text)):
        rows = written.table(f"{PLACE}.{name}", table.get(name, {}), (*subsidiaries, REST), "company")
        found[name] = {company: how(f"{PLACE}.{name}.{company}", value) for company, value in rows.items()}
    return found


def _rules(table: Mapping[str, Any], accounts: Mapping[str, Mapping[str, str]]) -> tuple[Rule, ...]:
    rows = written.tables(f"{PLACE}.rule", table["rule"], RULE)
    names = tuple(dict.fromkeys(name for own in accounts.values() for name in own))
    rules = tuple(_rule(place, row, names) for place, row in rows)
    for at, rule in enumerate(rules, start=1):
        if rule.name in [one.name for one in rules[: at - 1]]:
            raise SettingsError(f'{PLACE}.rule[{at}].name: another rule has the name "{rule.name}" already')
    return rules


def _rule(place: str, row: Mapping[str, Any], names: tuple[str, ...]) -> Rule:
    debit = _sources(f"{place}.debit", written.needed(place, row, "debit"), names)
    credit = _sources(f"{place}.credit", written.needed(place, row, "credit"), names)
    if set(debit) & set(credit):
        raise SettingsError(f"{place}: debit and credit both name {sorted(set(debit) & set(credit))[0]}")
    roles = {
        role: written.known(f"{place}.{role}", written.text(f"{place}.{role}", row[role]), names, "account name")
        for role in ("fee", "exchange", "rounding")
        if role in row
    }
    return Rule(
        written.text(f"{place}.name", written.needed(place, row, "name")),
        _kinds(f"{place}.kinds", written.needed(place, row, "kinds")),
        debit,
        credit,
        of=written.choice(f"{place}.of", row["of"], ("request", "bill")) if "of" in row else "",
        negative=written.choice(f"{place}.negative", row.get("negative", HOLD), (SWAP, HOLD)),
        **roles,
    )


def _sources(place: str, value: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    sources = written.texts(place, value)
    for source in sources:
        if source not in OF_DOCUMENT:
            written.known(place, source, names, "account name")
    if LINES in sources and len(sources) > 1:
        raise SettingsError(f'{place}: "{LINES}" stands alone; write a rule of its own for documents without lines')
    return sources


def _kinds(place: str, value: Any) -> tuple[str, ...]:
    kinds = written.texts(place, value)
    for kind in kinds:
        if "*" in kind[:-1]:
            raise SettingsError(f'{place}: in "{kind}", * may only stand at the end')
    return kinds


def _account_rules(
    table: Mapping[str, Any], accounts: Mapping[str, Mapping[str, str]], subsidiaries: Mapping[str, str]
) -> tuple[AccountRule, ...]:
    rows = written.tables(f"{PLACE}.account", table.get("account", []), (*CONDITIONS, "account", "parts"))
    return tuple(_account_rule(place, row, accounts, subsidiaries) for place, row in rows)


def _account_rule(
    place: str, row: Mapping[str, Any], accounts: Mapping[str, Mapping[str, str]], subsidiaries: Mapping[str, str]
) -> AccountRule:
    account = account_of_lines(f"{place}.account", written.needed(place, row, "account"), accounts)
    conditions = tuple((what, written.text(f"{place}.{what}", row[what])) for what in CONDITIONS if what in row)
    for what, value in conditions:
        _check_condition(f"{place}.{what}", what, value, subsidiaries)
    parts = written.table(f"{place}.parts", row.get("parts", {}))
    for part in parts:
        written.known(f"{place}.parts", part, tuple(CODE_PARTS), "code part")
    found = {part: written.text(f"{place}.parts.{part}", value) for part, value in parts.items()}
    return AccountRule(conditions, account, tuple(sorted(found.items())))


def _check_condition(place: str, what: str, value: str, subsidiaries: Mapping[str, str]) -> None:
    if what == "company":
        written.known(place, value, tuple(subsidiaries), "company in [mapping.subsidiaries]")
    if what == "subsidiary":
        written.known(place, value, tuple(subsidiaries.values()), "subsidiary in [mapping.subsidiaries]")
    if what == "kind":
        _kinds(place, value)
    label, _, reference = value.partition("=")
    if what == "tag" and not (label and reference):
        raise SettingsError(f'{place}: "{value}" is not a tag; it looks like "project=P-001"')


def _rates(table: Mapping[str, Any]) -> tuple[TableRate, ...]:
    rates = tuple(_rate(place, row) for place, row in written.tables(f"{PLACE}.rate", table.get("rate", []), RATE))
    for at, rate in enumerate(rates, start=1):
        if any((one.base, one.quote, one.on) == (rate.base, rate.quote, rate.on) for one in rates[: at - 1]):
            raise SettingsError(
                f"{PLACE}.rate[{at}]: a rate of {rate.base} to {rate.quote} on {rate.on} is there already"
            )
    return rates


def _rate(place: str, row: Mapping[str, Any]) -> TableRate:
    base = written.currency(f"{place}.from", written.needed(place, row, "from"))
    quote = written.currency(f"{place}.to", written.needed(place, row, "to"))
    number = written.amount(f"{place}.rate", written.needed(place, row, "rate"))
    if not number or base == quote:
        raise SettingsError(f"{place}: a rate is more than zero, and between two currencies")
    on = written.day(f"{place}.on", written.needed(place, row, "on"))
    return TableRate(base, quote, number, on, written.text(f"{place}.source", written.needed(place, row, "source")))


def _check_dimensions(dimensions: Mapping[str, str]) -> None:
    for label, part in dimensions.items():
        written.known(f"mapping.dimensions.{label}", part, tuple(CODE_PARTS), "code part")
