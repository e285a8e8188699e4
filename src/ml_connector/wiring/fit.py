"""Whether two systems fit: what would happen to everything that is there now, and what is missing for it.

Rule: read only; assembled from what a plan decides of each record, so that it says what a run would do.
Must not know: how it is shown.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec

from ml_connector import flows
from ml_connector.errors import ConnectorError, RemoteError
from ml_connector.records import keys
from ml_connector.records.spend import Document
from ml_connector.sync.flow import End, Shape
from ml_connector.sync.orders import Extent
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Sight
from ml_connector.sync.report import Report
from ml_connector.wiring import causes
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.suggesting import Suggestion
from ml_connector.wiring.there import There

SAMPLES_MAX = 5
LACKS_MAX, TROUBLES_MAX = 60, 40
UNPOSTED_MAX = 200  # documents looked at where nothing is posted yet
VALUE_MAX, FIELDS_MAX, ITEMS_MAX = 200, 40, 5
NOT_POSTED = "account_not_mapped"
UNPOSTED = "purchase_requests"
BECOMES = {
    Action.CREATE: "new",
    Action.ADOPT: "there",
    Action.RELINK: "there",
    Action.UNCHANGED: "there",
    Action.UPDATE: "changed",
    Action.DEACTIVATE: "switched off",
    Action.NOT_DUE: "not due",
    Action.HELD: "held",
}

Watch = Callable[[str, str, int], None]


class Field(msgspec.Struct, frozen=True):
    """A field of a record as it would arrive."""

    name: str
    value: str


class Sample(msgspec.Struct, frozen=True):
    """A record as it would arrive; one that is held as it is where it comes from, with why and what to do."""

    flow: str
    key: str
    becomes: str
    fields: tuple[Field, ...]
    sentence: str = ""
    remedy: str = ""


class Lack(msgspec.Struct, frozen=True):
    """A value that a mapping table lacks, how many records wait for it, and what it may stand for."""

    title: str
    table: str
    value: str
    count: int
    suggestions: tuple[Suggestion, ...] = ()


class Trouble(msgspec.Struct, frozen=True):
    """Why else records are held, with the first one's sentence and remedy."""

    flow: str
    title: str
    count: int
    sentence: str
    remedy: str
    owner: str


class FlowFit(msgspec.Struct, frozen=True):
    """A flow in numbers: would map, of which there already; held; what a gate objects to; why it was not read."""

    flow: str
    title: str
    read: int = 0
    maps: int = 0
    there: int = 0
    held: int = 0
    writes: dict[str, int] = {}
    objections: tuple[str, ...] = ()
    error: str = ""


class Fit(msgspec.Struct, frozen=True):
    """The report. Units: seconds; `requests` by system."""

    flows: tuple[FlowFit, ...] = ()
    samples: tuple[Sample, ...] = ()
    lacks: tuple[Lack, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    seconds: float = 0.0
    requests: dict[str, int] = {}
    unposted: bool = False

    @property
    def fits(self) -> bool:
        """Whether everything that is due would go through."""
        return not (self.lacks or self.troubles or any(one.objections or one.error for one in self.flows))


def fit(both: Joined, watch: Watch) -> Fit:
    """Look at everything that both sides have, as a run would. Raises: SettingsError."""
    started, before = time.monotonic(), both.tenants.requests()
    rules = both.read.rules
    made, gathered, errors = _planned(both, sorted(both.had), watch)
    if rules is None:
        errors |= _unposted(both, gathered, watch)
    there = There(both)
    return Fit(
        flows=(*(_flow(one) for one in made), *(_failed(name, told) for name, told in errors.items())),
        samples=tuple(gathered.samples()),
        lacks=tuple(_lacks(gathered, there)),
        troubles=tuple(gathered.troubles()),
        seconds=round(time.monotonic() - started, 3),
        requests={system: count - before[system] for system, count in both.tenants.requests().items()},
        unposted=rules is None,
    )


class _Gathered:
    """What a plan tells of its records."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[int, list[Sample]]] = {}
        self.lacking: dict[tuple[str, str], int] = {}
        self._held: dict[tuple[str, str], list[Any]] = {}

    def tell(self, flow: str, sight: Sight, decision: Decision) -> None:
        """Take note of a record."""
        held = decision.held
        kept = self._seen.setdefault(flow, {}).setdefault(_rank(decision), [])
        if len(kept) < SAMPLES_MAX and (held or decision.after is not None):
            kept.append(_sample(flow, sight, decision))
        if held:
            self.count(flow, held)

    def count(self, flow: str, held: Held) -> None:
        """Count why a record is held."""
        if held.lacks and causes.cause(held.cause).table:
            self.lacking[held.cause, held.lacks] = self.lacking.get((held.cause, held.lacks), 0) + 1
        else:
            self._held.setdefault((flow, held.cause), [held, 0])[1] += 1

    def samples(self) -> Iterator[Sample]:
        """The first of each flow: those that would arrive, then those that are held, then those that need not."""
        for kept in self._seen.values():
            yield from [one for rank in sorted(kept) for one in kept[rank]][:SAMPLES_MAX]

    def troubles(self) -> Iterator[Trouble]:
        """Why records are held that no table would help, most first."""
        ranked = sorted(self._held.items(), key=lambda one: -one[1][1])
        for (flow, cause), (held, count) in ranked[:TROUBLES_MAX]:
            yield Trouble(flow, causes.title(cause), count, held.sentence, held.remedy, str(held.owner))


def _rank(decision: Decision) -> int:
    return {Action.HELD: 1, Action.NOT_DUE: 2}.get(decision.action, 0)


def _planned(both: Joined, names: list[str], watch: Watch) -> tuple[list[Report], _Gathered, dict[str, str]]:
    """Plan all flows; one that can't be read is left out, with those that need it."""
    errors: dict[str, str] = {}
    while True:
        gathered, working = _Gathered(), [""]
        wanted = [name for name in names if name not in errors]

        def see(flow: str, stage: str, done: int, working: list[str] = working) -> None:
            working[0] = flow
            watch(flow, stage, done)

        try:
            made = both.plan(wanted, extent=Extent(census=True), watch=see, tell=gathered.tell) if wanted else []
            return made, gathered, errors
        except RemoteError as error:
            stopped = working[0]
            errors[stopped] = str(error)
            errors |= {name: f"needs {stopped}, which can't be read" for name in wanted if _needs(name, stopped)}


def _needs(name: str, other: str) -> bool:
    needed = flows.FLOWS[name].needs
    return other in needed or any(_needs(one, other) for one in needed)


def _unposted(both: Joined, gathered: _Gathered, watch: Watch) -> dict[str, str]:
    """Where nothing is posted yet: what kinds of spend there are that will need an account."""
    source = both.ends.source(End("airbase", UNPOSTED))
    looked = 0
    try:
        for page in source.read_all():
            for sight in page.sights:
                looked += 1
                _look(gathered, sight)
            watch(UNPOSTED, "read", looked)
            if looked >= UNPOSTED_MAX:
                break
    except ConnectorError as error:
        return {UNPOSTED: str(error)}
    return {}


def _look(gathered: _Gathered, sight: Sight) -> None:
    document: Document | None = sight.record
    if document is None:
        return
    sentence = "Nothing is posted yet: no rule says to which accounts."
    held = Held(NOT_POSTED, sentence, "Set up the posting in Mapping.", lacks=document.category or document.type)
    gathered.tell(UNPOSTED, sight, Decision(sight.key, Action.HELD, held=held))


def _flow(report: Report) -> FlowFit:
    writes = {name: getattr(report, name) for name in ("created", "updated", "deactivated", "posted", "corrected")}
    there = report.unchanged
    return FlowFit(
        report.flow,
        flows.FLOWS[report.flow].title,
        read=report.read,
        maps=there + sum(writes.values()),
        there=there,
        held=report.held,
        writes={name: count for name, count in writes.items() if count},
        objections=report.objections,
    )


def _failed(name: str, told: str) -> FlowFit:
    return FlowFit(name, flows.FLOWS[name].title, error=told)


def _lacks(gathered: _Gathered, there: There) -> Iterator[Lack]:
    ranked = sorted(gathered.lacking.items(), key=lambda one: (-one[1], one[0]))
    for (name, value), count in ranked[:LACKS_MAX]:
        cause = causes.cause(name)
        yield Lack(cause.title, cause.table, value, count, there.suggested(cause.table, value))


def _sample(flow: str, sight: Sight, decision: Decision) -> Sample:
    held = decision.held
    told = (held.sentence, held.remedy) if held else ("", "")
    shown = decision.after if not held else sight.record
    posts = flows.FLOWS[flow].shape is Shape.POST
    word = "would be posted" if posts and decision.action is Action.CREATE else BECOMES[decision.action]
    return Sample(flow, keys.shown(decision.key), word, tuple(_fields(shown)), *told)


def _fields(record: Any) -> Iterator[Field]:
    plain: dict[str, Any] = msgspec.to_builtins(record) if record is not None else {}
    for name, value in list(plain.items())[:FIELDS_MAX]:
        if text := _text(value):
            yield Field(name.replace("_", " "), text)


def _text(value: Any) -> str:
    """A value in one line; of a list the first few."""
    if isinstance(value, dict):
        return ", ".join(filter(None, map(_text, cast("dict[str, Any]", value).values())))[:VALUE_MAX]
    if isinstance(value, list | tuple):
        listed = cast("list[Any]", value)
        more = f" … and {len(listed) - ITEMS_MAX} more" if len(listed) > ITEMS_MAX else ""
        return "; ".join(filter(None, map(_text, listed[:ITEMS_MAX])))[: VALUE_MAX * 2] + more
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)[:VALUE_MAX]
