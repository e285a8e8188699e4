"""When somebody is told of a condition: once when it starts to fire, once when it is over, and a digest a day.

Rule: what only flickers is not told; what could not be told is tried again, so rather twice than never; whoever was
not told that it fires is not told that it is over.
Must not know: what the conditions are, how anybody is told, what time it is.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ml_connector.sync.alerts import Condition, Standing

EVERYTHING = "*"  # the name under which all of a connection is silenced
DIGEST = "digest"
RESERVED = (EVERYTHING, DIGEST)
AGAIN_S, AGAIN_MAX_S = 15.0, 3600.0
OVER_TRIES_MAX = 10  # that it is over need not be told for ever


def advance(
    known: Mapping[str, Standing], seen: Iterable[Condition], ways: Collection[str], for_s: float, now: datetime
) -> dict[str, Standing]:
    """How conditions stand, by name, given how they stood and what is seen now; what is settled and told is forgotten.

    A condition that is no longer watched is over.
    """
    conditions = {one.name: one for one in seen}
    names = {*conditions, *known} - {*RESERVED}
    standings = (
        _moved(known.get(name) or Standing(name, now), conditions.get(name) or Condition(name, False), for_s, now)
        for name in sorted(names)
    )
    kept = (_knowing(one, ways) for one in standings)
    return {one.name: one for one in kept if one.firing or one.turning_at or one.told or is_silent(one, now)}


def to_tell(standing: Standing, ways: Collection[str], now: datetime) -> frozenset[str]:
    """The ways by which its present state is to be told now."""
    if is_silent(standing, now) or now < _next_try(standing):
        return frozenset()
    return frozenset(ways) - standing.told if standing.firing else standing.told & frozenset(ways)


def told(standing: Standing, way: str) -> Standing:
    """Its state was told by this way."""
    knowing = standing.told | {way} if standing.firing else standing.told - {way}
    return replace(standing, told=knowing)


def failed(standing: Standing, now: datetime) -> Standing:
    """Its state could not be told by some way."""
    return replace(standing, tries=standing.tries + 1, tried_at=now)


def is_silent(standing: Standing | None, now: datetime) -> bool:
    """Whether nothing is told of it for now."""
    return standing is not None and standing.silenced_until is not None and now < standing.silenced_until


def digest(known: Standing | None, ways: Collection[str], at: time, zone: ZoneInfo, now: datetime) -> Standing:
    """How the digest stands: it fires from its time on, until the next day's; the first one is that of tomorrow."""
    slot = _latest(at, zone, now)
    if known is None:
        return Standing(DIGEST, slot, firing=True, told=frozenset(ways))
    if known.since >= slot:
        return known
    return replace(known, since=slot, firing=True, told=frozenset(), tries=0, tried_at=None)


def _moved(known: Standing, seen: Condition, for_s: float, now: datetime) -> Standing:
    if seen.firing:
        known = replace(known, sentence=seen.sentence)
    if seen.firing == known.firing:
        return replace(known, turning_at=None)
    since = known.turning_at or now
    if now - since < timedelta(seconds=for_s):
        return replace(known, turning_at=since)
    return replace(known, firing=seen.firing, since=since, turning_at=None, tries=0, tried_at=None)


def _knowing(standing: Standing, ways: Collection[str]) -> Standing:
    over = not standing.firing and standing.tries >= OVER_TRIES_MAX
    return replace(standing, told=frozenset() if over else standing.told & frozenset(ways))


def _next_try(standing: Standing) -> datetime:
    if standing.tried_at is None:
        return standing.since
    return standing.tried_at + timedelta(seconds=min(AGAIN_MAX_S, AGAIN_S * 2 ** min(standing.tries - 1, 16)))


def _latest(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The latest instant at which the clocks of the zone showed this time; where they skipped it, soon after."""
    today = now.astimezone(zone).date()
    instants = (datetime.combine(day, at, zone).astimezone(now.tzinfo) for day in (today, today - timedelta(days=1)))
    return next((one for one in instants if one <= now), now - timedelta(days=1))
