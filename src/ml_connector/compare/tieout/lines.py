"""A claim and its vouchers become lines of one period.

Rule: each document of the period has exactly one line of its own; so has each other whose vouchers are in it.
Must not know: how many lines there are.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from ml_connector.compare.tieout import differing, rows, sentences
from ml_connector.compare.tieout.calendar import UNKNOWN, Calendar
from ml_connector.compare.tieout.figures import NOTHING, Figures, Worth, figures
from ml_connector.compare.tieout.shapes import Kind, Line, State, Timing
from ml_connector.compare.tieout.sides import Claim, There
from ml_connector.compare.tieout.standing import Standing, standing
from ml_connector.records import money

WAITING = (State.HELD, State.REFUSED, State.TO_COME)
WRONG = (Kind.AMOUNT, Kind.CURRENCY, Kind.ACCOUNT, Kind.PARTY)  # a voucher can be so, and in a wrong period as well
NOT_READ = (
    "No document of the spend side stands for it.",
    "Look what it is; if nothing should stand, reverse it in IFS.",
)


def lines_of(claim: Claim, vouchers: Sequence[There], calendar: Calendar, period: str) -> Iterator[Line]:
    """The lines of a document, and those of its vouchers in companies where none of them should be."""
    company = _company(claim, vouchers)
    own = standing([one for one in vouchers if one.voucher.company == company])
    claim = _with_currency(claim, own)
    line = _line(claim, company, own, calendar, period)
    if line is not None:
        yield line
    yield from _in_other_currencies(claim, own, period)
    astray = [one for one in vouchers if one.voucher.company != company]
    yield from extras(astray, period, sentences.astray(claim, company)) if astray else ()


def extras(vouchers: Sequence[There], period: str, why: tuple[str, str] = NOT_READ) -> Iterator[Line]:
    """The lines of vouchers that no document stands for, one a company."""
    for company in dict.fromkeys(one.voucher.company for one in vouchers):
        own = standing([one for one in vouchers if one.voucher.company == company])
        line = _extra(own, company, period, why)
        if line is not None:
            yield line


def _company(claim: Claim, vouchers: Sequence[There]) -> str:
    """The document's own, or where its voucher is when nobody else can say."""
    return vouchers[0].voucher.company if claim.company == UNKNOWN and vouchers else claim.company


def _with_currency(claim: Claim, own: Standing) -> Claim:
    """The claim in the currency of its voucher, when nobody else can say."""
    row = next((row for one in own.all for row in one.voucher.rows), None)
    return msgspec.structs.replace(claim, currency=row.currency) if row and claim.currency == UNKNOWN else claim


def _in_other_currencies(claim: Claim, own: Standing, period: str) -> Iterator[Line]:
    """Of a document's vouchers those that have nothing in its currency, as they count in theirs."""
    strange: dict[str, list[There]] = {}
    for one in own.all:
        if not differing.counts(one, claim):
            strange.setdefault(one.voucher.rows[0].currency, []).append(one)
    for vouchers in strange.values():
        for line in extras(vouchers, period, sentences.in_other_currency(claim)):
            kind = Kind.CURRENCY if line.difference else ""
            yield msgspec.structs.replace(line, flow=claim.flow, number=claim.number, difference=kind)


def _line(claim: Claim, company: str, own: Standing, calendar: Calendar, period: str) -> Line | None:
    home = _home(claim, company, own, calendar)
    mine = home == period or (home == UNKNOWN and calendar.may_be(period, claim.dated_on))
    if not mine and all(one.period != period for one in own.all):
        return None
    claim = differing.settled(claim, own)
    kind = differing.difference(claim, own, calendar)
    worths = [_worth(one, claim, kind, own, calendar) for one in own.all]
    found = figures(worths, period, mine=mine, timely=_timely(claim, company, kind, home, own, calendar))
    if not mine and not kind and found.ledger == found.hold == NOTHING:
        return None
    state = _state(claim, own) if mine else ""
    timing = "" if kind else _timing(claim, found, own, calendar, mine=mine)
    line = msgspec.structs.replace(_named(claim, company, home), state=state, difference=kind or "", timing=timing)
    return sentences.in_words(_placed(line, found, own, worths, claim.target_id), claim, own)


def _named(claim: Claim, company: str, home: str) -> Line:
    """A line of a document, with what it says itself."""
    place = (company if home != UNKNOWN else UNKNOWN, home, claim.currency)
    day = claim.dated_on.isoformat() if claim.dated_on else ""
    return Line(claim.flow, claim.key, claim.number, *place, claim.amount, dated_on=day, url=claim.url)


def _home(claim: Claim, company: str, own: Standing, calendar: Calendar) -> str:
    home = calendar.period(company, differing.day_of(claim))
    return own.last.period if home == UNKNOWN and own.last else home


def _worth(one: There, claim: Claim, kind: Kind | None, own: Standing, calendar: Calendar) -> Worth:
    live = one in own.live
    astray = live and kind is Kind.DUPLICATE and not differing.rightly(one, claim, calendar)
    timely = not astray and not (live and kind is Kind.EXTRA)
    if not differing.counts(one, claim):
        return Worth(one, Decimal(0), live=False, timely=timely)
    return Worth(one, differing.worth(one, claim), live, timely)


def _timely(claim: Claim, company: str, kind: Kind | None, home: str, own: Standing, calendar: Calendar) -> bool:
    """Whether the document's vouchers are in the period where they should be, or rightly in another."""
    if kind is Kind.CHANGED and claim.expected:
        return calendar.period(company, claim.expected.dated_on) == home
    if kind in WRONG:
        return differing.timely(claim, own, calendar)
    return kind is not Kind.PERIOD


def _state(claim: Claim, own: Standing) -> State:
    if not claim.active or not own.all:
        return claim.state
    return State.POSTED if claim.linked else State.THERE


def _timing(claim: Claim, found: Figures, own: Standing, calendar: Calendar, *, mine: bool) -> str:
    if not mine:
        return Timing.EARLIER
    if found.later != NOTHING:
        return Timing.LATER
    if differing.moved(claim, own, calendar):
        return Timing.DAY
    return Timing.IN_HOLD if any(one.place == "hold" for one in own.live) else ""


def _placed(line: Line, found: Figures, own: Standing, worths: Sequence[Worth], target_id: str) -> Line:
    """With where its vouchers are, and what they come to."""
    line = msgspec.structs.replace(line, target_id=target_id, **msgspec.structs.asdict(found))
    last = own.last
    if last is None:
        return line
    stands = money.total(one.amount for one in worths)
    return msgspec.structs.replace(
        line, target_id=last.target_id, place=last.place, ifs_period=last.period, ifs_amount=stands
    )


def _extra(own: Standing, company: str, period: str, why: tuple[str, str]) -> Line | None:
    if all(one.period not in (period, UNKNOWN) for one in own.all):
        return None
    currency = next((row.currency for one in own.all for row in one.voucher.rows), UNKNOWN)
    worths = [Worth(one, _moved(one, own, currency), one in own.live) for one in own.all]
    found = figures(worths, period, mine=False, timely=not own.live)
    if not own.live and found.ledger == found.hold == NOTHING:
        return None
    last = own.live[-1] if own.live else own.all[-1]
    kind, timing = (Kind.EXTRA, "") if own.live else ("", Timing.EARLIER)
    line = Line(
        "", last.key, last.voucher.text or last.key, company, last.period, currency, Decimal(0), "", kind, timing
    )
    placed = _placed(line, found, own, worths, "")
    reason = f"{sentences.where(placed)} {why[0]}" if own.live else sentences.taken_back(own)
    said = {"reason": reason, "remedy": why[1] if own.live else ""}
    return msgspec.structs.replace(placed, dated_on=last.voucher.dated_on.isoformat(), **said)


def _moved(there: There, own: Standing, currency: str) -> Decimal:
    """What a voucher moves that there is nothing to hold it against."""
    amount, first = max(rows.sides(there.voucher.rows, currency)), own.all[0]
    way = rows.way(rows.net(there.voucher.rows), rows.net(first.voucher.rows))
    turned = (way < 0) != first.reversal if way else there.reversal
    return amount.copy_negate() if turned else amount
