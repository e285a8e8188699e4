"""When a flow is due: cron expressions and intervals, blackouts, and what becomes of slots that were missed.

Rule: a slot is an instant and happens once, whatever the clocks of its zone do; several missed slots are made up for by
one run. The caller says what time it is.
Must not know: flows, connections, where a schedule is kept.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from ml_connector.errors import SettingsError

TEXT_MAX = 200
EVERY_MIN, EVERY_MAX = timedelta(seconds=10), timedelta(days=7)
BLACKOUT_MAX = timedelta(days=62)
BLACKOUT_YEARS = range(2000, 2200)
JOINED_MAX = 100  # windows; what touches them after that is found when they are over
GRACE_S = 90.0
YEARS_BACK = timedelta(days=4 * 366)  # the rarest slot there is: 29 February
WINDOWS = (timedelta(hours=3), timedelta(days=3), timedelta(days=70), YEARS_BACK)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EVERY = re.compile(r"every\s+(\d{1,5})\s*([smhd])", re.IGNORECASE)
_FOR = re.compile(r"(.+?)\s+for\s+(\d{1,4})\s*([mhd])", re.IGNORECASE)
_EXAMPLES = 'it looks like "*/15 * * * *" (minute hour day month weekday) or "every 15m"'


class Cron(msgspec.Struct, frozen=True):
    """A five-field expression."""

    text: str


class Every(msgspec.Struct, frozen=True):
    """An interval, counted from 1970 in UTC, so that it needs no memory."""

    step: timedelta


Spec = Cron | Every


class Blackout(msgspec.Struct, frozen=True):
    """From each start on, for a while; `start` a spec, or one local time."""

    start: Cron | datetime
    span: timedelta

    @classmethod
    def parse(cls, text: str) -> "Blackout":
        """A blackout from its text. Raises: SettingsError."""
        tidy = _tidy(text)
        return _recurring(found) if (found := _FOR.fullmatch(tidy)) else _once(tidy)


class Due(msgspec.Struct, frozen=True):
    """The newest slot that has come; `late`: it, or one before it, should have been run earlier. `run`: now."""

    slot: datetime
    late: bool
    run: bool


def parse(text: str) -> Spec:
    """A schedule from its text. Raises: SettingsError."""
    tidy = _tidy(text)
    return _every(found) if (found := _EVERY.fullmatch(tidy)) else _cron(tidy)


def slots(spec: Spec, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The slots after an instant, in UTC and in order."""
    yield from _intervals(spec, after) if isinstance(spec, Every) else _crons(spec, zone, after)


def upcoming(spec: Spec, zone: ZoneInfo, now: datetime, count: int) -> list[datetime]:
    """The next slots."""
    return [slot for slot, _ in zip(slots(spec, zone, now), range(count), strict=False)]


def latest(spec: Spec, zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """The newest slot with after < slot <= until."""
    for window in WINDOWS:
        begin = max(after, until - window)
        found = None
        for slot in slots(spec, zone, begin):
            if slot > until:
                break
            found = slot
        if found or begin == after:
            return found
    return None


def due(
    spec: Spec,
    zone: ZoneInfo,
    blackouts: Sequence[Blackout],
    last_slot: datetime,
    now: datetime,
    catch_up: bool,
) -> Due | None:
    """What of a schedule is due; None: nothing, or nothing yet, because of a blackout."""
    slot = latest(spec, zone, last_slot, now)
    if slot is None or any(_end(one, zone, now) for one in blackouts):
        return None
    old = (now - slot).total_seconds() > GRACE_S
    missed = next(slots(spec, zone, last_slot)) < slot
    return Due(slot, late=old or missed, run=catch_up or not old)


def covering(blackouts: Sequence[Blackout], zone: ZoneInfo, now: datetime) -> datetime | None:
    """Until when it is blacked out, windows that touch joined; None: it is not."""
    until = now
    for _ in range(JOINED_MAX):
        ends = [end for one in blackouts if (end := _end(one, zone, until))]
        if not ends or until - now > BLACKOUT_MAX:
            break
        until = max(ends)
    return until if until > now else None


def in_words(spec: Spec) -> str:
    """A schedule as one would say it."""
    if isinstance(spec, Cron):
        said = CronSim(spec.text, _EPOCH).explain()
        return said[:1].lower() + said[1:]
    for unit in ("days", "hours", "minutes", "seconds"):
        count, rest = divmod(spec.step, timedelta(**{unit: 1}))
        if count and not rest:
            return f"every {unit[:-1]}" if count == 1 else f"every {count} {unit}"
    raise AssertionError(spec)


def _intervals(spec: Every, after: datetime) -> Iterator[datetime]:
    count = (after - _EPOCH) // spec.step
    while True:
        count += 1
        yield _EPOCH + count * spec.step


def _crons(spec: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    given = after.astimezone(UTC)
    minute, hour = spec.text.split()[:2]
    fixed = not minute.startswith("*") and not hour.startswith("*")
    for instant in _fixed(spec, zone, given) if fixed else _running(spec, zone, given):
        if instant > given:  # an hour that comes twice begins again in local time
            given = instant
            yield instant


def _fixed(spec: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Times of day: one that is skipped comes right after the gap, one that comes twice is the first."""
    for slot in CronSim(spec.text, after.astimezone(zone)):
        yield slot.astimezone(UTC)


def _running(spec: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Whenever a clock on the wall shows it: never in a gap, again in an hour that comes twice.

    The wall's times are mapped here, as CronSim loses some where clocks change by half an hour.
    """
    local = after.astimezone(zone)
    earlier, later = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    again = deque[datetime]()
    for wall in CronSim(spec.text, local.replace(tzinfo=None, fold=0) - (later - earlier)):
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        while again and again[0] < first:
            yield again.popleft()
        if first <= second:  # else no clock shows it
            yield first
        if first < second:
            again.append(second)


def _end(one: Blackout, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the blackout that covers an instant ends."""
    if isinstance(one.start, datetime):
        start, end = (each.replace(tzinfo=zone).astimezone(UTC) for each in (one.start, one.start + one.span))
        return end if start <= at < end else None
    start = latest(one.start, zone, at - one.span, at)
    return start + one.span if start else None


def _tidy(text: str) -> str:
    tidy = " ".join(text.split())
    if not tidy or len(tidy) > TEXT_MAX:
        raise SettingsError(f"{tidy[:40]!r} is no schedule; {_EXAMPLES}")
    return tidy


def _every(found: re.Match[str]) -> Every:
    step = timedelta(**{_UNITS[found[2].lower()]: int(found[1])})
    if not EVERY_MIN <= step <= EVERY_MAX:
        raise SettingsError(f"{found[0]!r} is out of bounds; every 10s at the least, every 7d at the most")
    return Every(step)


def _cron(tidy: str) -> Cron:
    try:
        if len(tidy.split()) != 5:
            raise CronSimError(f"it has {len(tidy.split())} fields, not 5")
        next(CronSim(tidy, _EPOCH))
    except (CronSimError, ValueError) as error:
        raise SettingsError(f"{tidy!r} is no schedule ({str(error).lower()}); {_EXAMPLES}") from None
    except StopIteration:
        raise SettingsError(f"{tidy!r} never comes: there is no such day") from None
    return Cron(tidy)


def _recurring(found: re.Match[str]) -> Blackout:
    span = timedelta(**{_UNITS[found[3].lower()]: int(found[2])})
    return Blackout(_cron(found[1]), _bounded(found[0], span))


def _once(tidy: str) -> Blackout:
    begin, _, end = tidy.partition("/")
    try:
        start, stop = datetime.fromisoformat(begin.strip()), datetime.fromisoformat(end.strip())
    except ValueError:
        start = stop = None
    if start is None or stop is None or start.tzinfo or stop.tzinfo:
        raise SettingsError(
            f'{tidy!r} is no blackout; it looks like "2026-10-31T18:00/2026-11-03T06:00" or "0 18 L * * for 60h"'
        )
    if start.year not in BLACKOUT_YEARS or stop.year not in BLACKOUT_YEARS:
        raise SettingsError(f"{tidy!r} is not of this time; check the year")
    return Blackout(start, _bounded(tidy, stop - start))


def _bounded(text: str, span: timedelta) -> timedelta:
    if not timedelta(0) < span <= BLACKOUT_MAX:
        raise SettingsError(f"{text!r} lasts {span}; a blackout has to last some time, and at most 62 days")
    return span
