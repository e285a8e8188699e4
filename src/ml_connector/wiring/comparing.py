"""A tie-out of a connection and an accounting period: both sides read, and compared.

Rule: nothing is sent and nothing is kept; every document that was read counts.
Must not know: how a tie-out is kept or shown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from ml_connector.compare.tieout.calendar import Calendar, calendar_of, written
from ml_connector.compare.tieout.claims import REFUSED
from ml_connector.compare.tieout.lines import NOT_READ, extras, lines_of
from ml_connector.compare.tieout.sentences import BY_AMOUNT
from ml_connector.compare.tieout.shapes import Line, State, TieOut
from ml_connector.compare.tieout.sides import Claim
from ml_connector.compare.tieout.tying import Tying
from ml_connector.errors import SettingsError
from ml_connector.sync.orders import Extent
from ml_connector.sync.outcome import Held
from ml_connector.sync.report import Report
from ml_connector.systems.ifs.books import read_calendar
from ml_connector.wiring import addresses
from ml_connector.wiring.both_sides import BATCH, Reading
from ml_connector.wiring.joined import Joined, Watch, unwatched
from ml_connector.wiring.opened import exceptions
from ml_connector.wiring.spooled import Spooled

COMPARING = "tie-out"  # as a flow to those who watch
SHOWN_MAX = 24
REFUSED_MAX = 100_000
MAY_STAND = (State.HELD, State.REFUSED)  # handed over, or posted by a store that is lost
PARTS = ("voucher_rows", "hold_vouchers", "hold_rows")
BY_TEXT = "vouchers that came by file are found by the documents that their texts name, and by nothing else"
Why = dict[str, Any]  # fields of a claim that tell why it waits


def tie_out(
    both: Joined, period: str, *, watch: Watch = unwatched, each: Callable[[Line], None] | None = None
) -> TieOut:
    """Count and sum both sides of a period, such as 2026-10; `each` is told every line that counts.

    Raises: SettingsError for a period that IFS does not have, BusyError while one of the flows runs, ConnectorError.
    """
    calendar = _calendar(both)
    name = _known(period, calendar)
    tying = Tying(each or _untold)
    with Spooled(Claim) as claims:
        reading = Reading(both, calendar, claims, watch)
        extent = Extent(census=True)
        reports = both.plan(reading.names, extent=extent, watch=watch, tell=reading.tell, lens=reading.lens)
        reading.flush()
        by_amount = 0
        for line in _lines(_explained(both, claims, reports), reading, calendar, name, watch):
            by_amount += line.reason.endswith(BY_AMOUNT)
            tying.add(_addressed(both, line))
    from_on, until_on = calendar.days(name)
    begun = TieOut(
        both.stored.name,
        name,
        datetime.now(UTC),
        both.person,
        mirrors=tuple(one.made() for one in reading.mirrors.values()),
        assumed=_assumed(both, by_amount),
        from_on=from_on,
        until_on=until_on,
        flows=tuple(reading.documents),
    )
    return tying.onto(begun)


def _untold(_: Line) -> None:
    """Nobody listens."""


def _calendar(both: Joined) -> Calendar:
    return calendar_of(read_calendar(both.tenants.ifs), both.read.rules.user_group) if both.read.rules else Calendar()


def _known(period: str, calendar: Calendar) -> str:
    """A period that there is, as it is written here."""
    name, names = written(period), calendar.names()
    if name and (name in names or not names):
        return name
    if not names:
        raise SettingsError(f"{period!r} is no accounting period; one looks like 2026-10")
    same = [one for one in names if name and one.startswith(name[:4])] or names[-SHOWN_MAX:]
    raise SettingsError(f"IFS has no accounting period {period}; there are: {', '.join(same)}")


def _lines(claims: Iterator[Claim], reading: Reading, calendar: Calendar, period: str, watch: Watch) -> Iterator[Line]:
    done = 0
    while some := list(islice(claims, BATCH)):
        reading.look([claim.key for claim in some if claim.linked or claim.state in MAY_STAND])
        for claim in some:
            yield from lines_of(claim, reading.taken(claim.key), calendar, period)
        done += len(some)
        watch(COMPARING, "compare", done)
    for key, vouchers in reading.left():
        yield from extras(vouchers, period, reading.gone.get(key, NOT_READ))


def _explained(both: Joined, claims: Spooled[Claim], reports: Sequence[Report]) -> Iterator[Claim]:
    """The documents, with why those wait that nothing but a gate or an earlier refusal is in the way of."""
    stopped = {one.flow: _stopped(both, one) for one in reports if one.objections}
    refused = _refused(both)
    for claim in claims:
        why = _why(claim, refused, stopped)
        yield msgspec.structs.replace(claim, **why) if why else claim


def _why(claim: Claim, refused: Mapping[tuple[str, str], Held], stopped: Mapping[str, Why]) -> Why:
    waits = claim.state is State.TO_COME
    held = refused.get((claim.flow, claim.key)) if waits else None
    if held:
        return {"state": State.REFUSED, "cause": held.cause, "reason": held.sentence, "remedy": held.remedy}
    return stopped.get(claim.flow, {}) if waits or (claim.changed and not claim.reason) else {}


def _refused(both: Joined) -> Mapping[tuple[str, str], Held]:
    """What IFS refused before; the next run tries again."""
    kept = exceptions(both.opened, both.stored.name)
    found = (one for cause in REFUSED for one in kept.open(REFUSED_MAX, cause=cause))
    return {(one.flow, one.key): one.held for one in found}


def _stopped(both: Joined, report: Report) -> Why:
    reason = f"A gate stops the plan of this flow: {report.objections[0]}."
    return {"reason": reason, "remedy": f"ml-connector approve {both.stored.name} {report.plan_id}, then run again."}


def _addressed(both: Joined, line: Line) -> Line:
    """With where it is to be looked at, where the profile says so."""
    web = both.settings.profile.web
    ifs, airbase = web.ifs.get(line.flow, ""), web.airbase.get(line.flow, "")
    if not ifs and not airbase:
        return line
    own, theirs = (addresses.filled(one, line.key, line.target_id) for one in (airbase, ifs))
    return msgspec.structs.replace(line, url=own or line.url, ifs_url=theirs if line.place else "")


def _assumed(both: Joined, by_amount: int) -> tuple[str, ...]:
    """What was read by names that nobody has confirmed, what can't be found by any, what could not be compared."""
    parts = [both.tenants.ifs.profile.parts[name] for name in PARTS] if both.read.rules else []
    sets = tuple(f"{one.service} {one.set}" for one in parts if one.confidence == "assumed")
    landing = both.read.landing
    alone = f"of {by_amount:,} that are held only the amounts were compared: what else should stand nobody can say"
    by_text = landing is not None and not landing.refers
    return (*sets, *((BY_TEXT,) if by_text else ()), *((alone,) if by_amount else ()))
