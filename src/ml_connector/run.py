"""The pipeline: recover, detect, read, map, plan, gate, apply. Read it from top to bottom.

Rule: every flow walks this one path, whatever started it, and nothing here knows which flow it is.
Must not know: IFS, Airbase, SQL, HTTP.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ml_connector.errors import ConnectorError
from ml_connector.records import keys
from ml_connector.sync import causes, detect, gate
from ml_connector.sync.change import Event
from ml_connector.sync.flow import AnyFlow, Context, Reference, Tables
from ml_connector.sync.gate import Population
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import WRITES, Action, Decision, Found, Link, Tally, decide, same
from ml_connector.sync.ports import (
    Change,
    Done,
    Entry,
    Noted,
    Refused,
    Result,
    Settlement,
    Sight,
    Source,
    Store,
    Target,
    Unknown,
    Write,
)
from ml_connector.sync.report import Report

SENDS_MAX = 4
STAGED = (*WRITES, Action.ADOPT, Action.RELINK)
BASIS = "basis"  # the cursor that remembers with which mapping and profile the flow last ran


@dataclass(frozen=True)
class Job:
    """Everything that one run of one flow needs.

    `basis` changes whenever the same source record may map differently. Units: quiet_s is how long an unanswered
    request gets to take effect before it is looked up.
    """

    flow: AnyFlow
    source: Source
    target: Target
    store: Store
    tables: Tables
    today: date
    basis: str
    census: bool = False
    approved: tuple[str, ...] = ()
    quiet_s: float = 10.0
    watch: Callable[[str, int], None] = lambda _stage, _done: None


@dataclass
class Pass:
    """One run in progress."""

    job: Job
    run_id: str
    report: Report
    dry: bool = False
    walked: bool = False
    rows_known: int = 0  # rows of the source seen by earlier runs
    there: int = 0  # records that the source has, of those read
    due: set[str] = field(default_factory=set[str])  # keys to read, whatever else is
    suspects: set[str] = field(default_factory=set[str])  # keys of which the target may hold something else than linked
    spurned: set[str] = field(default_factory=set[str])  # keys whose creation was answered with something else
    met: int = 0  # records that were in the target before there was a link to them
    tally: Tally = field(default_factory=Tally)
    cursors: dict[str, str] = field(default_factory=dict[str, str])


def run(job: Job, report: Report) -> None:
    """Bring the target of a flow in line with its source, counting into the report.

    Raises: ConnectorError; what was done until then is settled, what is not certain is looked up by the next run.
    """
    with job.store.turn():
        now = Pass(job, job.store.begin("run"), report)
        report.census = job.census
        report.state = "failed"  # until it is known better: whatever raises, the run's end is recorded
        try:
            _plan(now, _recover(now))
            report.objections = () if now.tally.plan_id in job.approved else _objections(now)
            if not report.objections:
                _apply(now)
                job.store.keep_cursors(now.cursors | {BASIS: job.basis})
            report.state = "blocked" if report.objections else "done"
        except ConnectorError as error:
            report.error = str(error)
            raise
        finally:
            job.store.finish(now.run_id, report.state, report)


def plan(jobs: Sequence[Job]) -> list[Report]:
    """What running these flows, in this order, would do; nothing is sent and nothing is kept."""
    with ExitStack() as held:
        passes: list[Pass] = []
        for job in jobs:
            held.enter_context(job.store.turn())
            now = Pass(job, job.store.begin("plan"), Report(job.flow.name, state="plan", census=job.census), dry=True)
            held.callback(job.store.finish, now.run_id, "done", now.report)
            _plan(now, set())
            now.report.objections = _objections(now)
            passes.append(now)
        return [now.report for now in passes]


# 1. Recover: what an earlier run left open is looked up, never simply sent again.


def _recover(now: Pass) -> set[str]:
    """Settle what was left open; the keys to decide anew in this run."""
    store, target = now.job.store, now.job.target
    open_keys: set[str] = set()
    while changes := store.open_changes(target.find_max):
        if not open_keys:
            time.sleep(now.job.quiet_s)
        found = _by_key(target.find([change.key for change in changes]))
        store.settle(now.run_id, [_looked_up(change, found.get(change.key, [])) for change in changes])
        open_keys.update(change.key for change in changes)
    now.report.recovered = len(open_keys)
    return open_keys


def _looked_up(change: Change, found: list[Found]) -> Settlement:
    decision = change.entry.decision
    mine = next((one for one in found if one.target_id == decision.target_id), found[0] if found else None)
    if mine is None:
        return Settlement(change, Event.LACK, note="looked up: not there")
    equal = same(mine.record, decision.after)
    if decision.target_id and not equal:
        return Settlement(change, Event.LACK, note="looked up: still as it was")
    if len(found) > 1:
        return Settlement(
            change, Event.FIND, mine.target_id, mine.record, causes.doubled(change.key, found), "found twice"
        )
    if not equal:
        return Settlement(
            change, Event.FIND, mine.target_id, mine.record, causes.differs(change.key), "there, but different"
        )
    return Settlement(change, Event.FIND, mine.target_id, note="looked up: there")


# 2. Plan: detect what changed, read it, map it, decide.


def _plan(now: Pass, again: set[str]) -> None:
    job, store, compared = now.job, now.job.store, 0
    begun = store.cursor(BASIS)
    if job.census or not begun:
        _walk_target(now)
    now.spurned = store.held_for((causes.ANSWERED_OTHERWISE,))
    now.suspects = store.held_for(causes.IN_TARGET)
    now.due = again | store.waiting(job.today)
    now.rows_known = store.rows_known()
    whole = job.census or begun != job.basis or now.rows_known == 0
    if not whole:
        found = _detect(now)
        whole, compared = found is None, found or 0
    if whole:
        _consider_all(now, _everything(now))
    # What waits and did not come by: with everything read, records that are gone from the source.
    _consider_all(now, job.source.read(sorted(now.due)))
    passed = max(0, compared - now.there)
    now.report.read += passed
    now.report.count(Action.UNCHANGED, passed)
    now.report.plan_id = now.tally.plan_id


def _consider_all(now: Pass, pages: Iterator[tuple[Sight, ...]]) -> None:
    for sights in pages:
        _consider(now, sights)
        now.report.read += len(sights)
        now.there += sum(sight.there for sight in sights)
        now.due.difference_update(sight.key for sight in sights)
        now.job.watch("read", now.report.read)


def _walk_target(now: Pass) -> None:
    seen = 0
    for page in now.job.target.walk():
        now.job.store.remember(now.run_id, page)
        seen += len(page)
        now.job.watch("look", seen)
    now.walked = True


def _detect(now: Pass) -> int | None:
    """Note which records are due; how many were compared, or None when reading everything is cheaper."""
    source, compared = now.job.source, 0
    for part in source.parts:
        cursor, after = now.job.store.cursor(part), ""
        for page in source.sweep(part, cursor):
            known = _known(now, page, after)
            now.due.update(keys.parent(key, source.depth) for key in detect.changed(page, known))
            now.cursors = detect.latest(now.cursors, page.rows)
            after = page.upto or after
            compared += len(page.rows) if part == source.parts[0] else 0
            now.job.watch("compare", compared)
            if not _cheap_by_key(now):
                return None
    return compared


def _known(now: Pass, page: detect.Page, after: str) -> dict[str, str]:
    if page.complete:
        return now.job.store.marks(page.part, after, page.upto)
    return now.job.store.marks_of(page.part, [row.key for row in page.rows])


def _cheap_by_key(now: Pass) -> bool:
    source = now.job.source
    return detect.by_key_is_cheaper(
        len(now.due),
        now.rows_known,
        keys_per_request=source.keys_per_request,
        rows_per_request=source.rows_per_request,
        parts=len(source.parts),
    )


def _everything(now: Pass) -> Iterator[tuple[Sight, ...]]:
    """All records, and those known from before that are no longer there."""
    source, after = now.job.source, ""
    for page in source.read_all():
        known = now.job.store.marks(source.parts[0], after, page.upto)
        seen = {sight.key for sight in page.sights}
        gone = sorted({keys.parent(key, source.depth) for key in known} - seen)
        now.cursors = detect.latest(now.cursors, (row for sight in page.sights for row in sight.rows))
        after = page.upto or after
        yield (*page.sights, *(Sight(key) for key in gone))


def _consider(now: Pass, sights: Sequence[Sight]) -> None:
    """Map and decide a batch of records: a fixed number of look-ups, however many records."""
    store, flow = now.job.store, now.job.flow
    links = store.links(flow.name, [sight.key for sight in sights])
    context = Context(now.job.today, now.job.tables, _references(now, sights))
    mapped = {sight.key: _mapped(now, sight, links.get(sight.key), context) for sight in sights}
    found = _find(now, links, mapped)
    now.met += sum(1 for key, ones in found.items() if ones and key not in links)
    entries: list[Entry] = []
    noted: list[Noted] = []
    for sight in sights:
        decision = _decided(now, sight.key, mapped[sight.key], links.get(sight.key), found.get(sight.key))
        now.tally.add(decision)
        now.report.sample(decision)
        if decision.action in STAGED:
            entries.append(Entry(decision, sight.record, sight.rows))
        else:
            noted.append(Noted(sight.key, sight.rows, decision.held))
        if now.dry or decision.action not in STAGED:
            now.report.count(decision.action)
    store.stage(now.run_id, entries)
    if not now.dry:
        store.note(now.run_id, noted)


def _references(now: Pass, sights: Sequence[Sight]) -> dict[Reference, str]:
    wanted: dict[str, set[str]] = {}
    for sight in sights:
        for reference in now.job.flow.references(sight.record) if sight.record is not None else ():
            wanted.setdefault(reference.flow, set()).add(reference.key)
    links: dict[Reference, str] = {}
    for name, needed in wanted.items():
        if now.dry:
            links |= {Reference(name, key): "" for key in now.job.store.linking(name, sorted(needed))}
        found = now.job.store.links(name, sorted(needed))
        links |= {Reference(name, key): link.target_id for key, link in found.items()}
    return links


def _mapped(now: Pass, sight: Sight, link: Link | None, context: Context) -> Mapped[Any] | Held | None:
    if sight.unreadable:
        return sight.unreadable
    if sight.record is None:
        return Mapped(now.job.flow.retire(link.agreed), active=False) if link else None
    try:
        mapped = now.job.flow.map(sight.record, context)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return causes.unmappable(sight.key, error)
    if isinstance(mapped, Held):
        return mapped
    return Mapped(now.job.target.trim(mapped.record), mapped.active, mapped.due, mapped.wake_on)


def _find(now: Pass, links: dict[str, Link], mapped: dict[str, Mapped[Any] | Held | None]) -> dict[str, list[Found]]:
    """What the target holds, of every key that it was asked for: what would be created, and what is suspect."""
    new = [k for k, m in mapped.items() if isinstance(m, Mapped) and m.due and m.active and k not in links]
    asked = sorted({*new, *(now.suspects & mapped.keys())})
    if not now.walked and len(asked) > now.job.target.find_max:
        _walk_target(now)
    if now.walked:
        asked = list(mapped)
    found = now.job.store.found(now.run_id, asked) if now.walked else now.job.target.find(asked) if asked else ()
    return {key: [] for key in asked} | _by_key(found)


def _decided(
    now: Pass, key: str, mapped: Mapped[Any] | Held | None, link: Link | None, found: list[Found] | None
) -> Decision:
    """The decision on a record; `found` None: the target was not asked."""
    if found is None:
        return decide(key, mapped, link, None)
    if len(found) > 1:
        return decide(key, causes.doubled(key, found), link, found[0])
    if not link and not found and key in now.spurned:
        return decide(key, causes.answered_otherwise(key), None, None)
    if link and link.active and not found:
        return decide(key, causes.gone(key, link), link, None)
    if link and found and found[0].target_id != link.target_id:
        link = None  # brought back there as another record: that one is linked from now on
    return decide(key, mapped, link, found[0] if found else None)


def _by_key(found: Sequence[Found]) -> dict[str, list[Found]]:
    grouped: dict[str, list[Found]] = {}
    for one in found:
        grouped.setdefault(one.key, []).append(one)
    return grouped


# 3. Gate: a plan that would change too much waits for a person.


def _objections(now: Pass) -> tuple[str, ...]:
    linked = now.job.store.linked()
    there = Population(linked.known + now.met, linked.active + now.met)
    return gate.objections(now.tally, there, now.job.flow.policy)


# 4. Apply: the intent is committed, then sent, then settled.


def _apply(now: Pass) -> None:
    store, target, applied = now.job.store, now.job.target, 0
    while changes := store.staged(now.run_id, target.batch_max):
        if changes[0].entry.decision.action in WRITES:
            _deliver(now, changes)
        else:
            store.intend(now.run_id, changes)
            _settle(now, [Settlement(change, Event.DONE, change.entry.decision.target_id) for change in changes])
        applied += len(changes)
        now.job.watch("write", applied)


def _deliver(now: Pass, changes: list[Change]) -> None:
    """Send until each change is settled or refused; what stays unanswered is looked up before it is sent again."""
    for _ in range(SENDS_MAX):
        now.job.store.intend(now.run_id, changes)
        lost = _send(now, changes)
        changes = _look_up(now, lost) if lost else []
        if not changes:
            return
    now.report.uncertain += len(changes)
    now.job.store.note(
        now.run_id, [Noted(change.key, held=causes.unconfirmed(change.key, SENDS_MAX)) for change in changes]
    )


def _look_up(now: Pass, lost: list[Change]) -> list[Change]:
    """Settle what did happen; the changes that certainly did not."""
    time.sleep(now.job.quiet_s)
    found = _by_key(now.job.target.find([change.key for change in lost]))
    looked = [_looked_up(change, found.get(change.key, [])) for change in lost]
    _settle(now, looked)
    return [one.change for one in looked if one.event is Event.LACK]


def _send(now: Pass, changes: list[Change]) -> list[Change]:
    """Send once; the changes of which no trustworthy answer came."""
    by_key = {change.key: change for change in changes}
    try:
        results = now.job.target.send([_write(change) for change in changes])
    except ConnectorError:
        now.job.store.settle(now.run_id, [Settlement(change, Event.MISS) for change in changes])
        raise
    _settle(now, [_answered(by_key[result.key], result) for result in results])
    return [by_key[result.key] for result in results if isinstance(result, Unknown)]


def _write(change: Change) -> Write:
    decision = change.entry.decision
    return Write(change.key, decision.target_id, decision.after, decision.before)


def _answered(change: Change, result: Result) -> Settlement:
    if isinstance(result, Done):
        return Settlement(change, Event.DONE, result.target_id)
    if isinstance(result, Refused):
        return Settlement(change, Event.REFUSE, held=result.held)
    return Settlement(change, Event.LOSE, note=result.reason)


def _settle(now: Pass, settlements: list[Settlement]) -> None:
    now.job.store.settle(now.run_id, settlements)
    for one in settlements:
        if one.event in (Event.DONE, Event.FIND):
            now.report.count(one.change.entry.decision.action)
        elif one.event is Event.REFUSE:
            now.report.refused += 1
