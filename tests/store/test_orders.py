"""Orders are placed once, claimed by one, and handed on when their worker dies."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, make_url, update

from ml_connector.errors import StoreError
from ml_connector.store import schema_work
from ml_connector.store.db import Database, session_name
from ml_connector.store.leases import ATTEMPTS_MAX
from ml_connector.store.orders import LATE, SHOWN_MAX, Orders
from ml_connector.store.placing import place
from ml_connector.sync.orders import Cause, Ending, Extent, Order, State, needed_by

NEEDS = needed_by({"suppliers": (), "purchase_orders": ("suppliers",)})
DONE = Ending(State.DONE, {"read": 3})
LAPSED_S = -1.0  # a lease that ran out a second ago


@pytest.fixture
def orders(db: Database) -> Orders:
    return Orders(db)


@pytest.fixture
def hired(orders: Orders) -> Callable[..., str]:
    def hire(name: str, lease_s: float = 60.0) -> str:
        orders.join(name, "host", 1, "1", 2, lease_s)
        return name

    return hire


def order(number: str, connection_id: int, flow: str = "suppliers", **more: object) -> Order:
    return Order(number, connection_id, flow, **more)  # pyright: ignore[reportArgumentType] - the test's own


def test_an_order_goes_from_placed_to_done(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    placed = order("a", connection_id, extent=Extent(keys=("S1",)), cause=Cause.REPLAY, person="anna")
    orders.place(placed)
    claimed = orders.claim(hired("w"), NEEDS)
    assert claimed is not None
    assert (claimed.id, claimed.extent, claimed.person, claimed.attempts) == ("a", placed.extent, "anna", 1)
    assert orders.claim("w", NEEDS) is None
    assert orders.end("w", claimed, DONE)
    assert not orders.end("w", claimed, DONE)
    told = orders.get("a")
    assert told is not None
    assert (told.order.state, told.figures) == (State.DONE, {"read": 3})
    assert not orders.open()


def test_placing_twice_is_placing_once(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    for _ in range(2):
        orders.place(order("slot", connection_id))
    claimed = orders.claim(hired("w"), NEEDS)
    assert claimed is not None
    orders.end("w", claimed, DONE)
    orders.place(order("slot", connection_id))
    assert orders.claim("w", NEEDS) is None


def test_a_waiting_order_covers_the_next_of_its_kind(
    orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    assert orders.place(order("1", connection_id)) == "1"
    assert orders.place(order("2", connection_id)) == "1"
    assert orders.place(order("3", connection_id, extent=Extent(census=True))) == "3"
    assert orders.place(order("4", connection_id, extent=Extent(keys=("S1",)))) == "4"
    assert orders.claim(hired("w"), NEEDS) is not None
    assert orders.place(order("5", connection_id)) == "5", "one that runs may have read before"


def test_needs_go_first_and_ranks_before_ages(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    worker = hired("w")
    orders.place(order("1", connection_id, "suppliers"))
    orders.place(order("2", connection_id, "purchase_orders"))
    first = orders.claim(worker, NEEDS)
    assert first is not None
    assert first.id == "1"
    assert orders.claim(worker, NEEDS) is None
    orders.end(worker, first, DONE)
    orders.place(order("3", connection_id, "payments"))
    orders.place(order("4", connection_id, "requests", rank=0))
    assert [one.id for _ in range(3) if (one := orders.claim(worker, NEEDS))] == ["4", "2", "3"]


def test_handed_back_it_waits_its_time(
    orders: Orders, hired: Callable[..., str], connection_id: int, db: Database
) -> None:
    orders.place(order("1", connection_id))
    worker = hired("w")
    claimed = orders.claim(worker, NEEDS)
    assert claimed is not None
    orders.end(worker, claimed, Ending(State.QUEUED, error="busy", wait_s=100))
    assert orders.claim(worker, NEEDS) is None
    with db.write() as connection:
        connection.execute(update(schema_work.orders).values(not_before=schema_work.orders.c.not_before - 100))
    again = orders.claim(worker, NEEDS)
    assert again is not None
    assert again.attempts == 1, "being handed back is no attempt"


def test_cancelled_only_before_it_began(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    assert orders.cancel("1", "anna")
    orders.place(order("2", connection_id))
    assert orders.claim(hired("w"), NEEDS) is not None
    assert not orders.cancel("2", "anna")


def test_what_a_dead_worker_held_is_handed_on(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    dead = orders.claim(hired("dead", LAPSED_S), NEEDS)
    assert dead is not None
    alive = hired("alive")
    orders.take_over(alive)
    assert [one.id for one in orders.workers()] == ["alive"]
    claimed = orders.claim(alive, NEEDS)
    assert claimed is not None
    assert claimed.attempts == 2
    assert not orders.beat("dead", 1.0)
    assert not orders.end("dead", dead, DONE), "it is somebody else's by now"
    with pytest.raises(StoreError, match="lease"):
        _claim_something(orders, "dead", connection_id)
    assert orders.end(alive, claimed, DONE)


def _claim_something(orders: Orders, worker: str, connection_id: int) -> None:
    orders.place(order("more", connection_id, "payments"))
    orders.claim(worker, NEEDS)


def test_nobody_takes_over_from_himself(orders: Orders, hired: Callable[..., str]) -> None:
    worker = hired("w", LAPSED_S)
    assert orders.take_over(worker) == []
    assert orders.beat(worker, 60.0)


def test_an_order_that_kills_its_workers_is_given_up(
    orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    orders.place(order("poison", connection_id))
    alive = hired("alive")
    for number in range(ATTEMPTS_MAX):
        assert orders.claim(hired(f"w{number}", LAPSED_S), NEEDS) is not None
        orders.take_over(alive)
    told = orders.get("poison")
    assert told is not None
    assert told.order.state is State.FAILED
    assert "died" in told.error


def test_leaving_hands_back(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    orders.claim(hired("w"), NEEDS)
    orders.leave("w")
    assert [one.state for one in orders.open()] == [State.QUEUED]
    assert orders.workers() == []


def test_many_claim_at_once_and_none_gets_what_another_has(
    db: Database, orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    for number in range(30):
        orders.place(order(f"{number:02}", connection_id, f"flow{number % 5}", extent=Extent(keys=(str(number),))))
    done: list[str] = []
    running: set[str] = set()
    guard = threading.Lock()

    def work(worker: str) -> None:
        own = Orders(db)
        while (claimed := own.claim(worker, {})) or own.open():
            if claimed is None:
                continue
            with guard:
                assert claimed.flow not in running
                running.add(claimed.flow)
            time.sleep(0.002)
            with guard:
                running.discard(claimed.flow)
                done.append(claimed.id)
            assert own.end(worker, claimed, DONE)

    threads = [threading.Thread(target=work, args=(hired(f"w{n}"),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [f"{number:02}" for number in range(30)]


def test_however_many_wait_others_are_seen(
    db: Database, orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    worker = hired("w")
    orders.place(order("census", connection_id, extent=Extent(census=True), rank=2))
    assert orders.claim(worker, NEEDS) is not None
    with db.write() as connection:
        for number in range(SHOWN_MAX + 1):
            one = order(f"{number:04}", connection_id, extent=Extent(keys=(str(number),)))
            place(connection, one, "2026-01-01T00:00:00.000000Z")
    orders.place(order("other", connection_id, "payments"))
    claimed = orders.claim(worker, NEEDS)
    assert claimed is not None
    assert claimed.id == "other"


def test_what_has_ended_is_not_looked_through(
    db: Database, orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    """Plans of SQLite; PostgreSQL sees the values when it plans."""
    if db.file is None:
        return
    worker, asked = hired("w"), list[tuple[str, Any]]()

    def note(_c: Any, _u: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    orders.place(order("1", connection_id))
    orders.place(order("2", connection_id, cause=Cause.PERSON))
    orders.claim(worker, NEEDS, ())
    orders.take_over(worker)
    event.remove(db.engine, "before_cursor_execute", note)
    with db.read() as connection:
        plans = [
            row.detail
            for statement, values in asked
            if statement.startswith(("SELECT", "UPDATE"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    used = {one.split("INDEX ")[-1].split(" ")[0] for one in plans if " orders" in one}
    assert used == {"orders_open", "orders_running", "sqlite_autoindex_orders_1"}


def test_a_census_does_not_starve(db: Database, hired: Callable[..., str], connection_id: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    worker, orders = hired("w"), Orders(db, lambda: now)
    orders.place(order("census", connection_id, extent=Extent(census=True), rank=2))
    claimed: list[str] = []
    for number in range(8):
        orders.place(order(f"{number}", connection_id))
        one = orders.claim(worker, NEEDS)
        assert one is not None
        claimed.append(one.id)
        orders.place(order(f"{number}+", connection_id))  # its time comes while the one before is running
        orders.end(worker, one, DONE)
        now += LATE / 3
    assert claimed[0] == "0"
    assert "census" in claimed


def test_a_claim_whose_answer_was_lost_is_handed_on(
    orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    orders.place(order("1", connection_id))
    worker = hired("w")
    lost = orders.claim(worker, NEEDS, ())
    assert lost is not None
    assert orders.claim(worker, NEEDS, (lost.id,)) is None
    again = orders.claim(worker, NEEDS, ())
    assert again is not None
    assert (again.id, again.attempts) == ("1", 2)


def test_joining_again_is_joining(orders: Orders, hired: Callable[..., str]) -> None:
    assert hired("w") == hired("w")
    assert [one.id for one in orders.workers()] == ["w"]


def test_what_nobody_holds_is_handed_on(
    db: Database, orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    orders.place(order("1", connection_id))
    orders.claim(hired("w"), NEEDS)
    with db.write() as connection:  # as a claim that is committed right after its worker's lease was ended
        connection.execute(update(schema_work.orders).values(worker="gone"))
    orders.take_over("w")
    assert orders.claim("w", NEEDS) is not None


def test_who_was_away_does_not_judge_who_else_was(orders: Orders, hired: Callable[..., str], db: Database) -> None:
    hired("a", LAPSED_S)
    hired("b", LAPSED_S)
    assert orders.take_over("a") == []
    assert orders.beat("a", 100.0)
    assert orders.take_over("a") == [], "it gets time to come back"
    assert [0 < one.lease_s <= 50 for one in orders.workers() if one.id == "b"] == [True]
    with db.write() as connection:
        silent = update(schema_work.workers).where(schema_work.workers.c.id == "b")
        connection.execute(silent.values(lease_until=0.0))
    assert [one.worker for one in orders.take_over("a")] == ["b"]


def test_a_person_does_not_wait_for_the_next_try(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    worker = hired("w")
    claimed = orders.claim(worker, NEEDS)
    assert claimed is not None
    orders.end(worker, claimed, Ending(State.QUEUED, wait_s=100))
    orders.place(order("2", connection_id))
    assert orders.claim(worker, NEEDS) is None, "a slot waits as long as it has to"
    assert orders.place(order("3", connection_id, cause=Cause.PERSON)) == "1"
    assert orders.claim(worker, NEEDS) is not None


@pytest.fixture
def limited(server: str) -> Iterator[str]:
    """A database of which the login may end nobody else's sessions."""
    owner = server.replace("/postgres?", "/migrated_one?")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE ROLE limited LOGIN")
        connection.execute("GRANT ALL ON SCHEMA public TO limited")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
        connection.execute("SELECT set_config('application_name', %s, false)", (session_name("dead"),))
        yield make_url(owner).set(username="limited").render_as_string(hide_password=False)
        connection.execute("DROP OWNED BY limited")
        connection.execute("DROP ROLE limited")


def test_sessions_of_another_login_do_not_keep_a_lease_alive(limited: str) -> None:
    with closing(Database.open(limited)) as db:
        orders = Orders(db)
        orders.join("dead", "host", 1, "1", 1, LAPSED_S)
        assert [one.worker for one in orders.take_over("w")] == ["dead"]


def test_old_orders_are_forgotten(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    claimed = orders.claim(hired("w"), NEEDS)
    assert claimed is not None
    orders.end("w", claimed, DONE)
    assert orders.clean(1) == 0
    assert orders.clean(-1) == 1
