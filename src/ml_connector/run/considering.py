"""Consider: map and decide a batch of records, with a fixed number of look-ups however many they are.

Rule: every record comes out with one decision; one that fails stops only itself.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from ml_connector.records.ledger import Books
from ml_connector.run.editing import edited
from ml_connector.run.job import STAGED, Pass
from ml_connector.run.recovering import by_key
from ml_connector.sync import causes
from ml_connector.sync.detect import Row
from ml_connector.sync.flow import Context, Reference, Shape
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import WRITES, Action, Decision, Found, Link, decide, holding
from ml_connector.sync.ports import Alike, Entry, Noted, Sight
from ml_connector.sync.posting import decide_document, decide_doubted, decide_handed, stands
from ml_connector.sync.words import words

Outcome = Mapped[Any] | Held | None


def consider_all(now: Pass, pages: Iterator[tuple[Sight, ...]]) -> None:
    for sights in pages:
        _consider(now, sights)
        now.report.read += len(sights)
        now.there += sum(sight.there for sight in sights)
        now.due.difference_update(sight.key for sight in sights)
        now.job.watch("read", now.report.read)


def walk_target(now: Pass) -> None:
    """Remember everything that the target holds under a key of ours."""
    seen = 0
    pages = now.job.target.walk()
    if pages is None:
        return
    for page in pages:
        now.job.store.remember(now.run_id, page)
        seen += len(page)
        now.job.watch("look", seen)
    now.walked = True


def _consider(now: Pass, sights: Sequence[Sight]) -> None:
    sights = edited(now, sights)
    links = now.job.store.links(now.job.flow.name, [sight.key for sight in sights])
    context = _context(now, sights)
    whole = {sight.key: _mapped(now, sight, links.get(sight.key), context) for sight in sights}
    mapped = {key: _trimmed(now, outcome) for key, outcome in whole.items()}
    handed = _handed(now, links, whole)
    found = _find(now, links, mapped, handed)
    now.met += sum(1 for key, ones in found.items() if ones and key not in links)
    resumed = _resumed(now, sights, links, found)
    decisions = [
        resumed[key]
        if key in resumed
        else decide_handed(key, handed[key], next(iter(found[key]), None))
        if key in handed and len(found[key]) < 2
        else _decided(now, key, outcome, links.get(key), found.get(key))
        for key, outcome in mapped.items()
    ]
    ready = [
        _traced(now, sight, _ready(now, one, whole[one.key], context))
        for sight, one in zip(sights, decisions, strict=True)
    ]
    _keep(now, sights, _doubles(now, ready, context))


def _keep(now: Pass, sights: Sequence[Sight], decisions: Sequence[Decision]) -> None:
    """Count what was decided, and stage it or note that nothing is to be done."""
    entries: list[Entry] = []
    noted: list[Noted] = []
    for sight, decision in zip(sights, decisions, strict=True):
        now.tally.add(decision)
        now.report.sample(decision)
        now.job.tell(sight, decision)
        marked, staged = _marked(sight.rows, decision), decision.action in STAGED
        known = sight.known and marked is sight.rows and not staged
        said = frozenset[str]() if known else _words(now, sight, decision)
        if staged:
            entries.append(Entry(decision, sight.record, marked, said))
        else:
            noted.append(Noted(sight.key, marked, decision.held, said, sight.record, known))
        if now.dry or decision.action not in STAGED:
            now.report.count(decision.action)
    now.job.store.stage(now.run_id, entries)
    if not now.dry:
        now.job.store.note(now.run_id, noted)


def _words(now: Pass, sight: Sight, decision: Decision) -> frozenset[str]:
    """By what a record is found; what a plan looks at is kept nowhere."""
    return frozenset() if now.dry else words(sight.key, sight.record, decision.after)


def _marked(rows: tuple[Row, ...], decision: Decision) -> tuple[Row, ...]:
    """The rows as seen; of what time alone makes due, or what was handed over, as to be looked at again."""
    sleeping = decision.action is Action.NOT_DUE and decision.wake_on
    taken = decision.action is Action.RELINK and decision.trace.origin
    return tuple(msgspec.structs.replace(row, mark="") for row in rows) if sleeping or taken else rows


def _context(now: Pass, sights: Sequence[Sight]) -> Context:
    books = now.job.books() if sights and now.job.flow.shape is Shape.POST else Books()
    links, asleep = _references(now, sights)
    return Context(now.job.today, now.job.tables, links, asleep, books)


def _references(now: Pass, sights: Sequence[Sight]) -> tuple[dict[Reference, str], frozenset[Reference]]:
    """The targets of what these records refer to, and which of them are switched off."""
    wanted: dict[str, set[str]] = {}
    for sight in sights:
        for reference in now.job.flow.references(sight.record) if sight.record is not None else ():
            wanted.setdefault(reference.flow, set()).add(reference.key)
    links: dict[Reference, str] = {}
    awake: dict[Reference, bool] = {}
    for name, needed in wanted.items():
        planned = now.job.store.linking(name, sorted(needed)) if now.dry else {}
        found = now.job.store.links(name, sorted(needed))
        links |= {Reference(name, key): "" for key in planned}
        links |= {Reference(name, key): link.target_id for key, link in found.items()}
        awake |= {Reference(name, key): link.active for key, link in found.items()}
        awake |= {Reference(name, key): active for key, active in planned.items()}
    return links, frozenset(reference for reference, active in awake.items() if not active)


def _mapped(now: Pass, sight: Sight, link: Link | None, context: Context) -> Outcome:
    if sight.unreadable:
        return sight.unreadable
    if sight.record is None:
        return _lost(now, link) if link else None
    try:
        if stands(link, now.job.flow.trace(sight.record)):
            return None
        own = msgspec.structs.replace(context, link=link) if link else context
        return now.job.flow.map(sight.record, own)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return causes.unmappable(sight.key, error)


def _lost(now: Pass, link: Link) -> Outcome:
    """What the target should hold of a record that the source lost."""
    retired = now.job.flow.retire(link.agreed)
    return retired if isinstance(retired, Held) else Mapped(retired, active=False)


def _trimmed(now: Pass, mapped: Outcome) -> Outcome:
    """What was mapped, with only what the target can hold."""
    if not isinstance(mapped, Mapped):
        return mapped
    return msgspec.structs.replace(mapped, record=now.job.target.trim(mapped.record))


def _handed(now: Pass, links: dict[str, Link], keys: Collection[str]) -> dict[str, Decision]:
    """What was handed over of documents that are not linked yet."""
    if now.job.flow.shape is not Shape.POST:
        return {}
    found = now.job.store.handed([key for key in keys if key not in links])
    return {key: change.entry.decision for key, change in found.items()}


def _resumed(
    now: Pass, sights: Sequence[Sight], links: dict[str, Link], found: dict[str, list[Found]]
) -> dict[str, Decision]:
    """Documents that were in doubt and stand as agreed."""
    decided: dict[str, Decision] = {}
    for sight in sights if now.job.flow.shape is Shape.POST else ():
        link, there = links.get(sight.key), found.get(sight.key, [])
        if link and sight.record is not None and len(there) == 1:
            decision = decide_doubted(link, there[0], now.job.flow.trace(sight.record))
            decided |= {sight.key: decision} if decision else {}
    return decided


def _find(
    now: Pass, links: dict[str, Link], mapped: dict[str, Outcome], handed: Collection[str]
) -> dict[str, list[Found]]:
    """What the target holds, of every key that it was asked for: what would be created, and what is suspect."""
    asked = sorted({*_asked(now, links, mapped), *handed, *((now.suspects | now.ours) & mapped.keys())})
    if not now.walked and len(asked) > now.job.target.find_max:
        walk_target(now)
    if now.walked:
        asked = list(mapped)
    found = now.job.store.found(now.run_id, asked) if now.walked else now.job.target.find(asked) if asked else ()
    return {key: [] for key in asked} | by_key(found)


def _asked(now: Pass, links: dict[str, Link], mapped: dict[str, Outcome]) -> Iterator[str]:
    """Keys that nothing can be decided about without a look into the target."""
    posting, both_ways = now.job.flow.shape is Shape.POST, now.job.flow.both_ways
    for key, outcome in mapped.items():
        link = links.get(key)
        wanted = isinstance(outcome, Mapped) and outcome.due and outcome.active
        withdrawn = not isinstance(outcome, Mapped) or not outcome.active
        doubted = link is not None and not link.digest
        unlinked = link is None and (wanted or (posting and withdrawn))
        if unlinked or doubted or (both_ways and isinstance(outcome, Mapped)):
            yield key


def _decided(now: Pass, key: str, mapped: Outcome, link: Link | None, found: list[Found] | None) -> Decision:
    """The decision on a record; `found` None: the target was not asked."""
    found = _linked_of(now, key, link, found)
    one = found[0] if found else None
    if found is not None:
        if len(found) > 1:
            return decide(key, causes.doubled(key, found), link, one)
        if not link and not found and key in now.spurned:
            return decide(key, causes.answered_otherwise(key), None, None)
        if link and link.active and not found:
            return decide(key, causes.gone(key, link), link, None)
    if now.job.flow.shape is Shape.POST:
        return decide_document(key, mapped, link, one)
    if link and one and one.target_id != link.target_id:
        link = None  # brought back there as another record: that one is linked from now on
    return decide(key, mapped, link, one)


def _linked_of(now: Pass, key: str, link: Link | None, found: list[Found] | None) -> list[Found] | None:
    """Of what was found of a link in doubt, the record that is linked; None where the target's word says no more.

    A target that can't be walked may know its records by other things than our keys.
    """
    flow = now.job.flow
    sure = now.walked or flow.shape is Shape.POST or flow.both_ways or key in now.suspects
    if sure or found is None or link is None or link.digest:
        return found
    return [one for one in found if one.target_id == link.target_id] or None


def _ready(now: Pass, decision: Decision, mapped: Outcome, context: Context) -> Decision:
    """The decision once it is known that what was mapped may be sent now, all of it considered."""
    flow = now.job.flow
    if decision.action not in WRITES or not isinstance(mapped, Mapped):
        return decision
    if decision.action is Action.CREATE and flow.absent:
        return holding(decision.key, flow.absent(decision.after, decision.key), known=False)
    admitted = flow.admit(mapped.record, context)
    if isinstance(admitted, Held):
        return holding(decision.key, admitted, known=True)
    return msgspec.structs.replace(decision, effective_on=admitted.on, late=admitted.late, warnings=admitted.warnings)


def _traced(now: Pass, sight: Sight, decision: Decision) -> Decision:
    if decision.action not in STAGED or sight.record is None or decision.trace.origin:
        return decision
    return msgspec.structs.replace(decision, trace=now.job.flow.trace(sight.record))


def _doubles(now: Pass, decisions: Sequence[Decision], context: Context) -> list[Decision]:
    """Of what would be posted, say what looks like something posted before, or by this very run."""
    policy = now.job.flow.policy
    new = [one for one in decisions if one.action is Action.CREATE and one.trace.alike and policy.doubles != "off"]
    for other in now.job.store.alike(sorted({one.trace.alike for one in new})) if new else ():
        now.likes.setdefault(other.alike, []).append(other)
    keys = {one.key for one in new}
    return [_double(now, one, context) if one.key in keys else one for one in decisions]


def _double(now: Pass, decision: Decision, context: Context) -> Decision:
    others = now.likes.setdefault(decision.trace.alike, [])
    like = next((other for other in others if _resembles(now, decision, other, context)), None)
    if like is None:
        others.append(Alike(decision.trace.alike, decision.key, "", decision.after))
        return decision
    sentence = causes.possibly_double(decision.key, like.key, like.target_id)
    if now.job.flow.policy.doubles == "hold":
        return holding(decision.key, causes.held_as_double(sentence), known=True)
    return msgspec.structs.replace(decision, warnings=(*decision.warnings, sentence))


def _resembles(now: Pass, decision: Decision, other: Alike, context: Context) -> bool:
    return other.key != decision.key and now.job.flow.resembles(decision.after, other.agreed, context)
