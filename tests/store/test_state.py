"""The snapshot says how things are, in a fixed number of statements that find what they need by an index."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, insert

from ml_connector.store import schema, schema_work, tallies
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.orders import Orders
from ml_connector.store.state import Snapshot, snapshot
from ml_connector.store.tokens import TokenShelf
from ml_connector.store.vault import Vault
from ml_connector.sync.orders import Ending, Order, State

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
FLOWS = ("payments", "suppliers")


def ago(**span: float) -> str:
    return schema.stamp(NOW - timedelta(**span))


def run(connection_id: int, number: str, state: str, at: str, kind: str = "run", flow: str = "suppliers") -> Any:
    told = {"id": number, "connection_id": connection_id, "flow": flow, "kind": kind, "state": state}
    return told | {"process": "p", "started_at": at, "finished_at": None if state == "running" else at}


def held(connection_id: int, key: str, cause: str, at: str, amount: str | None, **more: Any) -> dict[str, Any]:
    told = {"connection_id": connection_id, "flow": "payments", "key": key, "cause": cause, "sentence": "s"}
    told |= {"remedy": "r", "owner": "clerk", "stake_amount": amount, "stake_currency": "EUR" if amount else None}
    return told | {"opened_at": at, "last_at": at, "resolved_at": None, "times": 1, **more}


def seen(connection_id: int, number: int, state: str, received: str, done: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"connection_id": connection_id, "system": "airbase", "event_id": str(number), "type": "t"}
    told |= {"occurred": "", "received_at": received, "verified": True, "repeats": 0, "state": state, "flow": ""}
    told |= {"tries": 0, "not_before": 0.0}
    return told | {"key": "", "order_id": "", "note": "", "done_at": done}


def fill(db: Database, table: Any, rows: list[dict[str, Any]]) -> None:
    with db.write() as connection:
        connection.execute(insert(table), rows)


@contextmanager
def statements(db: Database) -> Generator[list[str]]:
    made: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        made.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield made
    event.remove(db.engine, "before_cursor_execute", note)


def test_an_empty_store(db: Database, vault: Vault) -> None:
    assert snapshot(db, vault, FLOWS, NOW) == Snapshot(NOW, {})


def test_only_a_run_of_all_that_changed_is_a_success(db: Database, vault: Vault, connection_id: int) -> None:
    rows = [
        run(connection_id, "1", "done", ago(hours=5)),
        run(connection_id, "2", "failed", ago(hours=3)),
        run(connection_id, "3", "done", ago(hours=2), "some"),
        run(connection_id, "4", "done", ago(hours=1), "plan"),
        run(connection_id, "5", "running", ago(minutes=1)),
    ]
    fill(db, schema.runs, rows)
    (flow,) = snapshot(db, vault, FLOWS, NOW).flows
    assert flow.last is not None
    assert flow.whole is not None
    assert (flow.flow, flow.last.id, flow.whole.id, flow.whole.state) == ("suppliers", "3", "2", "failed")
    assert flow.succeeded_at == NOW - timedelta(hours=5)


def test_a_run_in_the_pipeline_says_how_much_it_covers(store: FlowStore, db: Database, vault: Vault) -> None:
    with store.turn():
        store.finish(store.begin("some"), "done", {})
        assert snapshot(db, vault, FLOWS, NOW).flows[0].succeeded_at is None
        store.finish(store.begin("run"), "done", {})
    assert snapshot(db, vault, FLOWS, NOW).flows[0].succeeded_at is not None


def test_orders_that_wait_and_the_one_that_ended(db: Database, vault: Vault, connection_id: int) -> None:
    orders = Orders(db, lambda: NOW)
    orders.join("w", "host", 1, "1", 1, 60)
    orders.place(Order("1", connection_id, "suppliers"))
    first = orders.claim("w", {})
    assert first is not None
    orders.end("w", first, Ending(State.FAILED, run_id="r", error="no way"))
    orders.place(Order("2", connection_id, "suppliers"))
    orders.claim("w", {})
    orders.place(Order("3", connection_id, "suppliers"))
    now = snapshot(db, vault, FLOWS, NOW)
    assert now.flows[0].ended is not None
    assert (now.flows[0].ended.state, now.flows[0].ended.error) == ("failed", "no way")
    assert [(one.queued, one.running, one.oldest_at) for one in now.queues] == [(1, 1, NOW)]
    assert [(one.id, one.lease_s > 0) for one in now.workers] == [("w", True)]
    labels = (("connection", str(connection_id)), ("flow", "suppliers"), ("cause", "schedule"), ("state", "failed"))
    assert now.counted["runs", labels] == 1


def test_exceptions_by_cause_with_age_and_exact_stake(db: Database, vault: Vault, connection_id: int) -> None:
    rows = [held(connection_id, str(n), "closed_period", ago(days=n), "0.1") for n in range(3)]
    rows.append(held(connection_id, "x", "no_account", ago(hours=1), None))
    rows.append(held(connection_id, "y", "no_account", ago(days=9), "5", resolved_at=ago(days=1)))
    fill(db, schema.exceptions, rows)
    closed, missing = snapshot(db, vault, FLOWS, NOW).held
    assert (closed.cause, closed.count, closed.new, closed.oldest_at) == (
        "closed_period",
        3,
        2,
        NOW - timedelta(days=2),
    )
    assert closed.stakes == {"EUR": Decimal("0.3")}
    assert (missing.count, missing.stakes) == (1, {})


def test_events_that_wait_and_the_lag_of_the_others(db: Database, vault: Vault, connection_id: int) -> None:
    rows = [seen(connection_id, n, "done", ago(seconds=60), ago(seconds=60 - n)) for n in range(4)]
    fill(db, schema_work.inbox, [*rows, seen(connection_id, 9, "waiting", ago(minutes=12))])
    now = snapshot(db, vault, FLOWS, NOW)
    assert [(one.system, one.count, one.oldest_at) for one in now.waiting] == [
        ("airbase", 1, NOW - timedelta(minutes=12))
    ]
    assert now.lags_s == {connection_id: [0, 1, 2, 3]}


def test_of_a_token_only_its_time_is_told(db: Database, vault: Vault, connection_id: int) -> None:
    shelf = TokenShelf(db, vault, connection_id, lambda: NOW)
    shelf.renew(None, lambda: ("canary", NOW.timestamp() + 90))
    now = snapshot(db, vault, FLOWS, NOW)
    assert now.tokens_s == {connection_id: 90}
    assert "canary" not in repr(now)
    assert not snapshot(db, None, FLOWS, NOW).tokens_s


def test_removed_connections_are_not_told(db: Database, vault: Vault, connection_id: int) -> None:
    fill(db, schema.exceptions, [held(connection_id, "1", "closed_period", ago(days=1), "1")])
    fill(db, schema.runs, [run(connection_id, "1", "done", ago(hours=5))])
    fill(db, schema_work.inbox, [seen(connection_id, 9, "waiting", ago(minutes=12))])
    Connections(db, vault).remove("demo", "root")
    now = snapshot(db, vault, FLOWS, NOW)
    assert (now.connections, now.flows, now.held, now.waiting) == ({}, (), (), ())


def test_the_number_of_statements_is_fixed(db: Database, vault: Vault, connection_id: int) -> None:
    with statements(db) as first:
        snapshot(db, vault, FLOWS, NOW)
    other = Connections(db, vault).save("other", {}, {}).id
    for one in (connection_id, other):
        fill(db, schema.runs, [run(one, f"{one}/{n}", "done", ago(hours=n)) for n in range(50)])
        fill(db, schema.exceptions, [held(one, str(n), f"c{n % 9}", ago(days=1), "1") for n in range(50)])
        fill(db, schema_work.inbox, [seen(one, n, "waiting", ago(minutes=1)) for n in range(50)])
    with db.write() as connection:
        tallies.add(connection, {("runs", (("flow", str(n)),)): 1.0 for n in range(20)})
    with statements(db) as then:
        assert len(snapshot(db, vault, FLOWS, NOW).flows) == 2
    assert len(then) == len(first) < 16


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_large_tables_are_read_by_an_index(db: Database, vault: Vault, connection_id: int) -> None:
    """Plans of SQLite, which also takes a partial index only where the query repeats its condition."""
    fill(db, schema.runs, [run(connection_id, str(n), "done", ago(hours=n)) for n in range(50)])
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    snapshot(db, vault, FLOWS, NOW)
    event.remove(db.engine, "before_cursor_execute", note)
    plans: list[str] = []
    with db.read() as connection:
        for statement, values in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans += [row.detail for row in rows]
    assert plans
    scanned = {one.removeprefix("SCAN ") for one in plans if one.startswith("SCAN ")}
    partial = {f"{name.split('_')[0]} USING INDEX {name}" for name in ("orders_open", "inbox_waiting")}
    partial.add("exceptions USING COVERING INDEX exceptions_summed")
    assert partial <= scanned
    assert {one for one in scanned - partial if one.split()[0] in ("runs", "orders", "exceptions")} == set()
    assert "inbox" in scanned, "the latest events, by their id"
    searched = " ".join(one for one in plans if one.startswith("SEARCH "))
    for name in ("runs_done", "runs_whole", "runs_by_start", "orders_by_flow"):
        assert name in searched
