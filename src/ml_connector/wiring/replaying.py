"""Replay: which records are to be looked at again, what would come of it, and the orders that do it.

Rule: a replay is a run of fewer records; it decides nothing by itself, and nothing is sent that a run would not send.
Must not know: how anything is shown.
"""

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from ml_connector import flows, settings
from ml_connector.errors import ConnectorError, SettingsError
from ml_connector.records import keys
from ml_connector.store import seen
from ml_connector.sync.flow import Shape, undated
from ml_connector.sync.orders import KEYS_MAX, Cause, Extent, Order
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import WRITES, Action, Decision
from ml_connector.sync.ports import Sight
from ml_connector.sync.report import Report
from ml_connector.wiring import choice, profile
from ml_connector.wiring.joined import Joined, Watch, unwatched
from ml_connector.wiring.opened import Opened, exceptions

IDS_MAX = 1000
KEY_MAX = 500
_AGO = re.compile(r"(\d{1,5})\s*([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Chosen = Mapping[str, Sequence[str]]  # flow to keys


class Choice(msgspec.Struct, frozen=True):
    """What to replay: these records, or those that need a person, all or by flow, by cause, by when they began to."""

    ids: tuple[str, ...] = ()
    flow: str = ""
    cause: str = ""
    since: datetime | None = None


class Would(StrEnum):
    """What would become of a record."""

    POST = "post"
    CREATE = "create"
    CHANGE = "change"
    SWITCH_OFF = "switch off"
    THERE = "already there"
    BLOCKED = "still blocked"
    GONE = "gone"
    NOTHING = "not due"


class Prospect(msgspec.Struct, frozen=True):
    """What would become of one record; of those that are there, as what."""

    flow: str
    key: str
    would: Would
    target_id: str = ""
    before: object = None
    after: object = None
    held: Held | None = None


class Preview(msgspec.Struct):
    """What would become of the records that were chosen: the first of them, and all of them counted by flow."""

    reports: list[Report]
    first: list[Prospect]
    counts: dict[str, Counter[Would]]

    @property
    def left(self) -> int:
        """How many are not among the first."""
        return sum(sum(counted.values()) for counted in self.counts.values()) - len(self.first)


def select(opened: Opened, name: str, chosen: Choice) -> dict[str, list[str]]:
    """The records that were chosen, by flow in the order in which flows run; empty when nothing fits.

    Raises: SettingsError for a record that was never seen, a flow that is off, a connection that there is none of.
    """
    on = _on(opened, name)
    if chosen.flow:
        choice.chosen([chosen.flow], on, _settings(opened, name).off)
    if len(chosen.ids) > IDS_MAX:
        raise SettingsError(f"{len(chosen.ids):,} records are more than can be named at once ({IDS_MAX:,})")
    wanted = _named(opened, name, chosen, on) if chosen.ids else []
    if not chosen.ids or chosen.cause or chosen.since:
        waiting = exceptions(opened, name).chosen(chosen.flow, chosen.cause, chosen.since)
        there = set(waiting)
        wanted = [one for one in wanted if one in there] if chosen.ids else waiting
    found: dict[str, list[str]] = defaultdict(list)
    for flow, key in dict.fromkeys(wanted):
        found[flow].append(key)
    return {flow.name: found[flow.name] for flow in choice.chosen([], on) if flow.name in found}


def key_of(opened: Opened, name: str, flow: str, given: str) -> str:
    """The key of a record as a person names it: as it is, of several parts `A/B`, or by what it is linked to.

    Raises: SettingsError when nothing was named, or several.
    """
    text, number = _trimmed(given), opened.connections.get(name).id
    forms = _forms(text)
    known = seen.flows_of(opened.database, number, forms, [flow])
    if known:
        return next(form for form in forms if form in known)
    there = sorted(seen.flows_of(opened.database, number, opened.connections.keys_of(name, text), [flow]))
    if len(there) > 1:
        raise SettingsError(f"{text} is {' and '.join(map(keys.shown, there[:5]))}; say which one")
    return there[0] if there else forms[-1]


def extents(chosen: Chosen) -> dict[str, Extent]:
    """What runs of these records cover."""
    return {flow: Extent(keys=tuple(listed)) for flow, listed in chosen.items() if listed}


def preview(both: Joined, chosen: Chosen, limit: int, watch: Watch = unwatched) -> Preview:
    """What would become of these records. Raises: SettingsError, ConnectorError."""
    made = Preview([], [], defaultdict(Counter))

    def tell(flow: str, sight: Sight, decision: Decision) -> None:
        would = _would(flow, sight, decision)
        made.counts[flow][would] += 1
        if len(made.first) < limit:
            made.first.append(_prospect(flow, would, decision))

    if covered := extents(chosen):  # no flow named would be all of them
        made.reports = both.plan(list(covered), extent=covered, watch=watch, tell=tell)
        made.first = list(_with_targets(both, made.first))
    return made


def carry_out(
    both: Joined, chosen: Chosen, *, approved: tuple[str, ...] = (), watch: Watch = unwatched
) -> list[tuple[Report, ConnectorError | None]]:
    """Run these records; see `Joined.run`. Raises: SettingsError."""
    covered = extents(chosen)
    return list(both.run(list(covered), extent=covered, approved=approved, watch=watch)) if covered else []


def orders_for(opened: Opened, name: str, chosen: Chosen, person: str) -> list[Order]:
    """The orders that replay these records, in the order in which flows run."""
    number = opened.connections.get(name).id
    return [
        _order(number, flow, Extent(keys=tuple(listed[at : at + KEYS_MAX])), Cause.REPLAY, person)
        for flow, listed in chosen.items()
        for at in range(0, len(listed), KEYS_MAX)
    ]


def backfill_order(opened: Opened, name: str, flow: str, since: date, person: str) -> Order:
    """The order that reads a flow from a day on. Raises: SettingsError for a day to come, or a flow that is off."""
    extent = backfill(opened, name, flow, since)
    return _order(opened.connections.get(name).id, flow, extent, Cause.BACKFILL, person)


def backfill(opened: Opened, name: str, flow: str, since: date) -> Extent:
    """What a backfill from a day on covers. Raises: SettingsError for a day to come, or a flow that is off."""
    choice.chosen([flow], _on(opened, name), _settings(opened, name).off)
    if since > datetime.now(zone_of(opened, name)).date():
        raise SettingsError(f"{since} is yet to come; a backfill begins at a day that is past")
    return Extent(since=since)


def has_days(flow: str) -> bool:
    """Whether records of a flow have a day by which a backfill can choose."""
    return flows.FLOWS[flow].dated is not undated


def zone_of(opened: Opened, name: str) -> ZoneInfo:
    """The zone in which a connection's days begin."""
    return settings.zone(_settings(opened, name).profile.calendar_zone)


def moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant that a person means: `2h` or `3d` ago, a day, or a day and time in a zone.

    Raises: SettingsError.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text.strip())
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{text[:40]!r} is no time; write 2h, 3d, 2026-09-01 or 2026-09-01T14:30") from None
    if at > now:
        raise SettingsError(f"{text} is yet to come")
    return at


def _on(opened: Opened, name: str) -> set[str]:
    own = _settings(opened, name)
    rules = profile.read(own).rules
    return choice.on(own, rules.documents if rules else ()) - set(own.off)


def _settings(opened: Opened, name: str) -> settings.Connection:
    return settings.connection(opened.connections.get(name).settings)


def _named(opened: Opened, name: str, chosen: Choice, on: set[str]) -> list[tuple[str, str]]:
    """Flow and key of records named by a person."""
    number = opened.connections.get(name).id
    forms = {given: _forms(given) for given in map(_trimmed, chosen.ids)}
    within = [chosen.flow] if chosen.flow else sorted(on)
    known = seen.flows_of(opened.database, number, [form for each in forms.values() for form in each], within)
    found: list[tuple[str, str]] = []
    for given, each in forms.items():
        there = [(flow, form) for form in each for flow in known.get(form, ())]
        found += there or _otherwise(opened, name, given, chosen.flow, within)
    return found


def _otherwise(opened: Opened, name: str, given: str, flow: str, within: Sequence[str]) -> list[tuple[str, str]]:
    """A record named by what it is linked to, or one of a named flow that was never seen."""
    linked = opened.connections.keys_of(name, given)
    known = seen.flows_of(opened.database, opened.connections.get(name).id, linked, within)
    if known:
        return [(one, key) for key, several in known.items() for one in several]
    if flow:
        return [(flow, _forms(given)[-1])]
    raise SettingsError(
        f"nothing is known of {given!r} in connection {name}; if it is new, say of which flow it is with --flow"
    )


def _forms(given: str) -> tuple[str, ...]:
    parts = given.split("/")
    return tuple(dict.fromkeys((given, keys.SEPARATOR.join(parts) if all(parts) else given)))


def _trimmed(given: str) -> str:
    text = given.strip()
    if not text or len(text) > KEY_MAX or not text.isprintable():
        raise SettingsError("which record? Keys look like S000004 or 100234")
    return text


def _would(flow: str, sight: Sight, decision: Decision) -> Would:
    if decision.action is Action.CREATE:
        return Would.POST if flows.FLOWS[flow].shape is Shape.POST else Would.CREATE
    if decision.action not in (*WRITES, Action.HELD) and not sight.there:
        return Would.GONE
    return _BECOMES[decision.action]


_BECOMES = {
    Action.UPDATE: Would.CHANGE,
    Action.DEACTIVATE: Would.SWITCH_OFF,
    Action.ADOPT: Would.THERE,
    Action.RELINK: Would.THERE,
    Action.UNCHANGED: Would.THERE,
    Action.NOT_DUE: Would.NOTHING,
    Action.HELD: Would.BLOCKED,
}


def _prospect(flow: str, would: Would, decision: Decision) -> Prospect:
    values = (decision.before, decision.after) if decision.action in WRITES else (None, None)
    return Prospect(flow, decision.key, would, decision.target_id, *values, decision.held)


def _with_targets(both: Joined, first: Sequence[Prospect]) -> Iterator[Prospect]:
    """Those that are there with what they are linked to, one look-up a flow."""
    for flow in {one.flow: None for one in first}:
        mine = [one for one in first if one.flow == flow]
        bare = [one.key for one in mine if one.would is Would.THERE and not one.target_id]
        links = both.store(flows.FLOWS[flow]).links(flow, bare) if bare else {}
        for one in mine:
            linked = links.get(one.key)
            yield msgspec.structs.replace(one, target_id=linked.target_id) if linked else one


def _order(connection_id: int, flow: str, extent: Extent, cause: Cause, person: str) -> Order:
    return Order(f"{cause}-{uuid.uuid4().hex}", connection_id, flow, extent, cause, person)
