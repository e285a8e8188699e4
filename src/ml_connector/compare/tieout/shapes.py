"""What a tie-out says: totals, differences, what waits, and what only falls into another period.

Rule: what was read is posted, already there, held, refused, not due or to come: each document is exactly one of these.
Amounts are exact; those of the ledger come from the ledger and the hold table, never from what was remembered.
Must not know: how either side was read, how anything is shown.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class State(StrEnum):
    """What became of a document of the spend side."""

    POSTED = "posted"
    THERE = "already_there"  # in the ledger before the connector came to it
    HELD = "held"
    REFUSED = "refused"
    NOT_DUE = "not_due"
    TO_COME = "to_come"  # nothing is in its way; the next run posts it


class Kind(StrEnum):
    """How the sides differ in one document."""

    MISSING = "missing"  # linked as posted, but in neither the ledger nor the hold table
    EXTRA = "extra"  # a voucher of ours that no document of the spend side stands for
    AMOUNT = "wrong_amount"
    CURRENCY = "wrong_currency"
    PERIOD = "wrong_period"
    ACCOUNT = "wrong_account"  # or code parts
    PARTY = "wrong_party"  # all else is right, but it is of another supplier
    DUPLICATE = "duplicate"
    REVERSED = "reversed"  # taken back in the ledger, although the document stands
    CHANGED = "changed_since"  # the document was changed after it was posted; a correction is due
    UNREADABLE = "unreadable"


class Timing(StrEnum):
    """Why a document counts on one side in this period and on the other not (yet), or on another day of it."""

    IN_HOLD = "in_hold_table"
    LATER = "posted_in_later_period"
    EARLIER = "document_of_earlier_period"
    DAY = "other_day"


class Figure(msgspec.Struct, frozen=True):
    """How many, and what they come to."""

    count: int = 0
    amount: Decimal = Decimal(0)


class Line(msgspec.Struct, frozen=True):
    """One document, or one voucher that has none.

    `state`: of a document of this period; "" for what only counts because its voucher is in it. `period`: its own;
    `ifs_period`: the one that its voucher is in. `amount`: as the spend side says; `ifs_amount`: what stands in IFS,
    over all periods, without the fee and the rounding beside it. `place`: "ledger", "hold" or "". `reason`: a sentence.
    `ledger`, `hold`: its vouchers in this period; `later`, `earlier`: what of them is timing. Each total is the sum of
    these over its lines.
    """

    flow: str
    key: str
    number: str
    company: str
    period: str
    currency: str
    amount: Decimal
    state: str = ""
    difference: str = ""
    timing: str = ""
    target_id: str = ""
    place: str = ""
    ifs_period: str = ""
    ifs_amount: Decimal | None = None
    dated_on: str = ""
    reason: str = ""
    remedy: str = ""
    url: str = ""
    ifs_url: str = ""
    ledger: Figure = Figure()
    hold: Figure = Figure()
    later: Figure = Figure()
    earlier: Figure = Figure()


class Total(msgspec.Struct, frozen=True):
    """One company and currency in the period.

    `ledger`, `hold`: vouchers of ours there, by their own period. `later` and `earlier` are the timing differences:
    documents of this period posted in another, and vouchers of this period for documents of another.
    """

    company: str
    currency: str
    read: Figure = Figure()
    posted: Figure = Figure()
    already_there: Figure = Figure()
    held: Figure = Figure()
    refused: Figure = Figure()
    not_due: Figure = Figure()
    to_come: Figure = Figure()
    ledger: Figure = Figure()
    hold: Figure = Figure()
    later: Figure = Figure()
    earlier: Figure = Figure()
    differences: int = 0
    unexplained: Decimal = Decimal(0)  # what is left between the sides when all of the above is taken off


class Mirror(msgspec.Struct, frozen=True):
    """Master data of one flow on both sides, in counts and digests; equal digests: the sides are equal in every field
    that is kept in line. `differences`: of those not equal, the first ones.
    """

    flow: str
    title: str
    source: int
    target: int
    equal: int
    differing: int
    missing: int
    extra: int
    held: int
    not_due: int
    source_digest: str
    target_digest: str
    differences: tuple[Line, ...] = ()

    @property
    def in_line(self) -> bool:
        """Whether nothing that should be equal on both sides differs."""
        return not (self.differing or self.missing or self.extra)


class TieOut(msgspec.Struct, frozen=True):
    """A tie-out of one connection and one accounting period, such as 2026-10."""

    connection: str
    period: str
    made_at: datetime
    made_by: str
    totals: tuple[Total, ...] = ()
    differences: tuple[Line, ...] = ()
    timing: tuple[Line, ...] = ()
    waiting: tuple[Line, ...] = ()  # held, refused, to come
    mirrors: tuple[Mirror, ...] = ()
    cut: dict[str, int] = {}  # of each list, how many lines more there are than are told
    assumed: tuple[str, ...] = ()  # what of the comparison rests on names that were not confirmed
    lines: int = 0  # how many were told of one by one, and the SHA-256 of these as lines of JSON
    lines_digest: str = ""
    from_on: str = ""  # the first and the last day of the period, of all companies
    until_on: str = ""
    flows: tuple[str, ...] = ()  # whose documents were read; of others nothing is said

    @property
    def ties(self) -> bool:
        """Whether no document differs and nothing is left unexplained; master data is told apart."""
        return not self.differences and not any(total.unexplained for total in self.totals)

    @property
    def in_line(self) -> bool:
        """Whether master data is equal on both sides."""
        return all(one.in_line for one in self.mirrors)
