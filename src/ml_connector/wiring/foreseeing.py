"""What other settings would change, on real records: decided with the settings in force and with others.

Rule: reads the sources alone, so many records at most; what is linked counts as it was agreed. What is counted as
changed is decided otherwise, or for another reason.
Must not know: how anything is shown.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

import msgspec

from ml_connector import flows
from ml_connector.records import codec
from ml_connector.run import BASIS, Job
from ml_connector.settings import Connection, Profile
from ml_connector.sync.flow import AnyFlow, End, Shape
from ml_connector.sync.orders import WHOLE, Extent
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Sight
from ml_connector.wiring import choice, versions
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.merging import Place, differences
from ml_connector.wiring.opened import Opened, exceptions
from ml_connector.wiring.remembered import Once, Remembered

RECORDS_MAX = 200
SHOWN_MAX = 10
READ_MAX = 20_000
FLOW_S = 15.0
EVERYTHING = Extent(since=date.min)
WORDS = {
    Action.CREATE: "create",
    Action.ADOPT: "link",
    Action.RELINK: "link",
    Action.UPDATE: "update",
    Action.DEACTIVATE: "switch off",
    Action.UNCHANGED: "leave",
    Action.NOT_DUE: "not due",
    Action.HELD: "hold",
}
# What of a profile no mapping depends on, and what every one does.
NEVER: tuple[Place, ...] = (
    ("alerts",),
    ("two_persons",),
    ("calendar_zone",),
    ("quiet_s",),
    ("timeout_s",),
    ("gate",),
    ("web",),
)
ALWAYS: tuple[Place, ...] = (("ifs",), ("airbase",), ("systems",), ("mapping", "subsidiaries"))


class Otherwise(msgspec.Struct, frozen=True):
    """A record that is decided otherwise; `now` and `then` in a word, with what the target should hold or why not."""

    flow: str
    key: str
    now: str
    then: str
    before: Any
    after: Any
    held_now: Held | None
    held_then: Held | None


class Foreseen(msgspec.Struct):
    """What was found: records looked at and decided otherwise by flow, the first of these.

    `started`, `stopped`: flows that only one of the two settings has.
    """

    looked_at: dict[str, int]
    changed: dict[str, int]
    first: list[Otherwise]
    started: list[str]
    stopped: list[str]


class Enough(Exception):
    """So many records were looked at."""


def foresee(opened: Opened, name: str, profile: Profile, person: str) -> Foreseen:
    """What a profile would change. Raises: SettingsError, ConnectorError."""
    present = versions.present(opened, name)
    wanted = msgspec.structs.replace(present, profile=profile)
    with (
        closing(Joined(opened, name, person=person)) as now,
        closing(Joined(opened, name, person=person, instead=wanted)) as then,
    ):
        affected = _affected(present, wanted, now, then)
        seen = Foreseen({}, {}, [], _only(then, now), _only(now, then))
        again = _read_otherwise(present, wanted)
        for flow in (flow.name for flow in choice.chosen((), then.had) if flow.name in affected):
            _compare(seen, flow, *_both(now, then, flow, again=again))
        return seen


def _both(now: Joined, then: Joined, flow: str, *, again: bool) -> tuple[dict[str, Decision], dict[str, Decision]]:
    """What is decided of records now and then; read twice only where they are read otherwise."""
    seen: dict[str, Sight] = {}
    keys = _keys(now, flow) if flow in now.had else ()
    extent = Extent(keys=keys) if keys else EVERYTHING
    before = _decided(now, flow, extent, seen) if flow in now.had else {}
    if before and not keys and not again:
        extent = Extent(keys=tuple(before))
    return before, _decided(then, flow, extent, {} if again else seen)


def _read_otherwise(present: Connection, wanted: Connection) -> bool:
    names = ("ifs", "airbase", "systems", "calendar_zone")
    return any(getattr(present.profile, name) != getattr(wanted.profile, name) for name in names)


def _only(these: Joined, others: Joined) -> list[str]:
    return sorted(these.had - others.had)


def _affected(present: Connection, wanted: Connection, now: Joined, then: Joined) -> set[str]:
    pair = (msgspec.to_builtins(one.profile) for one in (present, wanted))
    places = [place for place in differences(*pair) if not _within(place, NEVER)]
    return {name for name in now.had | then.had if any(_matters(place, flows.FLOWS[name]) for place in places)}


def _matters(place: Place, flow: AnyFlow) -> bool:
    """Whether what became of a flow's records may depend on a part of the profile."""
    own = (flow.setting.place[:1],) if flow.setting else ()
    return _within(place, (*ALWAYS, *flow.heeds, *own))


def _within(place: Place, parts: Iterable[Place]) -> bool:
    return any(place[: len(part)] == part[: len(place)] for part in parts)


def _keys(both: Joined, flow: str) -> tuple[str, ...]:
    """Records of a flow that matter most: those that wait, those that changed, those that are linked; none at first."""
    if not both.store(flows.FLOWS[flow]).cursor(BASIS):
        return ()
    waiting = [key for _, key in exceptions(both.opened, both.stored.name).chosen(flow)[:RECORDS_MAX]]
    changed = list(_decided(both, flow, WHOLE, {})) if len(waiting) < RECORDS_MAX else []
    linked = _linked(both, flow, RECORDS_MAX - len(waiting) - len(changed))
    return tuple(dict.fromkeys((*waiting, *changed, *linked)))[:RECORDS_MAX]


def _linked(both: Joined, flow: str, limit: int) -> list[str]:
    """Records that are in the target; what was posted stands, whatever the settings."""
    if limit <= 0 or flows.FLOWS[flow].shape is Shape.POST:
        return []
    pages = both.ends.source(End("links", flow)).read_all()
    return list(islice((sight.key for page in pages for sight in page.sights), limit))


def _decided(both: Joined, flow: str, extent: Extent, seen: dict[str, Sight]) -> dict[str, Decision]:
    """What would become of the records of a flow, so many at most; `seen`: records as they were read."""
    found: dict[str, Decision] = {}
    until = time.monotonic() + FLOW_S

    def tell(_flow: str, _sight: Sight, decision: Decision) -> None:
        found[decision.key] = decision
        if len(found) >= RECORDS_MAX:
            raise Enough

    def watch(_flow: str, _stage: str, done: int) -> None:
        if done > READ_MAX or time.monotonic() > until:
            raise Enough

    def lens(job: Job) -> Job:
        return replace(job, source=Once(job.source, seen), target=Remembered(job.target, job.store, flow))

    with suppress(Enough):
        both.plan([flow], extent=extent, watch=watch, tell=tell, lens=lens)
    return found


def _compare(seen: Foreseen, flow: str, now: Mapping[str, Decision], then: Mapping[str, Decision]) -> None:
    seen.looked_at[flow] = len({**now, **then})
    others = [key for key in then if _outcome(now.get(key)) != _outcome(then[key])]
    seen.changed[flow] = len(others)
    for key in others[: SHOWN_MAX - len(seen.first)]:
        seen.first.append(_otherwise(flow, key, now.get(key), then[key]))


def _outcome(one: Decision | None) -> tuple[str, ...]:
    if one is None:
        return ()
    if one.action is Action.NOT_DUE:
        return (one.action,)
    if one.held:
        return (one.action, one.held.cause, one.held.sentence)
    return (one.action, codec.digest(one.after))


def _otherwise(flow: str, key: str, now: Decision | None, then: Decision) -> Otherwise:
    held = now.held if now else None
    before = now.after if now and now.after is not None else then.before
    return Otherwise(flow, key, _word(flow, now), _word(flow, then), before, then.after, held, then.held)


def _word(flow: str, one: Decision | None) -> str:
    if one is None:
        return "not looked at"
    if one.action is Action.CREATE and flows.FLOWS[flow].shape is Shape.POST:
        return "post"
    return WORDS[one.action]
