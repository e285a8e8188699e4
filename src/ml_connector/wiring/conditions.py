"""What may be alarming about a connection, told from how things are, in a controller's words.

Rule: pure; a condition keeps its name as long as it is about the same thing, whatever its sentence says.
Must not know: who is told, what was told before.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from ml_connector.store.state import FlowState, Held, Snapshot
from ml_connector.sync.alerts import Condition

EVENTS_WAIT_MAX = timedelta(minutes=5)
ORDERS_WAIT_MAX = timedelta(minutes=30)
REASON_MAX = 300


def conditions(now: Snapshot, connection_id: int, dead_man: Mapping[str, timedelta]) -> list[Condition]:
    """All conditions of a connection that can be told, those that fire and those that don't."""
    flows = {one.flow: one for one in now.flows if one.connection_id == connection_id}
    watched = (
        *(_dead(now, connection_id, flow, limit, flows.get(flow)) for flow, limit in dead_man.items()),
        *(one for flow in flows.values() for one in (_failed(flow), _blocked(flow))),
        *_held(now, connection_id),
        *_waiting(now, connection_id),
        _workers(now),
    )
    return sorted(watched, key=lambda one: one.name)


def _dead(now: Snapshot, connection_id: int, flow: str, limit: timedelta, known: FlowState | None) -> Condition:
    succeeded = known.succeeded_at if known else None
    gone = now.at - (succeeded or now.created[connection_id])
    since = f"for {spoken(gone)}" if succeeded else "yet"
    said = f"No successful run of {shown(flow)} {since} (limit {spoken(limit)})."
    return Condition(f"dead-man/{flow}", gone > limit, said)


def _failed(flow: FlowState) -> Condition:
    runs = [run for run in (flow.whole, flow.last) if run and run.state == "failed"]
    why = flow.ended if flow.ended and flow.ended.state == "failed" else None
    latest = flow.last.started_at if flow.last else None
    ended = why is not None and (latest is None or why.finished_at >= latest)
    reason = f": {' '.join(why.error.split())[:REASON_MAX]}" if why and why.error else ""
    return Condition(f"failed/{flow.flow}", bool(runs) or ended, f"The last run of {shown(flow.flow)} failed{reason}.")


def _blocked(flow: FlowState) -> Condition:
    firing = flow.whole is not None and flow.whole.state == "blocked"
    return Condition(f"approval/{flow.flow}", firing, f"A plan of {shown(flow.flow)} waits for approval.")


def _held(now: Snapshot, connection_id: int) -> Iterator[Condition]:
    by_flow: dict[str, list[Held]] = {}
    for one in now.held:
        if one.connection_id == connection_id:
            by_flow.setdefault(one.flow, []).append(one)
    for flow, held in by_flow.items():
        yield Condition(f"exceptions/{flow}", True, f"{held_in_words(held)} ({shown(flow)}).")


def held_in_words(held: list[Held]) -> str:
    """Such as: 12 records need a person, EUR 41,200.00 held, 3 new."""
    count, new = sum(one.count for one in held), sum(one.new for one in held)
    sums: dict[str, Decimal] = {}
    for currency, amount in (pair for one in held for pair in one.stakes.items()):
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    stake = ", ".join(f"{currency} {amount:,}" for currency, amount in sorted(sums.items()))
    parts = [f"{count:,} record{'s need' if count != 1 else ' needs'} a person"]
    parts += [f"{stake} held"] if stake else []
    parts += [f"{new:,} new"] if new else []
    return ", ".join(parts)


def _waiting(now: Snapshot, connection_id: int) -> Iterator[Condition]:
    for event in now.waiting:
        if event.connection_id == connection_id:
            age = now.at - event.oldest_at
            said = f"Webhooks of {event.system} wait for {spoken(age)}."
            yield Condition(f"webhooks/{event.system}", age > EVENTS_WAIT_MAX, said)
    oldest = [one.oldest_at for one in now.queues if one.connection_id == connection_id and one.oldest_at]
    age = now.at - min(oldest, default=now.at)
    yield Condition("orders", age > ORDERS_WAIT_MAX, f"Ordered runs wait for {spoken(age)}.")


def _workers(now: Snapshot) -> Condition:
    working = any(one.lease_s > 0 for one in now.workers)
    return Condition("workers", not working, "No worker has a lease: nothing runs by itself.")


def shown(flow: str) -> str:
    """A flow's name as people read it."""
    return flow.replace("_", " ")


def spoken(span: timedelta) -> str:
    """A length of time in its largest units: 12 min, 3 h, 2 days."""
    minutes = max(0, int(span.total_seconds())) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
