"""Map: what the target should hold of each record, by the flow's own rules.

Rule: a record that can't be mapped is held, and stops only itself.
Must not know: IFS, Airbase, SQL, HTTP, what the target holds.
"""

from collections.abc import Sequence

import msgspec

from ml_connector.records.ledger import Books
from ml_connector.run.job import Outcome, Pass
from ml_connector.sync import causes
from ml_connector.sync.flow import Context, Reference, Shape
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import Link
from ml_connector.sync.ports import Sight
from ml_connector.sync.posting import stands


def context_of(now: Pass, sights: Sequence[Sight]) -> Context:
    """What these records are mapped with, looked up for all of them at once."""
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


def mapped(now: Pass, sight: Sight, link: Link | None, context: Context) -> Outcome:
    """What the target should hold of a record; None: what it holds stands, or it never held anything."""
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


def trimmed(now: Pass, outcome: Outcome) -> Outcome:
    """What was mapped, with only what the target can hold."""
    if not isinstance(outcome, Mapped):
        return outcome
    return msgspec.structs.replace(outcome, record=now.job.target.trim(outcome.record))
