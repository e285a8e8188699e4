"""Detect: which records are due, and reading them.

Rule: what changed is compared by marks; everything is read when that is cheaper, or when nothing is known.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from ml_connector.records import keys
from ml_connector.run.job import Pass
from ml_connector.sync import detect
from ml_connector.sync.ports import Sight


def changed(now: Pass) -> int | None:
    """Note which records are due; how many were compared, or None when reading everything is cheaper."""
    source, compared = now.job.source, 0
    sweeps = [(part, source.sweep(part, now.job.store.cursor(part))) for part in source.parts]  # all are under way
    for part, pages in sweeps:
        after = ""
        for page in pages:
            known = _known(now, page, after)
            now.due.update(keys.parent(key, source.depth) for key in detect.changed(page, known))
            now.cursors = detect.latest(now.cursors, page.rows)
            after = page.upto or after
            compared += _records(page, source.depth) if part in source.heads else 0
            now.job.watch("compare", compared)
            if not _cheap_by_key(now):
                return None
    return compared


def _records(page: detect.Page, depth: int) -> int:
    return len({keys.parent(row.key, depth) for row in page.rows})


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


def since(now: Pass, day: date) -> Iterator[tuple[Sight, ...]]:
    """All records of this day or later, and those that tell no day; nothing is said of what is not there."""
    for page in now.job.source.read_all():
        yield tuple(sight for sight in page.sights if _not_before(now, sight, day))


def _not_before(now: Pass, sight: Sight, day: date) -> bool:
    if sight.record is None:
        return sight.there
    dated_on = now.job.flow.dated(sight.record)
    return dated_on is None or dated_on >= day


def everything(now: Pass) -> Iterator[tuple[Sight, ...]]:
    """All records, and those known from before that are no longer there."""
    source, after = now.job.source, ""
    for page in source.read_all():
        upto = None if page.upto is None else keys.beyond(page.upto)
        known = {part: now.job.store.marks(part, after, upto) for part in source.parts}
        seen = {sight.key for sight in page.sights}
        gone = sorted({keys.parent(key, source.depth) for part in source.heads for key in known[part]} - seen)
        now.cursors = detect.latest(now.cursors, (row for sight in page.sights for row in sight.rows))
        after = upto or after
        yield (*_recognised(page.sights, known, source.depth), *(Sight(key) for key in gone))


def _recognised(sights: Sequence[Sight], known: Mapping[str, Mapping[str, str]], depth: int) -> Sequence[Sight]:
    """The records, with those told whose rows are just as they were; of one without rows nothing is known."""
    if not any(known.values()):
        return sights
    rows: dict[str, list[detect.Row]] = {part: [] for part in known}
    for sight in sights:
        for row in sight.rows:
            rows[row.part].append(row)
    pages = (detect.Page(part, tuple(rows[part]), None, complete=True) for part in known)
    changed = {keys.parent(key, depth) for page in pages for key in detect.changed(page, known[page.part])}
    return [msgspec.structs.replace(one, known=True) if one.rows and one.key not in changed else one for one in sights]
