"""Orders are placed once, claimed by one, and handed on when their worker dies."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from ml_connector.errors import StoreError
from ml_connector.store import schema_work
from ml_connector.store.db import Database
from ml_connector.store.orders import ATTEMPTS_MAX, Orders
from ml_connector.sync.orders import Cause, Ending, Extent, Order, State, needed_by

NEEDS = needed_by({"suppliers": (), "purchase_orders": ("suppliers",)})
DONE = Ending(State.DONE, {"read": 3})


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


def test_handed_back_it_waits_its_time(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    worker = hired("w")
    claimed = orders.claim(worker, NEEDS)
    assert claimed is not None
    orders.end(worker, claimed, Ending(State.QUEUED, error="busy", wait_s=0.2))
    assert orders.claim(worker, NEEDS) is None
    time.sleep(0.25)
    again = orders.claim(worker, NEEDS)
    assert again is not None
    assert again.attempts == 1, "being handed back is no attempt"


def test_cancelled_only_before_it_began(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    assert orders.cancel("1")
    orders.place(order("2", connection_id))
    assert orders.claim(hired("w"), NEEDS) is not None
    assert not orders.cancel("2")


def test_what_a_dead_worker_held_is_handed_on(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    dead = orders.claim(hired("dead", lease_s=0.05), NEEDS)
    assert dead is not None
    alive = hired("alive")
    time.sleep(0.1)
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
    worker = hired("w", lease_s=0.01)
    time.sleep(0.05)
    assert orders.take_over(worker) == []
    assert orders.beat(worker, 60.0)


def test_an_order_that_kills_its_workers_is_given_up(
    orders: Orders, hired: Callable[..., str], connection_id: int
) -> None:
    orders.place(order("poison", connection_id))
    alive = hired("alive")
    for number in range(ATTEMPTS_MAX):
        assert orders.claim(hired(f"w{number}", lease_s=0.01), NEEDS) is not None
        time.sleep(0.03)
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


def test_old_orders_are_forgotten(orders: Orders, hired: Callable[..., str], connection_id: int) -> None:
    orders.place(order("1", connection_id))
    claimed = orders.claim(hired("w"), NEEDS)
    assert claimed is not None
    orders.end("w", claimed, DONE)
    assert orders.clean(1) == 0
    assert orders.clean(-1) == 1


@pytest.fixture(autouse=True)
def two_runs_of_one_flow_never_overlap(db: Database) -> Iterator[None]:
    yield
    query = select(schema_work.orders.c.flow).where(schema_work.orders.c.state == "running")
    with db.read() as connection:
        flows = list(connection.execute(query).scalars())
    assert len(flows) == len(set(flows))
