"""Lists read page by page, on both databases: each row once, whatever stands at the same instant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ml_connector.store import runs
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions, note
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.orders import Orders
from ml_connector.store.runs import Runs
from ml_connector.store.scope import Scope
from ml_connector.store.vault import Vault
from ml_connector.sync.orders import Extent, Order, State
from ml_connector.sync.outcome import Held

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Row = TypeVar("Row")
At = TypeVar("At")


def paged(read: Callable[[At | None], list[Row]], at: Callable[[Row], At]) -> list[Row]:
    """All rows, a page at a time."""
    found: list[Row] = []
    while more := read(at(found[-1]) if found else None):
        found += more
        assert len(found) <= 20
    return found


class Steps:
    """A clock that stands still for three calls, then goes on."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> datetime:
        self.calls += 1
        return NOON + timedelta(seconds=self.calls // 3)


def test_orders(db: Database, connection_id: int) -> None:
    orders = Orders(db, Steps())
    for number in range(10):
        flow = "suppliers" if number % 2 else "purchase_orders"
        orders.place(Order(f"o/{number}", connection_id, flow, Extent(keys=(str(number),))))
    orders.cancel("o/3", "anna")
    whole = orders.recent()
    assert len(whole) == 10
    assert paged(lambda at: orders.recent(limit=2, after=at), lambda one: (placed(one.order), one.order.id)) == whole
    cancelled = orders.recent(flow="suppliers", state=State.CANCELLED)
    assert [one.order.id for one in cancelled] == ["o/3"]
    assert "o/3" not in [one.order.id for one in orders.recent(state=State.QUEUED)]


def placed(order: Order) -> datetime:
    assert order.placed_at
    return order.placed_at


def test_runs(db: Database, vault: Vault, connection_id: int) -> None:
    scope = Scope(vault, connection_id, "suppliers", object, object, Steps())
    with db.write() as connection:
        for _ in range(7):
            runs.begin(connection, scope, "run")
    kept = Runs(db, vault, connection_id)
    whole = kept.recent(100)
    assert len(whole) == 7
    assert paged(lambda at: kept.recent(2, after=at), lambda one: (one.started_at, one.id)) == whole


def test_exceptions(db: Database, vault: Vault, connection_id: int) -> None:
    scope = Scope(vault, connection_id, "suppliers", object, object, Steps())
    with db.write() as connection:
        for number in range(9):
            note(connection, scope, "run", [(f"S{number}", Held(f"cause {number % 2}", "said", "do"))])
    kept = Exceptions(db, connection_id)
    whole = kept.open(100)
    assert len(whole) == 9
    assert paged(lambda at: kept.open(2, after=at), lambda one: (one.opened_at, one.id)) == whole
    odd = [one for one in whole if one.held.cause == "cause 1"]
    assert paged(lambda at: kept.open(2, cause="cause 1", after=at), lambda one: (one.opened_at, one.id)) == odd
    assert kept.open(100, flow="purchase_orders") == []


def test_timelines(db: Database, journal: Journal) -> None:
    with db.write() as connection:
        journal.append(connection, [Line(Kind.HELD, {"number": n}, "S1", "suppliers", body={"n": n}) for n in range(7)])
    whole = journal.timeline("suppliers", "S1")
    assert [one.body for one in whole] == [{"n": n} for n in range(7)]
    assert paged(lambda at: journal.timeline("suppliers", "S1", at or 0, 2), lambda one: one.seq) == whole
