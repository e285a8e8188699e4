"""A worker on a real store: it works, hands back what it can't finish, and stops when its lease is gone."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from ml_connector.engine.seam import Chore
from ml_connector.engine.worker import Pace, Worker
from ml_connector.errors import StoreError
from ml_connector.store.db import Database
from ml_connector.store.leases import ATTEMPTS_MAX
from ml_connector.store.orders import Orders
from ml_connector.store.schema_work import workers
from ml_connector.sync.orders import Ending, Order, State, needed_by

NEEDS = needed_by({"suppliers": (), "purchase_orders": ("suppliers",)})
PACE = Pace(threads=2, lease_s=1.0, grace_s=0.3, poll_s=0.02)
LEASE_S = 60.0


class Seen:
    """What a worker told."""

    def __init__(self) -> None:
        self.endings: list[tuple[str, Ending, bool]] = []
        self.troubles: list[tuple[str, Exception]] = []
        self.lease_lost = False

    def began(self, order: Order) -> None:
        del order

    def ended(self, order: Order, ending: Ending, *, kept: bool) -> None:
        self.endings.append((order.id, ending, kept))

    def troubled(self, what: str, error: Exception) -> None:
        self.troubles.append((what, error))

    def lost(self) -> None:
        self.lease_lost = True


@pytest.fixture
def orders(db: Database) -> Orders:
    return Orders(db)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@contextmanager
def working(worker: Worker) -> Generator[threading.Thread]:
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(60)
        assert not thread.is_alive()


def nothing(order: Order, stop: Callable[[], bool]) -> Ending:
    del order, stop
    return Ending(State.DONE)


def until(said: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not said():
        assert time.monotonic() < end
        time.sleep(0.01)


def state(orders: Orders, number: str) -> State:
    placed = orders.get(number)
    assert placed is not None
    return placed.order.state


def test_orders_are_carried_out_in_order_of_need(orders: Orders, seen: Seen, connection_id: int) -> None:
    done: list[str] = []

    def perform(order: Order, stop: Callable[[], bool]) -> Ending:
        time.sleep(0.05)
        done.append(order.id)
        return Ending(State.DONE)

    for number, flow in enumerate(("suppliers", "purchase_orders", "payments")):
        orders.place(Order(str(number), connection_id, flow))
    with working(Worker("w", "1", orders, perform, NEEDS, seen, (), PACE)):
        until(lambda: len(done) == 3)
    assert done.index("0") < done.index("1")
    assert orders.workers() == []
    assert not orders.open()


def test_asked_to_stop_it_finishes_what_it_can(orders: Orders, seen: Seen, connection_id: int) -> None:
    begun, asked = threading.Event(), threading.Event()

    def perform(order: Order, stop: Callable[[], bool]) -> Ending:
        begun.set()
        asked.wait(60)
        time.sleep(0.2)  # within its time of grace nobody is told to stop
        return Ending(State.QUEUED if stop() else State.DONE)

    orders.place(Order("short", connection_id, "suppliers"))
    worker = Worker("w", "1", orders, perform, NEEDS, seen, (), replace(PACE, grace_s=60.0))
    with working(worker):
        assert begun.wait(60)
        worker.stop()
        asked.set()
    assert state(orders, "short") is State.DONE


def test_what_takes_longer_is_handed_back(orders: Orders, seen: Seen, connection_id: int) -> None:
    begun = threading.Event()

    def perform(order: Order, stop: Callable[[], bool]) -> Ending:
        begun.set()
        until(stop)
        return Ending(State.QUEUED)

    orders.place(Order("long", connection_id, "suppliers"))
    with working(Worker("w", "1", orders, perform, NEEDS, seen, (), PACE)):
        assert begun.wait(60)
    assert state(orders, "long") is State.QUEUED


def test_what_never_comes_to_an_end_is_handed_on_all_the_same(
    orders: Orders, seen: Seen, connection_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_connector.engine.worker.DROP_S", 0.2)
    begun, let_go = threading.Event(), threading.Event()

    def perform(order: Order, stop: Callable[[], bool]) -> Ending:
        begun.set()
        let_go.wait(60)
        return Ending(State.DONE)

    orders.place(Order("stuck", connection_id, "suppliers"))
    worker = Worker("w", "1", orders, perform, NEEDS, seen, (), PACE)
    idle: list[bool] = []
    thread = threading.Thread(target=lambda: idle.append(worker.run()))
    thread.start()
    assert begun.wait(60)
    worker.stop()
    thread.join(60)
    assert idle == [False]
    assert state(orders, "stuck") is State.QUEUED
    let_go.set()
    until(lambda: seen.endings)
    assert not seen.endings[0][2], "it was no longer its own"


def test_a_lost_lease_ends_it(orders: Orders, seen: Seen, connection_id: int) -> None:
    begun = threading.Event()

    def perform(order: Order, stop: Callable[[], bool]) -> Ending:
        begun.set()
        until(stop)
        return Ending(State.QUEUED)

    orders.place(Order("1", connection_id, "suppliers"))
    worker = Worker("w", "1", orders, perform, NEEDS, seen, (), PACE)
    with working(worker) as thread:
        assert begun.wait(60)
        until(lambda: worker.alive)
        orders.leave("w")  # as another worker would
        thread.join(60)
        assert not thread.is_alive()
    assert worker.lost
    assert not worker.alive
    assert seen.lease_lost


def test_a_chore_that_fails_is_done_again(orders: Orders, seen: Seen) -> None:
    done: list[int] = []

    def act() -> bool:
        done.append(1)
        raise ValueError("no")

    with working(Worker("w", "1", orders, nothing, NEEDS, seen, (Chore("x", 0.01, act),), PACE)):
        until(lambda: len(done) > 3)
    assert {what for what, _ in seen.troubles} == {"x"}


def test_a_chore_with_more_to_do_goes_on_at_once(orders: Orders, seen: Seen) -> None:
    done: list[int] = []

    def act() -> bool:
        done.append(1)
        return len(done) < 50

    chores = (Chore("x", 60.0, act),)
    with working(Worker("w", "1", orders, nothing, NEEDS, seen, chores, PACE)):
        until(lambda: len(done) == 50)


class Patchy:
    """A store that answers one at a time, as the test wants it to; leases last long, though they are renewed often."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._one_at_a_time = threading.Lock()
        self.away = False
        self.claims_to_lose = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        def asked(*given: object, **more: object) -> object:
            with self._one_at_a_time:
                return self._answered(name, given, more)

        return asked

    def _answered(self, name: str, given: tuple[object, ...], more: dict[str, object]) -> object:
        if self.away:
            raise StoreError("away")
        lasting = (*given[:-1], LEASE_S) if name in ("join", "beat") else given
        answer = getattr(self._orders, name)(*lasting, **more)
        if name == "claim" and answer and self.claims_to_lose:
            self.claims_to_lose -= 1
            raise StoreError("the connection was lost")
        return answer

    def go_away(self) -> None:
        """Answer no more, once whoever is asking has an answer."""
        with self._one_at_a_time:
            self.away = True


def test_a_claim_whose_answer_was_lost_is_carried_out_all_the_same(
    orders: Orders, seen: Seen, connection_id: int
) -> None:
    patchy: Any = Patchy(orders)
    patchy.claims_to_lose = 1
    orders.place(Order("1", connection_id, "suppliers"))
    with working(Worker("w", "1", patchy, nothing, NEEDS, seen, (), PACE)):
        until(lambda: state(orders, "1") is State.DONE)
    assert [what for what, _ in seen.troubles] == ["claim"]


def test_when_the_store_comes_back_nobody_has_lost_his_lease(db: Database, orders: Orders, seen: Seen) -> None:
    stores: dict[str, Any] = {name: Patchy(orders) for name in "abc"}
    looked: list[str] = []

    def taking_over(name: str) -> Chore:
        return Chore("take over", 0.02, lambda: bool(stores[name].take_over(name)) or looked.append(name))

    def held() -> int:
        return sum(one.lease_s > LEASE_S / 2 for one in orders.workers())

    crew = [Worker(name, "1", stores[name], nothing, NEEDS, seen, (taking_over(name),), PACE) for name in "abc"]
    with ExitStack() as stack:
        for worker in crew:
            stack.enter_context(working(worker))
        until(lambda: held() == 3)
        for store in stores.values():
            store.go_away()
        with db.write() as connection:
            connection.execute(update(workers).values(lease_until=0.0))
        stores["a"].away = False
        until(lambda: held() == 1)
        looked.clear()
        until(lambda: len(looked) > 3)
        stores["b"].away = stores["c"].away = False
        until(lambda: any(one.lost for one in crew) or held() == 3)
        assert not any(one.lost for one in crew)


def test_what_can_not_be_recorded_is_tried_again_a_number_of_times(
    orders: Orders, seen: Seen, connection_id: int
) -> None:
    def unheard_of(order: Order, stop: Callable[[], bool]) -> Ending:
        return Ending(State.DONE, figures={"x": object()})  # pyright: ignore[reportArgumentType] - that is the point

    orders.place(Order("1", connection_id, "suppliers"))
    with working(Worker("w", "1", orders, unheard_of, NEEDS, seen, (), PACE)):
        until(lambda: state(orders, "1") is State.FAILED)
    assert len(seen.troubles) == ATTEMPTS_MAX
