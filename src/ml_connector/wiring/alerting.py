"""Alerting: how things are, what of it is to be told, telling it.

Rule: one worker at a time; that somebody was told is remembered only after it was delivered, so that a crash in between
tells twice rather than never. A connection or a way that fails keeps no other from being told.
Must not know: what is alarming, how a message travels.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from ml_connector import flows, settings
from ml_connector.engine import alerts as rules
from ml_connector.errors import BusyError, ConnectorError, StoreError
from ml_connector.settings import Installation, Profile
from ml_connector.store.alerts import Alerts
from ml_connector.store.state import Snapshot, snapshot
from ml_connector.sync.alerts import Condition, Standing
from ml_connector.wiring import conditions as alarming
from ml_connector.wiring import telling
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.telling import Line, Message, Way

EVERY_S = 15.0
_LOG = structlog.get_logger("ml_connector.alerts")
Ways = Callable[[settings.Alerts, Installation], Mapping[str, Way]]


class Alerting:
    """Tells of the conditions of all connections of a store."""

    def __init__(
        self,
        opened: Opened,
        installation: Installation,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ways: Ways = telling.ways,
    ) -> None:
        self._opened = opened
        self._installation = installation
        self._now = now
        self._ways = ways
        self._alerts = Alerts(opened.database)
        self._profiles: dict[tuple[str, str], Profile] = {}

    def act(self) -> bool:
        """Tell what is to be told, unless another worker is at it. Raises: StoreError."""
        try:
            with self._opened.database.lock("alerts", 0):
                self._round()
        except BusyError:
            pass
        return False

    def _round(self) -> None:
        profiles = self._read_profiles()
        telling_ones = {
            number: profile for number, profile in profiles.items() if self._ways(profile.alerts, self._installation)
        }
        if not telling_ones:
            return
        now = snapshot(self._opened.database, None, flows.FLOWS, self._now())
        stood = self._alerts.read()
        for number in telling_ones.keys() & now.connections.keys():
            try:
                self._one(now, number, telling_ones[number], stood.get(number, {}))
            except StoreError:
                raise
            except ConnectorError as error:
                _LOG.warning("alerts failed", connection=now.connections[number], said=str(error)[:300])

    def _one(self, now: Snapshot, number: int, profile: Profile, stood: Mapping[str, Standing]) -> None:
        ways = self._ways(profile.alerts, self._installation)
        stands = advanced(now, number, profile, stood, ways)
        self._keep(number, stood, stands, now.at)
        if rules.is_silent(stood.get(rules.EVERYTHING), now.at):
            return
        # Decided before any of them is tried, so that one that fails does not put off the others.
        due = {name: [one.name for one in stands.values() if rules.to_tell(one, (name,), now.at)] for name in ways}
        for name, way in ways.items():
            stands = self._told(now, number, stands, due[name], name, way)

    def _told(
        self, now: Snapshot, number: int, stands: Mapping[str, Standing], names: Collection[str], name: str, way: Way
    ) -> dict[str, Standing]:
        """How things stand after telling of these by this way."""
        due = [stands[one] for one in names]
        changes = [one for one in due if one.name != rules.DIGEST]
        connection = now.connections[number]
        after = dict(stands)
        if changes:
            message = telling.of_changes(connection, [line(one) for one in changes], now.at)
            after |= self._delivered(number, changes, name, way, message)
        if digest := [one for one in due if one.name == rules.DIGEST]:
            after |= self._delivered(number, digest, name, way, digest_of(now, number, stands))
        return after

    def _delivered(
        self, number: int, due: Collection[Standing], name: str, way: Way, message: Message
    ) -> dict[str, Standing]:
        """Deliver, and then remember that it was."""
        log = _LOG.bind(connection=message.connection, way=name, message=message.kind, alerts=len(due))
        try:
            way(message)
        except ConnectorError as error:
            log.warning("not told, tried again", error=type(error).__name__, said=str(error)[:300])
            after = [rules.failed(one, self._now()) for one in due]
        else:
            log.info("told")
            after = [rules.told(one, name) for one in due]
        self._alerts.keep(number, after)
        return {one.name: one for one in after}

    def _keep(self, number: int, stood: Mapping[str, Standing], stands: Mapping[str, Standing], now: datetime) -> None:
        """Remember what changed."""
        changed = [one for one in stands.values() if one != stood.get(one.name)]
        if changed:
            self._alerts.keep(number, changed)
        ended = stood.keys() - stands.keys() - {rules.EVERYTHING}
        if ended:
            self._alerts.drop(number, ended, now)

    def _read_profiles(self) -> dict[int, Profile]:
        """The profiles of all connections, read again when they were changed."""
        versions = self._opened.connections.versions()
        self._profiles = {place: self._profile(place) for place in versions.values()}
        return {number: self._profiles[place] for number, place in versions.items()}

    def _profile(self, place: tuple[str, str]) -> Profile:
        if place in self._profiles:
            return self._profiles[place]
        try:
            return settings.connection(self._opened.connections.get(place[0]).settings).profile
        except ConnectorError as error:
            _LOG.warning("no alerts", connection=place[0], said=str(error)[:300])
            return Profile()


def advanced(
    now: Snapshot, number: int, profile: Profile, stood: Mapping[str, Standing], ways: Collection[str]
) -> dict[str, Standing]:
    """How a connection's conditions stand now, and its digest."""
    own = profile.alerts
    stands = rules.advance(stood, seen(now, number, profile), ways, own.for_s, now.at)
    if own.digest_at:
        at, zone = settings.clock(own.digest_at), settings.zone(profile.calendar_zone)
        stands[rules.DIGEST] = rules.digest(stood.get(rules.DIGEST), ways, at, zone, now.at)
    return stands


def seen(now: Snapshot, number: int, profile: Profile) -> list[Condition]:
    """The conditions of a connection, with the limits of its profile."""
    limits: dict[str, timedelta] = {flow: settings.span(text) for flow, text in profile.alerts.dead_man.items()}
    return alarming.conditions(now, number, limits)


def line(one: Standing) -> Line:
    """A standing as it is told."""
    return Line(one.name, one.firing, one.since, one.sentence)


def digest_of(now: Snapshot, number: int, stands: Mapping[str, Standing]) -> Message:
    """The message of the day."""
    firing = [line(one) for one in stands.values() if one.firing and one.name not in rules.RESERVED]
    own = [one for one in now.held if one.connection_id == number]
    counted = [f"{alarming.shown(one.flow)}, {one.cause}: {alarming.held_in_words([one])}" for one in own]
    return telling.of_digest(now.connections[number], firing, counted, now.at)
