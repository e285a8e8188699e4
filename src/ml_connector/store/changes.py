"""Changes: what is planned, promised and known to have happened.

Rule: a state moves only as `sync.change` says, and only from the state that the row really has; of one key at most one
change is open (the database sees to it).
Must not know: how a change is sent.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text, update

from ml_connector.errors import StoreError
from ml_connector.store import bodies
from ml_connector.store.db import among, upsert
from ml_connector.store.prepared import Prepared, as_list, listed, mine
from ml_connector.store.schema import IS_DROPPED, IS_HANDED, IS_OPEN, IS_PLANNED, changes
from ml_connector.store.scope import Scope, clean, decoded
from ml_connector.sync.change import Event, State, move
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Change, Entry

# Changes of one list may be sent together: creates; then what sets fields; then what only makes links.
LISTS = {Action.CREATE: 0, Action.UPDATE: 1, Action.DEACTIVATE: 1, Action.ADOPT: 2, Action.RELINK: 2}
PLANNED = ([changes.c.run_id, changes.c.key], IS_PLANNED)
CLOSED = (State.SETTLED, State.REFUSED)
_NEXT = Prepared(
    lambda _: (
        select(changes)
        .where(mine(changes), changes.c.run_id == bindparam("run_id"), IS_PLANNED)
        .order_by(changes.c.list_no, changes.c.key)
        .limit(bindparam("limit"))
    )
)
# In one order, so that two runs can't lock each other out.
_STATES = Prepared(
    lambda dialect: (
        select(changes.c.id, changes.c.key, changes.c.state)
        .where(listed(dialect, changes.c.id), mine(changes))
        .order_by(changes.c.id)
        .with_for_update()
    )
)


def stage(connection: Connection, scope: Scope, run_id: str, entries: Sequence[Entry]) -> None:
    """Add planned changes; a key staged before in this run is replaced."""
    owned = scope.owned() | {"run_id": run_id, "state": State.PLANNED.value, "attempts": 0, "changed_at": scope.now()}
    latest = {entry.decision.key: entry for entry in entries}
    upsert(connection, changes, [owned | _row(scope, entry) for entry in latest.values()], PLANNED)


def staged(connection: Connection, scope: Scope, run_id: str, limit: int) -> list[Change]:
    """The next planned changes of one list, in key order."""
    rows = _NEXT.on(connection, run_id=run_id, limit=limit, **scope.owned()).all()
    return [_change(scope, row) for row in rows if row.list_no == rows[0].list_no]


def linking(
    connection: Connection, scope: Scope, flow: str, run_ids: Sequence[str], keys: Sequence[str]
) -> dict[str, bool]:
    """Which of these keys these runs plan to link, and whether they will be active."""
    query = select(changes.c.key, changes.c.active).where(
        changes.c.run_id.in_(run_ids),
        among(connection, changes.c.key, keys),
        changes.c.connection_id == scope.connection_id,
        changes.c.flow == flow,
        IS_PLANNED,
    )
    return {row.key: row.active for row in connection.execute(query)}


def drop_planned(connection: Connection, scope: Scope, run_id: str | None = None) -> None:
    """Forget what was planned but never promised, by one run or any; bodies of dropped changes go too."""
    mine = scope.mine(changes) if run_id is None else scope.mine(changes) & (changes.c.run_id == run_id)
    connection.execute(delete(changes).where(mine, IS_PLANNED))
    connection.execute(update(changes).where(mine, IS_DROPPED).values(body=None))


def open_ones(connection: Connection, scope: Scope, but_run: str, limit: int) -> list[Change]:
    """Changes of other runs that were promised and whose outcome is not known, oldest first."""
    query = select(changes).where(scope.mine(changes), IS_OPEN, changes.c.run_id != but_run)
    rows = connection.execute(query.order_by(changes.c.id).limit(limit)).all()
    return [_change(scope, row) for row in rows]


def handed(connection: Connection, scope: Scope, keys: Sequence[str]) -> list[Change]:
    """What of these is in a file that the target has not shown to have taken, oldest first."""
    query = select(changes).where(scope.mine(changes), IS_HANDED, among(connection, changes.c.key, keys))
    return [_change(scope, row) for row in connection.execute(query.order_by(changes.c.id)).all()]


def advance(
    connection: Connection, scope: Scope, moved: Sequence[tuple[Change, Event]], run_id: str = ""
) -> list[State]:
    """Move each change by its event; the states they are in now. `run_id`: the run that takes them over.

    Raises: StoreError when one is not in a state from which it may move so.
    """
    if not moved:
        return []
    states = _states(connection, scope, [change for change, _ in moved])
    after: list[State] = []
    groups: dict[tuple[State, State], list[int]] = defaultdict(list)
    for change, event in moved:
        after.append(_moved(change, states.get((change.id, change.key)), event))
        groups[states[change.id, change.key], after[-1]].append(change.id)
    for (before, now), ids in groups.items():
        _update(connection, scope, ids, before, now, run_id)
    return after


def _moved(change: Change, state: State | None, event: Event) -> State:
    if state is None:
        raise StoreError(f"change {change.id} is gone; another run took over")
    try:
        return move(state, event)
    except ValueError:
        raise StoreError(f"change {change.id} is {state} and can't {event}; another run took it over") from None


def _states(connection: Connection, scope: Scope, wanted: Sequence[Change]) -> dict[tuple[int, str], State]:
    ids = [change.id for change in wanted]
    if len(set(ids)) != len(ids):
        raise StoreError("one change was given twice")
    rows = _STATES.rows(connection, listed=as_list(connection, ids), **scope.owned())
    return {(number, key): State(state) for number, key, state in rows}


def _update(connection: Connection, scope: Scope, ids: list[int], before: State, now: State, run_id: str) -> None:
    values = {"changed_at": scope.now(), "run_id": run_id}
    done = _moving(before, now, bool(run_id)).on(connection, listed=as_list(connection, ids), **values)
    if done.rowcount != len(ids):
        raise StoreError(f"{len(ids) - done.rowcount} changes are no longer {before}; another run took them over")


@cache
def _moving(before: State, now: State, taken: bool) -> Prepared:
    values: dict[str, Any] = {"state": now.value, "changed_at": bindparam("changed_at")}
    if now is State.INTENDED:
        values |= {"attempts": changes.c.attempts + 1}
    if now in CLOSED:
        values |= {"body": None}  # the journal and the link have it
    if taken:
        values |= {"run_id": bindparam("run_id")}
    there = text(f"state = '{before.value}'")  # given as a value, SQLite would prepare the statement anew each time
    return Prepared(lambda dialect: update(changes).where(listed(dialect, changes.c.id), there).values(values))


def _row(scope: Scope, entry: Entry) -> dict[str, Any]:
    decision = entry.decision
    return {
        "key": decision.key,
        "action": decision.action.value,
        "list_no": LISTS[decision.action],
        "target_id": clean(decision.target_id),
        "active": decision.active,
        "wake_on": decision.wake_on.isoformat() if decision.wake_on else None,
        "body": scope.vault.seal(bodies.made(entry), *scope.place(changes, decision.key)),
    }


def _change(scope: Scope, row: Any) -> Change:
    if row.body is None:
        raise StoreError(f"change {row.id} has lost its content; restore the database from backup")
    body = bodies.read(scope.vault.unseal(row.body, *scope.place(changes, row.key)))
    records, known = body.records, body.known
    decision = Decision(
        row.key,
        Action(row.action),
        decoded(records.after, scope.target_kind),
        decoded(records.before, scope.target_kind),
        row.target_id,
        bool(row.active),
        date.fromisoformat(row.wake_on) if row.wake_on else None,
        effective_on=known.effective_on,
        late=known.late,
        warnings=known.warnings,
        trace=known.trace,
    )
    entry = Entry(decision, decoded(records.source, scope.source_kind), body.rows)
    return Change(row.id, row.state, entry, body.packed)
