"""Apply: the intent is committed, then sent, then settled.

Rule: nothing is sent twice without a look into the target in between.
Must not know: IFS, Airbase, SQL, HTTP.
"""

import time

import msgspec

from ml_connector.errors import ConnectorError
from ml_connector.run.job import Pass
from ml_connector.run.recovering import by_key, looked_up
from ml_connector.sync import causes
from ml_connector.sync.change import Event
from ml_connector.sync.plan import WRITES
from ml_connector.sync.ports import Change, Done, Handed, Noted, Refused, Result, Settlement, Unknown, Write

SENDS_MAX = 4


def apply(now: Pass) -> None:
    """Carry out what is staged. Raises: ConnectorError; what is not settled then is looked up by the next run."""
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
    found = by_key(now.job.target.find([change.key for change in lost]))
    looked = [_seen_again(now, looked_up(change, found.get(change.key, []))) for change in lost]
    _settle(now, looked)
    return [one.change for one in looked if one.event is Event.LACK]


def _send(now: Pass, changes: list[Change]) -> list[Change]:
    """Send once; the changes of which no trustworthy answer came."""
    own = {change.key: change for change in changes}
    try:
        results = now.job.target.send([_write(change) for change in changes])
    except ConnectorError:
        now.job.store.settle(now.run_id, [Settlement(change, Event.MISS) for change in changes])
        raise
    _settle(now, [_seen_again(now, _answered(own[result.key], result)) for result in results])
    return [own[result.key] for result in results if isinstance(result, Unknown)]


def _write(change: Change) -> Write:
    decision = change.entry.decision
    return Write(change.key, decision.target_id, decision.after, decision.before, decision.effective_on)


def _answered(change: Change, result: Result) -> Settlement:
    if isinstance(result, Done):
        return Settlement(change, Event.DONE, result.target_id, told=result.told)
    if isinstance(result, Refused):
        return Settlement(change, Event.REFUSE, held=result.held, told=result.told)
    if isinstance(result, Handed):
        return Settlement(change, Event.HAND, held=result.held, told=result.told)
    return Settlement(change, Event.LOSE, note=result.reason, told=result.told)


def _settle(now: Pass, settlements: list[Settlement]) -> None:
    now.job.store.settle(now.run_id, settlements)
    for one in settlements:
        if one.event in (Event.DONE, Event.FIND):
            now.report.count(one.change.entry.decision.action)
        elif one.event is Event.REFUSE:
            now.report.refused += 1
        elif one.event is Event.HAND:
            now.report.held += 1


def _seen_again(now: Pass, settlement: Settlement) -> Settlement:
    """Where the target is a source too, what was written changed a source row: it is looked at again."""
    if not now.job.flow.both_ways or settlement.event not in (Event.DONE, Event.FIND) or settlement.agreed is not None:
        return settlement
    return msgspec.structs.replace(settlement, agreed=settlement.change.entry.decision.after)
