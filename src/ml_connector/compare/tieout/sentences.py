"""What a line says in a controller's words: why, and what to do where.

Rule: each sentence names the voucher, its company and period, and the amounts that matter.
Must not know: how anything is decided.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import msgspec

from ml_connector.compare.tieout import rows
from ml_connector.compare.tieout.apart import parties_apart, rows_apart
from ml_connector.compare.tieout.shapes import Kind, Line, State, Timing
from ml_connector.compare.tieout.sides import Claim
from ml_connector.compare.tieout.standing import Standing, rows_of
from ml_connector.records.money import Money
from ml_connector.records.voucher import VoucherRow

RUN = "Run its flow; the connector posts it."
BY_AMOUNT = "What its voucher should be nobody can say, so only its amount was compared."
IN_IFS = "Look into IFS who did that and why."


def in_words(line: Line, claim: Claim, own: Standing) -> Line:
    """The line with its reason and remedy."""
    said = (
        _OF_DIFFERENCE[line.difference](_Told(line, claim, own))
        if line.difference
        else _of_timing(line, own)
        if line.timing
        else None
    )
    reason, remedy = said or _of_state(line, claim)
    reason = f"{reason} {BY_AMOUNT}".strip() if own.live and not line.difference and not claim.expected else reason
    return msgspec.structs.replace(line, reason=reason, remedy=remedy)


def astray(claim: Claim, company: str) -> tuple[str, str]:
    """Of a voucher in a company where its document is not."""
    return (
        f"It carries the reference of {claim.number}, which is of company {company}.",
        "Reverse it in IFS, unless something else stands behind it.",
    )


def in_other_currency(claim: Claim) -> tuple[str, str]:
    """Of a voucher that counts in another currency than its document."""
    return (
        f"It is that of {claim.number}, which is of {Money(claim.amount, claim.currency)}.",
        f"See what {claim.number} says in {claim.currency}.",
    )


def where(line: Line) -> str:
    """Where a voucher is that no document stands for, and what it comes to."""
    stands = Money(line.ifs_amount or Decimal(0), line.currency)
    return f"Voucher {line.target_id} in {_place(line)}, comes to {stands}."


def taken_back(own: Standing) -> str:
    """Of vouchers that come to nothing together."""
    periods = ", ".join(dict.fromkeys(one.period for one in own.all))
    return f"It was posted and taken back ({periods}); together that comes to nothing."


class _Told(msgspec.Struct, frozen=True):
    """A document and its vouchers, to speak of."""

    line: Line
    claim: Claim
    own: Standing

    @property
    def said(self) -> Money:
        """What the document comes to."""
        return Money(self.claim.amount, self.claim.currency)

    @property
    def stands(self) -> Money:
        """What its vouchers come to."""
        return Money(self.line.ifs_amount or Decimal(0), self.claim.currency)

    @property
    def in_each(self) -> str:
        """What those that stand come to, in each of their currencies."""
        found, own = rows_of(self.own.live), self.claim.currency
        strange = rows.currencies(found) - {own} - rows.currencies(self.due)
        others = (Money(max(rows.sides(found, one)), one) for one in sorted(strange))
        mine = [self.stands] if own in rows.currencies(found) else []
        return " and ".join(str(one) for one in (*mine, *others)) or str(self.stands)

    @property
    def due(self) -> Sequence[VoucherRow]:
        """The rows that should stand."""
        return self.claim.expected.rows if self.claim.expected else ()

    @property
    def apart(self) -> str:
        """Which rows stand instead of which."""
        return rows_apart(rows_of(self.own.live), rows_of(self.own.all), self.due)

    @property
    def voucher(self) -> str:
        """Its voucher."""
        return f"Voucher {self.line.target_id}"

    @property
    def where(self) -> str:
        """Its voucher and where that is."""
        return f"{self.voucher} in {_place(self.line)},"


def _missing(told: _Told) -> tuple[str, str]:
    return (
        f"It was posted as {told.line.target_id} in company {told.line.company} with {told.said}, which is neither in "
        f"the ledger nor in the hold table.",
        f"{IN_IFS} Once that is clear, enter the voucher there again with its reference, or replay the document.",
    )


def _not_wanted(told: _Told) -> tuple[str, str]:
    return (
        f"Nothing should stand for it any more, but {told.where} does, with {told.in_each}.",
        "Run its flow. If it stays, reverse the voucher in IFS.",
    )


def _twice(told: _Told) -> tuple[str, str]:
    several = ", ".join(one.target_id for one in told.own.live)
    return (
        f"It is posted {len(told.own.live)} times in company {told.line.company}: {several}; together that is "
        f"{told.in_each} instead of {told.said}.",
        "Reverse all but one of them in IFS, and take the reference off those that go.",
    )


def _reversed(told: _Told) -> tuple[str, str]:
    by = f" by {', '.join(one.target_id for one in told.own.takers)}" if told.own.takers else ""
    return (
        f"{told.where} was taken back in IFS{by}, although the document stands with {told.said}.",
        "If that was right, withdraw the document in Airbase; else undo the reversal in IFS.",
    )


def _changed(told: _Told) -> tuple[str, str]:
    waits = f" The correction waits: {told.claim.reason}" if told.claim.reason else ""
    return (
        f"It was changed in Airbase, to {told.said}, after it was posted as {told.voucher}.{waits}",
        told.claim.remedy or "Run its flow; the connector corrects the voucher.",
    )


def _misplaced(told: _Told) -> tuple[str, str]:
    days = ", ".join(dict.fromkeys(one.on.isoformat() for one in told.own.live))
    return (
        f"It is of {told.line.dated_on}, period {told.line.period}, but {told.where} is dated {days}.",
        "Move the voucher to its period in IFS, or reverse it there and enter it anew.",
    )


def _unreadable(told: _Told) -> tuple[str, str]:
    return f"The document can't be read: {told.claim.reason}", told.claim.remedy


def _recoded(told: _Told) -> tuple[str, str]:
    return (
        f"{told.where} has other accounts or code parts than were posted: {told.apart}.",
        "Correct the accounts in IFS. If they are right there, correct the rule or the tags they come from.",
    )


def _in_currency(told: _Told) -> tuple[str, str]:
    return (
        f"{told.where} is of {told.in_each}, but the document of {told.said}.",
        f"Reverse the voucher in IFS and enter it in {told.claim.currency}, or amend it while it is in the hold table.",
    )


def _of_other_party(told: _Told) -> tuple[str, str]:
    return (
        f"{told.where} has {parties_apart(rows_of(told.own.all), told.due)}.",
        "Correct the supplier in IFS: what is owed or paid is not with the one that it should be with.",
    )


def _otherwise(told: _Told) -> tuple[str, str]:
    remedy = "Correct the voucher in IFS: reverse it there, or amend it while it is in the hold table."
    if told.said != told.stands:
        return f"{told.where} comes to {told.stands}, but the document to {told.said}.", remedy
    return f"{told.where} has other amounts on its rows than were posted: {told.apart}.", remedy


_OF_DIFFERENCE: Mapping[str, Callable[[_Told], tuple[str, str]]] = {
    Kind.MISSING: _missing,
    Kind.EXTRA: _not_wanted,
    Kind.AMOUNT: _otherwise,
    Kind.PERIOD: _misplaced,
    Kind.CURRENCY: _in_currency,
    Kind.ACCOUNT: _recoded,
    Kind.PARTY: _of_other_party,
    Kind.DUPLICATE: _twice,
    Kind.REVERSED: _reversed,
    Kind.CHANGED: _changed,
    Kind.UNREADABLE: _unreadable,
}


def _of_timing(line: Line, own: Standing) -> tuple[str, str] | None:
    if not own.live:
        return taken_back(own), ""
    match line.timing:
        case Timing.IN_HOLD:
            return (
                f"Voucher {line.target_id} waits in the hold table.",
                "Update the hold table to the general ledger in IFS.",
            )
        case Timing.LATER:
            return (
                f"It is of period {line.period}; Voucher {line.target_id} is in {line.ifs_period}, the first one open.",
                "",
            )
        case Timing.DAY:
            days = ", ".join(dict.fromkeys(one.on.isoformat() for one in own.live))
            return (
                f"It is of {line.dated_on}; Voucher {line.target_id} in {_place(line)}, is dated {days}.",
                "No figure of the period changes by that; ask in IFS who moved it, and why.",
            )
        case _:
            return f"It is of {line.dated_on}, period {line.period}, and was posted or corrected in this one.", ""


def _of_state(line: Line, claim: Claim) -> tuple[str, str]:
    if claim.reason:
        return claim.reason, claim.remedy
    return ("It is not posted yet, and nothing is in its way.", RUN) if line.state == State.TO_COME else ("", "")


def _place(line: Line) -> str:
    place = "the hold table" if line.place == "hold" else "the ledger"
    return f"{place} of company {line.company}, period {line.ifs_period}"
