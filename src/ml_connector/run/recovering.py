"""Recover: what an earlier run left open is looked up, never simply sent again.

Rule: only the target's own answer moves a change whose outcome is not known.
Must not know: IFS, Airbase, SQL, HTTP.
"""

import time
from collections.abc import Sequence

from ml_connector.run.job import Pass
from ml_connector.sync import causes
from ml_connector.sync.change import Event
from ml_connector.sync.plan import Found, same
from ml_connector.sync.ports import Change, Settlement


def recover(now: Pass) -> set[str]:
    """Settle what was left open; the keys to decide anew in this run."""
    store, target = now.job.store, now.job.target
    open_keys: set[str] = set()
    while changes := store.open_changes(target.find_max):
        if not open_keys:
            time.sleep(now.job.quiet_s)
        found = by_key(target.find([change.key for change in changes]))
        store.settle(now.run_id, [looked_up(change, found.get(change.key, [])) for change in changes])
        open_keys.update(change.key for change in changes)
    now.report.recovered = len(open_keys)
    return open_keys


def looked_up(change: Change, found: list[Found]) -> Settlement:
    """What became of a change, by what the target now holds of it."""
    decision = change.entry.decision
    mine = next((one for one in found if one.target_id == decision.target_id), found[0] if found else None)
    if mine is None:
        return Settlement(change, Event.LACK, note="looked up: not there")
    if mine.pending:
        return Settlement(change, Event.HAND, held=causes.handed_over(change.key, mine.target_id))
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


def by_key(found: Sequence[Found]) -> dict[str, list[Found]]:
    """What was found, by key."""
    grouped: dict[str, list[Found]] = {}
    for one in found:
        grouped.setdefault(one.key, []).append(one)
    return grouped
