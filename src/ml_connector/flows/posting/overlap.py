"""Rules that contradict each other: those that are never reached, and documents that post the same thing twice.

Rule: what is found here is a mistake for certain, never a matter of taste.
Must not know: how rules are written down.
"""

from collections.abc import Mapping, Sequence

from ml_connector.errors import SettingsError
from ml_connector.flows.posting.rules import LINES, AccountRule, Rule, RuleBook, alike, covers
from ml_connector.records.spend import PAYMENT, REQUEST


def check_rules(rules: Sequence[Rule]) -> None:
    """Make sure that each rule can be reached.

    Raises: SettingsError.
    """
    for at, rule in enumerate(rules):
        takers = [_taker(rules[:at], kind, rule.of) for kind in rule.kinds]
        first = next((taker for taker in takers if taker is not None), None)
        if first is not None and None not in takers:
            raise SettingsError(
                f'posting.rule[{at + 1}]: "{rule.name}" is never reached: posting.rule[{first + 1}] '
                f'"{rules[first].name}" takes all that it would; put this one first, or take it out'
            )


def check_account_rules(rules: Sequence[AccountRule]) -> None:
    """Make sure that each account rule can be reached.

    Raises: SettingsError.
    """
    for at, rule in enumerate(rules):
        first = next((place for place, earlier in enumerate(rules[:at]) if _takes_all(earlier, rule)), None)
        if first is not None:
            raise SettingsError(
                f"posting.account[{at + 1}]: is never reached: posting.account[{first + 1}] takes every line that it "
                "would; put this one first, or take it out"
            )


def check_documents(book: RuleBook) -> None:
    """Make sure that no two of the documents post the same thing.

    Raises: SettingsError.
    """
    if {"payments", "ledger_entries"} <= set(book.documents):
        raise SettingsError(
            "posting.documents: payments and ledger_entries would post the same payments twice; choose one of them"
        )
    if {"purchase_requests", "ledger_entries"} <= set(book.documents) and (spending := _spending(book.rules)):
        raise SettingsError(
            "posting.documents: purchase_requests and ledger_entries would post the same spend twice, as a request "
            f'and by the rule "{spending}"; let it debit what the rule for requests credits, or choose one of them'
        )


def _taker(earlier: Sequence[Rule], kind: str, of: str) -> int | None:
    """The first rule that takes all of a kind before it gets any further."""
    for at, rule in enumerate(earlier):
        if rule.of in ("", of) and any(covers(pattern, kind) for pattern in rule.kinds):
            return at
    return None


def _takes_all(earlier: AccountRule, later: AccountRule) -> bool:
    given = dict(later.conditions)
    shown = earlier.account != "given" or later.account == "given" or "given" in given
    return shown and all(_implied(what, value, given) for what, value in earlier.conditions)


def _implied(what: str, value: str, given: Mapping[str, str]) -> bool:
    if what not in given:
        return False
    return covers(value, given[what]) if what == "kind" else alike(value, given[what])


def _spending(rules: Sequence[Rule]) -> str:
    """The first rule for ledger entries that debits lines, as the rule for requests does."""
    entries = (rule for rule in rules if any(kind not in (REQUEST, PAYMENT) for kind in rule.kinds))
    return next((rule.name for rule in entries if LINES in rule.debit), "")
