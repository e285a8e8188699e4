"""The guards: what a voucher must fulfil on the day that it takes effect.

Rule: each is one question with one sentence for an answer; IFS would refuse the same, but later and in its own words.
Must not know: how a voucher was composed, how it gets into the ledger.
"""

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from ml_connector.flows.posting.rules import RuleBook
from ml_connector.records import money, voucher
from ml_connector.records.ledger import CODE_PARTS, Requirement
from ml_connector.records.money import Money
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.flow import Context, Reference
from ml_connector.sync.outcome import Held, Owner

SUPPLIERS = "suppliers"


class Asked(msgspec.Struct, frozen=True):
    """A voucher, the day that it would take effect, and what it is held against."""

    voucher: Voucher
    day: date
    context: Context
    book: RuleBook

    @property
    def company(self) -> str:
        """The voucher's company."""
        return self.voucher.company


Guard = Callable[[Asked], Held | None]


def worth(record: Voucher) -> Money | None:
    """The money at stake: the debit side in the document's currency."""
    if not record.rows:
        return None
    currency = record.rows[0].currency
    return Money(
        money.total(row.amount for row in record.rows if row.currency == currency and row.amount > 0), currency
    )


def hold(record: Voucher, cause: str, problem: str, remedy: str, owner: Owner = Owner.CLERK, lacks: str = "") -> Held:
    """A hold on a voucher, which names its document."""
    about = record.text.split(" · ", 1)[0]
    return Held(cause, f"Voucher held: {problem} ({about}).", remedy, owner, worth(record), lacks=lacks)


def unbalanced(asked: Asked) -> Held | None:
    """Debit and credit must be equal in each currency and in the company's."""
    over = voucher.balance(asked.voucher.rows)
    left = voucher.company_balance(asked.voucher.rows)
    if not over and not left:
        return None
    told = ", ".join(f"{money.plain(amount)} {currency}" for currency, amount in over.items())
    return hold(
        asked.voucher,
        "not_balanced",
        f"its debit and credit differ by {told or f'{money.plain(left)} in company currency'}",
        "Report it with the document's number; nothing was sent.",
        Owner.ADMINISTRATOR,
    )


def company_unknown(asked: Asked) -> Held | None:
    """The company must be one that IFS lists."""
    if asked.company in asked.context.books.companies:
        return None
    return hold(
        asked.voucher,
        "company_unknown",
        f"IFS does not list company {asked.company}",
        "See whether the user of the connection may read that company in IFS.",
        Owner.ADMINISTRATOR,
    )


def account_unknown(asked: Asked) -> Held | None:
    """Each account must exist in the company."""
    known = asked.context.books.accounts
    missing = next((row for row in asked.voucher.rows if (asked.company, row.account) not in known), None)
    if missing is None:
        return None
    return hold(
        asked.voucher,
        "account_unknown",
        f"company {asked.company} has no account {missing.account}",
        "Correct the account in [posting] of the profile (or the account that Airbase shows), or create it in IFS.",
        lacks=missing.account,
    )


def account_not_valid(asked: Asked) -> Held | None:
    """Each account must be valid on the day."""
    known = asked.context.books.accounts
    for row in asked.voucher.rows:
        terms = known[asked.company, row.account]
        if not terms.validity.holds(asked.day):
            return hold(
                asked.voucher,
                "account_not_valid",
                f"account {row.account} {terms.description} of company {asked.company} is not valid on {asked.day}",
                "Choose another account for it in [posting] of the profile, or extend its validity in IFS.",
                Owner.CONTROLLER,
            )
    return None


def code_part_missing(asked: Asked) -> Held | None:
    """A code part that the account demands must be there."""
    for row, part in _demands(asked, Requirement.MANDATORY):
        if part not in dict(row.parts):
            return hold(
                asked.voucher,
                "code_part_missing",
                f"account {row.account} needs code part {_named(asked, part)}, and nothing gives it",
                f"Tag it in Airbase, or give the account rule parts = {{ {part} = … }} in the profile.",
            )
    return None


def code_part_blocked(asked: Asked) -> Held | None:
    """A code part that the account blocks must not be there."""
    for row, part in _demands(asked, Requirement.BLOCKED):
        if part in dict(row.parts):
            return hold(
                asked.voucher,
                "code_part_blocked",
                f"account {row.account} does not take code part {_named(asked, part)}, "
                f"but it is {dict(row.parts)[part]}",
                "Remove the tag in Airbase, choose another account, or allow the code part for it in IFS.",
            )
    return None


def code_part_unknown(asked: Asked) -> Held | None:
    """Each code part value must exist in the company."""
    known = asked.context.books.values
    for part, value in _values(asked):
        if (asked.company, part, value) not in known:
            return hold(
                asked.voucher,
                "code_part_unknown",
                f"company {asked.company} has no value {value} of code part {_named(asked, part)}",
                "Choose another tag in Airbase, or create the value in IFS.",
            )
    return None


def code_part_not_valid(asked: Asked) -> Held | None:
    """Each code part value must be valid on the day."""
    known = asked.context.books.values
    for part, value in _values(asked):
        if not known[asked.company, part, value].validity.holds(asked.day):
            return hold(
                asked.voucher,
                "code_part_not_valid",
                f"value {value} of code part {_named(asked, part)} of company {asked.company} "
                f"is not valid on {asked.day}",
                "Choose another tag in Airbase, or extend its validity in IFS.",
            )
    return None


def supplier_not_linked(asked: Asked) -> Held | None:
    """A supplier that is named must be one of those in both systems."""
    missing = next((one for one in _parties(asked.voucher) if _supplier(one) not in asked.context.links), None)
    if missing is None:
        return None
    return hold(
        asked.voucher,
        "supplier_not_linked",
        f"supplier {missing} is not among the suppliers that are in both systems",
        "See in IFS whether it exists and may be bought from. Once it is in Airbase, the document follows by itself.",
    )


def supplier_not_active(asked: Asked) -> Held | None:
    """A supplier that is named must not be switched off."""
    asleep = next((one for one in _parties(asked.voucher) if _supplier(one) in asked.context.asleep), None)
    if asleep is None:
        return None
    return hold(
        asked.voucher,
        "supplier_not_active",
        f"supplier {asleep} is switched off: none of its companies may buy from it any more",
        "See its expiry date in IFS. Once it is active again, the document follows by itself.",
    )


def voucher_type_unknown(asked: Asked) -> Held | None:
    """A voucher type that is named must exist, and IFS must give its numbers."""
    code = asked.book.voucher_type(asked.company)
    found = asked.context.books.types.get((asked.company, code))
    if not code or (found and found.allotted):
        return None
    problem = f"voucher type {code} of company {asked.company} is numbered by hand"
    return hold(
        asked.voucher,
        "voucher_type_by_hand" if found else "voucher_type_unknown",
        problem if found else f"company {asked.company} has no voucher type {code}",
        "Name another one in [posting.voucher_types] of the profile.",
        Owner.CONTROLLER,
    )


def over_limit(asked: Asked) -> Held | None:
    """A voucher of more than the limit waits for a person."""
    limit = asked.book.limit(asked.company)
    amount = voucher.turnover(asked.voucher.rows)
    if limit is None or amount <= limit:
        return None
    currency = asked.context.books.companies[asked.company].currency
    return hold(
        asked.voucher,
        "over_limit",
        f"{Money(amount, currency)} is over the limit of {Money(limit, currency)} a voucher",
        "Look at the document. If it is right, raise [posting.amount_max] in the profile, then run again.",
        Owner.CONTROLLER,
    )


BEFORE_PERIOD: tuple[Guard, ...] = (
    unbalanced,
    company_unknown,
    account_unknown,
    account_not_valid,
    code_part_missing,
    code_part_blocked,
    code_part_unknown,
    code_part_not_valid,
    supplier_not_linked,
    supplier_not_active,
)
AFTER_PERIOD: tuple[Guard, ...] = (voucher_type_unknown, over_limit)


def first(guards: tuple[Guard, ...], asked: Asked) -> Held | None:
    """The first problem that any of these guards finds."""
    return next((found for guard in guards if (found := guard(asked))), None)


def _demands(asked: Asked, requirement: Requirement) -> Iterator[tuple[VoucherRow, str]]:
    """Rows with the code parts of which their accounts demand this."""
    for row in asked.voucher.rows:
        requirements = asked.context.books.accounts[asked.company, row.account].requirements
        yield from ((row, part) for part in CODE_PARTS if requirements.get(part) is requirement)


def _values(asked: Asked) -> Iterator[tuple[str, str]]:
    return (pair for row in asked.voucher.rows for pair in row.parts)


def _named(asked: Asked, part: str) -> str:
    """A code part with the labels of its tags."""
    labels = sorted(label for label, mapped in asked.context.tables.dimensions.items() if mapped == part)
    return f"{part} ({', '.join(labels)})" if labels else part


def _parties(record: Voucher) -> list[str]:
    return sorted({row.party for row in record.rows if row.party})


def _supplier(key: str) -> Reference:
    return Reference(SUPPLIERS, key)
