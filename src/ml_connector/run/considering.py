"""Consider: map and decide a batch of records, with a fixed number of look-ups however many they are.

Rule: every record comes out with one decision; one that fails stops only itself.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from ml_connector.run.deciding import Known, decided
from ml_connector.run.doubling import doubles
from ml_connector.run.editing import edited
from ml_connector.run.finding import find
from ml_connector.run.job import STAGED, Pass
from ml_connector.run.mapping import context_of, mapped, trimmed
from ml_connector.sync.detect import Row
from ml_connector.sync.flow import Shape
from ml_connector.sync.plan import Action, Decision, Link
from ml_connector.sync.ports import Entry, Noted, Sight
from ml_connector.sync.words import words


def consider_all(now: Pass, pages: Iterator[tuple[Sight, ...]]) -> None:
    """Consider all records of these pages."""
    for sights in pages:
        _consider(now, sights)
        now.report.read += len(sights)
        now.there += sum(sight.there for sight in sights)
        now.due.difference_update(sight.key for sight in sights)
        now.job.watch("read", now.report.read)


def _consider(now: Pass, sights: Sequence[Sight]) -> None:
    sights = edited(now, sights)
    links = now.job.store.links(now.job.flow.name, [sight.key for sight in sights])
    context = context_of(now, sights)
    whole = {sight.key: mapped(now, sight, links.get(sight.key), context) for sight in sights}
    fitting = {key: trimmed(now, outcome) for key, outcome in whole.items()}
    handed = _handed(now, links, whole)
    found = find(now, links, fitting, handed)
    now.met += sum(1 for key, ones in found.items() if ones and key not in links)
    known = (
        Known(sight, whole[key], fitting[key], links.get(key), handed.get(key), found.get(key))
        for sight in sights
        for key in (sight.key,)
    )
    decisions = [decided(now, one, context) for one in known]
    _keep(now, sights, doubles(now, decisions, context))


def _handed(now: Pass, links: Mapping[str, Link], keys: Collection[str]) -> dict[str, Decision]:
    """What was handed over of documents that are not linked yet."""
    if now.job.flow.shape is not Shape.POST:
        return {}
    found = now.job.store.handed([key for key in keys if key not in links])
    return {key: change.entry.decision for key, change in found.items()}


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
