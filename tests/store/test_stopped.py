"""What a gate stopped, and events that somebody has to look at, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from ml_connector.store import schema, schema_work
from ml_connector.store.approvals import Approvals
from ml_connector.store.db import Database
from ml_connector.store.inbox import Event, Inbox, State
from ml_connector.store.journal import Journal
from ml_connector.store.orders import Orders
from ml_connector.store.runs import Runs
from ml_connector.store.vault import Vault

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
SINCE = NOON - timedelta(days=30)


def run(connection_id: int, number: str, state: str, hour: int, flow: str = "suppliers", kind: str = "run") -> Any:
    at = schema.stamp(NOON + timedelta(hours=hour))
    told = {"id": number, "connection_id": connection_id, "flow": flow, "kind": kind, "state": state}
    return told | {"process": "p", "started_at": at, "finished_at": at}


def test_a_stopped_run_waits_until_a_whole_one_followed(db: Database, vault: Vault, connection_id: int) -> None:
    rows = [
        run(connection_id, "old", "blocked", -24 * 40),
        run(connection_id, "past", "blocked", 0),
        run(connection_id, "done", "done", 1),
        run(connection_id, "now", "blocked", 2),
        run(connection_id, "some", "done", 3, kind="some"),
        run(connection_id, "failed", "failed", 4),
        run(connection_id, "other", "blocked", 0, "payments"),
    ]
    with db.write() as connection:
        connection.execute(insert(schema.runs), rows)
    found = Runs(db, vault, connection_id).stopped(SINCE, 10)
    assert [one.id for one in found] == ["now", "other"]
    assert [one.id for one in Runs(db, vault, connection_id).stopped(SINCE, 1)] == ["now"]
    assert Runs(db, vault, connection_id + 1).stopped(SINCE, 10) == []


def test_orders_that_were_stopped(db: Database, connection_id: int) -> None:
    told: dict[str, Any] = {"connection_id": connection_id, "flow": "suppliers", "what": "{}", "cause": "person"}
    told |= {"person": "kari", "rank": 1, "not_before": 0.0, "attempts": 1, "figures": "{}", "error": ""}
    rows = [
        told | {"id": state, "state": state, "placed_at": schema.stamp(NOON), "run_id": f"run of {state}"}
        for state in ("blocked", "done", "failed")
    ]
    with db.write() as connection:
        connection.execute(insert(schema_work.orders), rows)
    assert [one.run_id for one in Orders(db).stopped(connection_id, 10)] == ["run of blocked"]
    assert Orders(db).stopped(connection_id + 1, 10) == []


def test_plans_that_were_let_through(db: Database, vault: Vault, connection_id: int) -> None:
    kept = Approvals(db, vault, connection_id, lambda: NOON)
    for plan in ("one", "two"):
        kept.give(plan, "ola")
    kept.use("one")
    assert kept.used(SINCE) == {"one": NOON}
    assert kept.used(NOON + timedelta(seconds=1)) == {}


def test_events_to_look_at(db: Database, vault: Vault, connection_id: int) -> None:
    inbox = Inbox(db, vault)

    def event(number: int, state: State) -> Event:
        told = (connection_id, "airbase", f"e{number}", "t", "", NOON, True, state, "suppliers", "S1", b"{}")
        return Event(*told)

    receipts = inbox.receive([event(number, state) for number, state in enumerate(State)])
    amiss = {State.FAILED, State.UNKNOWN, State.OFF, State.STALE}
    assert {one.state for one in inbox.recent(connection_id, 10, amiss=True)} == amiss
    assert len(inbox.recent(connection_id, 2, amiss=True)) == 2
    assert inbox.standing(connection_id) == dict.fromkeys([*amiss, State.WAITING], 1)
    one = inbox.get(connection_id, receipts[0].number)
    assert one
    assert one.event_id == "e0"
    assert inbox.get(connection_id + 1, one.id) is None
    failed = next(one for one in inbox.recent(connection_id, 10) if one.state is State.FAILED)
    assert inbox.again(connection_id, failed.id, "kari")
    assert not inbox.again(connection_id, failed.id, "kari"), "a second press"
    (entry,) = Journal(db, vault, connection_id).timeline("suppliers", "S1")
    assert (entry.kind, entry.facts["person"], entry.facts["number"]) == ("noted", "kari", failed.id)
