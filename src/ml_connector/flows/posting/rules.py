"""The rule book: which accounts a document moves between, and the limits within which it is posted.

Rule: data and how it is matched; the first rule that matches decides, and where none does, nothing is decided.
Must not know: how a rule book is written down, how a voucher is composed.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.records import spend
from ml_connector.records.spend import Document, SpendLine

LINES = "lines"
BANK = "document.bank"
PAYABLE = "document.payable"
OF_DOCUMENT = (LINES, BANK, PAYABLE)
GIVEN = "given"
REST = "*"
SWAP = "swap"
HOLD = "hold"
NEXT_OPEN = "next_open"

LISTS = {spend.REQUEST: "purchase_requests", spend.PAYMENT: "payments"}

Facts = Mapping[str, tuple[str, ...]]


class Rule(msgspec.Struct, frozen=True):
    """Between which accounts the documents of some kinds move.

    Shape: `debit` and `credit` are sources of an account, the first that gives one counts: a name of the rule book,
    `lines`, `document.bank` or `document.payable`. `fee`, `exchange`, `rounding` are names; "" for none.
    `of`: only documents that refer to a `request`, or to a `bill` and no request.
    """

    name: str
    kinds: tuple[str, ...]
    debit: tuple[str, ...]
    credit: tuple[str, ...]
    of: str = ""
    fee: str = ""
    exchange: str = ""
    rounding: str = ""
    negative: str = HOLD

    def takes(self, document: Document) -> bool:
        """Whether a document goes by this rule."""
        return self.of in ("", of_what(document)) and any(covers(kind, document.kind) for kind in self.kinds)

    @property
    def owes(self) -> bool:
        """Whether something is owed to somebody; not when lines are paid out of the document's bank at once."""
        return not (LINES in self.debit and BANK in self.credit)

    @property
    def pays_in(self) -> bool:
        """Whether money arrives at a bank, so that what the bank keeps for itself shows on the debit side."""
        return BANK in self.debit


class AccountRule(msgspec.Struct, frozen=True):
    """To which account the lines go that meet all conditions, and their code parts where tags say nothing.

    Shape: conditions are (what, value); `account` is a number, a name of the rule book, or `given`.
    """

    conditions: tuple[tuple[str, str], ...]
    account: str
    parts: tuple[tuple[str, str], ...] = ()

    def takes(self, facts: Facts) -> bool:
        """Whether a line with these facts goes by this rule; one that shows no account has none to be given."""
        shown = self.account != GIVEN or any(facts[GIVEN])
        return shown and all(_meets(what, value, facts) for what, value in self.conditions)


class TableRate(msgspec.Struct, frozen=True):
    """How much of one currency is paid for one unit of another, from a day on."""

    base: str
    quote: str
    rate: Decimal
    on: date
    source: str


class RuleBook(msgspec.Struct, frozen=True):
    """All that a person said about posting.

    Shape: `accounts`: company (or `*` for the rest) to name to account number; `voucher_types` and `amount_max` by
    company (or `*`). Units: `rounding_max` and `amount_max` in company currency a voucher; `duplicate_tolerance` in the
    document's currency; `duplicate_days` in days.
    """

    documents: tuple[str, ...]
    rules: tuple[Rule, ...]
    accounts: Mapping[str, Mapping[str, str]] = {}
    lines: tuple[AccountRule, ...] = ()
    rates: tuple[TableRate, ...] = ()
    closed_period: str = HOLD
    late_needs_approval: bool = False
    rounding_max: Decimal = Decimal("0.05")
    duplicates: str = "warn"
    duplicate_tolerance: Decimal = Decimal(0)
    duplicate_days: int = 90
    user_group: str = "AC"
    voucher_types: Mapping[str, str] = {}
    amount_max: Mapping[str, Decimal] = {}

    def rule_for(self, document: Document) -> Rule | None:
        """The first rule that takes a document."""
        return next((rule for rule in self.rules if rule.takes(document)), None)

    @property
    def used(self) -> list[Rule]:
        """The rules for what is posted at all: requests and payments each have a list, the rest are of other lists."""
        rest = set(self.documents) - set(LISTS.values())
        taken = {kind for kind, name in LISTS.items() if name in self.documents}
        return [
            rule for rule in self.rules if any(kind in taken or (kind not in LISTS and rest) for kind in rule.kinds)
        ]

    def line_rule(self, facts: Facts) -> AccountRule | None:
        """The first account rule that takes a line."""
        return next((rule for rule in self.lines if rule.takes(facts)), None)

    def account(self, name: str, company: str) -> str:
        """The account that a name stands for in a company; "" when there is none."""
        return self.accounts.get(company, self.accounts.get(REST, {})).get(name, "")

    def is_name(self, text: str) -> bool:
        """Whether a text is the name of an account, in any company."""
        return any(text in names for names in self.accounts.values())

    def rate(self, base: str, quote: str, day: date) -> TableRate | None:
        """The latest rate of the table that is not younger than a day."""
        known = (one for one in self.rates if (one.base, one.quote) == (base, quote) and one.on <= day)
        return max(known, key=lambda one: one.on, default=None)

    def voucher_type(self, company: str) -> str:
        """The voucher type that was named for a company; "" for none."""
        return self.voucher_types.get(company, self.voucher_types.get(REST, ""))

    def limit(self, company: str) -> Decimal | None:
        """Up to which amount a voucher of a company is posted unasked; None: any."""
        return self.amount_max.get(company, self.amount_max.get(REST))


def covers(pattern: str, kind: str) -> bool:
    """Whether a pattern takes a kind, or all that another pattern takes; `*` at its end stands for any rest."""
    return pattern == kind or (pattern.endswith("*") and kind.startswith(pattern[:-1]))


def of_what(document: Document) -> str:
    """What a document refers to: a request, else a bill, else nothing."""
    if document.request_id:
        return "request"
    return spend.BILL if document.bill_ids or document.applied_to else ""


def facts_of(document: Document, line: SpendLine, company: str) -> Facts:
    """What account rules may ask of a line."""
    tags = (*line.tags, *document.tags)
    return {
        "category": (line.category or document.category,),
        "type": (document.type,),
        "kind": (document.kind,),
        "vendor": (document.supplier_id, document.vendor),
        "company": (company,),
        "subsidiary": (document.subsidiary,),
        "tag": tuple(f"{tag.label}={tag.reference}" for tag in tags),
        GIVEN: (line.account,),
    }


def alike(left: str, right: str) -> bool:
    """Whether two texts are the same to a person: case and outer blanks do not count."""
    return left.strip().casefold() == right.strip().casefold()


def _meets(what: str, value: str, facts: Facts) -> bool:
    if what == "kind":
        return any(covers(value, fact) for fact in facts[what])
    return any(alike(value, fact) for fact in facts[what])
