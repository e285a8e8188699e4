"""How a document and its vouchers differ, in one word.

Rule: the gravest difference is told, and a document that stands as it should has none.
Must not know: which period is asked for.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.compare.tieout import rows
from ml_connector.compare.tieout.calendar import Calendar
from ml_connector.compare.tieout.shapes import Kind, State
from ml_connector.compare.tieout.sides import Claim, There
from ml_connector.compare.tieout.standing import Standing, rows_of
from ml_connector.records import money
from ml_connector.records.voucher import Voucher, VoucherRow


def difference(claim: Claim, standing: Standing, calendar: Calendar) -> Kind | None:
    """How they differ; None: they do not."""
    if claim.unreadable and (standing.all or claim.linked):
        return Kind.UNREADABLE
    if not claim.active:
        return Kind.EXTRA if standing.live else None
    if not standing.live:
        return _nothing_stands(claim, standing)
    content = _content(claim, standing)
    if content is Kind.DUPLICATE:
        return content
    if claim.changed:
        return Kind.CHANGED
    return content or (None if timely(claim, standing, calendar) else Kind.PERIOD)


def settled(claim: Claim, standing: Standing) -> Claim:
    """The claim; where the correction that seems due is in IFS already, as it stands with that."""
    if not claim.changed or claim.wanted is None or not _is(standing, claim.wanted):
        return claim
    if claim.expected and _is(standing, claim.expected):  # what changes is a text
        return claim
    if claim.wanted.rows:
        return msgspec.structs.replace(claim, expected=claim.wanted, changed=False)
    return msgspec.structs.replace(claim, expected=None, active=False, changed=False, state=State.NOT_DUE)


def _is(standing: Standing, voucher: Voucher) -> bool:
    """Whether what stands comes to a voucher, of its day."""
    dated = all(one.voucher.dated_on == voucher.dated_on for one in standing.live)
    return dated and standing.net == rows.net(voucher.rows)


def _nothing_stands(claim: Claim, standing: Standing) -> Kind | None:
    if standing.all:
        return Kind.REVERSED
    return Kind.MISSING if claim.linked else None


def _content(claim: Claim, standing: Standing) -> Kind | None:
    if claim.expected is None:
        return _by_amount(claim, standing)
    there, wanted = standing.net, rows.net(claim.expected.rows)
    if len(standing.live) > 1 and there != wanted:
        return Kind.DUPLICATE
    found = rows_of(standing.live)
    wrong = _of_one(claim, claim.expected, found, alone=there == rows.net(found)) if len(standing.live) == 1 else None
    return wrong or (None if _same_parties(claim.expected, standing) else Kind.PARTY)


def _of_one(claim: Claim, expected: Voucher, found: Sequence[VoucherRow], *, alone: bool) -> Kind | None:
    """Of the one voucher that stands; `alone`: what was taken back before comes to nothing."""
    there, wanted = rows.counted(found), rows.counted(expected.rows)
    if there == wanted and alone:
        return None if claim.carried else Kind.AMOUNT
    if found and rows.currencies(found) != rows.currencies(expected.rows):
        return Kind.CURRENCY
    turned = rows.net(found) == rows.negated(rows.net(expected.rows))
    recoded = rows.amounts(found) == rows.amounts(expected.rows)
    return Kind.ACCOUNT if recoded and alone and not turned else Kind.AMOUNT


def _same_parties(expected: Voucher, standing: Standing) -> bool:
    """Whether all that there is comes to what should stand, party by party."""
    return rows.net_of_parties(rows_of(standing.all)) == rows.net_of_parties(expected.rows)


def _by_amount(claim: Claim, standing: Standing) -> Kind | None:
    """Where nobody can say which rows it should have."""
    if len(standing.live) > 1:
        return Kind.DUPLICATE
    found = rows_of(standing.live)
    if found and claim.currency not in rows.currencies(found):
        return Kind.CURRENCY
    there = rows.sides(found, claim.currency)
    return None if claim.amount.copy_abs() in there else Kind.AMOUNT


def timely(claim: Claim, standing: Standing, calendar: Calendar) -> bool:
    """Whether what stands is in the document's period, or was rightly posted later; and what takes back, with it."""
    days = {one.version: one.on for one in standing.all if not one.reversal}
    own = day_of(claim)
    home = calendar.period(claim.company, own)
    stand = all(rightly(one, claim, calendar) for one in standing.live)
    back = all(
        one.period in (home, calendar.period(claim.company, days.get(one.version)))
        or _first_day(one, calendar)
        or one.on in days.values()
        for one in standing.all
        if one.reversal
    )
    return stand and back


def rightly(one: There, claim: Claim, calendar: Calendar) -> bool:
    """Whether one voucher is in the document's period, or was rightly posted later."""
    own = day_of(claim)
    return one.period == calendar.period(claim.company, own) or _late(one, own, calendar)


def moved(claim: Claim, standing: Standing, calendar: Calendar) -> bool:
    """Whether a voucher that stands is on a day that is neither its document's nor one that it was posted on late."""
    own = claim.expected.dated_on if claim.expected else claim.dated_on
    late = (one for one in standing.live if own and one.on != own)
    return any(one.voucher.dated_on != own or not _first_day(one, calendar) for one in late)


def day_of(claim: Claim) -> date | None:
    """The day of a document, as its voucher should have it."""
    return claim.dated_on or (claim.expected.dated_on if claim.expected else None)


def _late(one: There, own: date | None, calendar: Calendar) -> bool:
    """Whether a voucher says that its document is of an earlier day, and is on the first day of a period."""
    return own is not None and one.voucher.dated_on == own < one.on and _first_day(one, calendar)


def _first_day(one: There, calendar: Calendar) -> bool:
    company = one.voucher.company
    return calendar.opens(company, one.on) and one.period == calendar.period(company, one.on)


def counts(there: There, claim: Claim) -> bool:
    """Whether a voucher counts in the document's currency; one that has nothing in it counts in its own."""
    return not there.voucher.rows or claim.currency in rows.currencies(there.voucher.rows)


def worth(there: There, claim: Claim) -> Decimal:
    """What a voucher moves in the document's currency, without what is beside it, with the document's sign."""
    expected = claim.expected.rows if claim.expected else ()
    usual, _ = rows.sides(expected, claim.currency)
    debit, credit = rows.sides(there.voucher.rows, claim.currency)
    moved = credit if debit == usual else debit
    way = rows.way(rows.net(there.voucher.rows), rows.net(expected))
    turned = way < 0 or (way == 0 and there.reversal)
    found = money.total((moved, beside(claim).copy_negate()))
    return found.copy_negate() if turned != (claim.amount < 0) else found


def beside(claim: Claim) -> Decimal:
    """What a voucher holds beside its document's amount: a fee, an exchange difference, rounding."""
    voucher = claim.wanted or claim.expected
    if voucher is None or not voucher.rows or not claim.carried or claim.unreadable:
        return Decimal(0)
    return money.total((rows.sides(voucher.rows, claim.currency)[0], claim.amount.copy_abs().copy_negate()))
