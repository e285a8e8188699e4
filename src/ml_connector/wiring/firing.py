"""What is wrong with a connection right now and who knows of it; silencing it, and trying whether messages arrive.

Rule: it tells what is so, also where nobody is told and no worker is at work.
Must not know: how anything is shown.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

import msgspec

from ml_connector import flows, settings
from ml_connector.engine import alerts as rules
from ml_connector.errors import ConnectorError, SettingsError
from ml_connector.settings import Installation
from ml_connector.store.alerts import Alerts
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.state import snapshot
from ml_connector.sync.alerts import Condition, Standing
from ml_connector.wiring import telling
from ml_connector.wiring.alerting import seen
from ml_connector.wiring.opened import Opened

SILENCE_MAX = timedelta(days=31)


class Fires(msgspec.Struct, frozen=True):
    """Something that is wrong; `since` None: no worker has looked since it began."""

    name: str
    sentence: str
    since: datetime | None
    told: tuple[str, ...]
    silenced_until: datetime | None


class Told(msgspec.Struct, frozen=True):
    """What is wrong with a connection, and by which ways somebody is told."""

    alerts: tuple[Fires, ...]
    ways: tuple[str, ...]
    silenced_until: datetime | None


def told(opened: Opened, name: str, now: datetime) -> Told:
    """What is wrong now, and what is remembered of it. Raises: SettingsError, StoreError."""
    place = opened.connections.get(name)
    profile = settings.connection(place.settings).profile
    stood = Alerts(opened.database).read().get(place.id, {})
    state = snapshot(opened.database, None, flows.FLOWS, now)
    fires = tuple(_fires(one, stood.get(one.name), now) for one in seen(state, place.id, profile) if one.firing)
    return Told(fires, telling.named(profile.alerts), _silenced(stood.get(rules.EVERYTHING), now))


def _fires(one: Condition, stood: Standing | None, now: datetime) -> Fires:
    if stood is None:
        return Fires(one.name, one.sentence, None, (), None)
    since = stood.since if stood.firing else stood.turning_at
    return Fires(one.name, one.sentence, since, tuple(sorted(stood.told)), _silenced(stood, now))


def _silenced(stood: Standing | None, now: datetime) -> datetime | None:
    return stood.silenced_until if stood and rules.is_silent(stood, now) else None


def silence(opened: Opened, name: str, which: Collection[str], until: datetime, now: datetime) -> None:
    """Have nothing told of these, or of anything, until then; it is journalled. Raises: SettingsError, StoreError."""
    if until - now > SILENCE_MAX:
        raise SettingsError(f"nothing is silent for longer than {SILENCE_MAX.days} days; silence it again then")
    place = opened.connections.get(name)
    profile = settings.connection(place.settings).profile
    state = snapshot(opened.database, None, flows.FLOWS, now)
    there = {one.name for one in seen(state, place.id, profile)} | Alerts(opened.database).read().get(
        place.id, {}
    ).keys()
    for one in set(which) - there:
        near = get_close_matches(one, sorted(there), 1)
        hint = f"; nearest: {near[0]}" if near else ""
        raise SettingsError(f"{name} has no alert {one!r}{hint}; there are: {', '.join(sorted(there))}")
    names = sorted(which or (rules.EVERYTHING,))
    facts = {"event": "alerts silenced" if until > now else "silence ended", "alerts": names}
    line = Line(Kind.CONNECTION, facts | {"until": until.isoformat(), "person": settings.person()})
    note = (Journal(opened.database, opened.vault, place.id), line)
    Alerts(opened.database).silence(place.id, names, until, now, note)


def send_test(opened: Opened, installation: Installation, name: str) -> dict[str, str]:
    """Send a test message by each way; what came of it, "" when it was delivered. Raises: SettingsError, StoreError."""
    own = settings.connection(opened.connections.get(name).settings).profile.alerts
    said: dict[str, str] = {}
    for way, tell in telling.ways(own, installation).items():
        try:
            tell(telling.of_test(name, datetime.now(UTC)))
            said[way] = ""
        except ConnectorError as error:
            said[way] = str(error)
    return said
