"""Hooks, the inbox, and what events lead to, on both databases."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from ml_connector.errors import VaultError
from ml_connector.store import leading as leads
from ml_connector.store import schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.hooks import Hooks
from ml_connector.store.inbox import Event, Inbox, Kept, State
from ml_connector.store.journal import Journal
from ml_connector.store.leading import Leading
from ml_connector.store.orders import Orders
from ml_connector.store.schema_work import hooks, inbox, orders
from ml_connector.store.vault import Vault
from ml_connector.sync.orders import Cause, Ending, Extent, Order
from ml_connector.sync.orders import State as Standing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLOW = "purchase_requests"
CALM = settings(deadline=None)


def event(owner: int, number: int | str, key: str | None = None, **changed: Any) -> Event:
    told: dict[str, Any] = {"state": State.WAITING, "flow": FLOW, "verified": True, "at": NOW, "note": ""}
    told |= {"body": f"body {number}".encode()}
    told |= {"key": f"pr-{number}" if key is None else key, **changed}
    return Event(owner, "airbase", f"evt_{number}", "approved", "", **told)


@pytest.fixture
def kept(db: Database, vault: Vault) -> Inbox:
    return Inbox(db, vault, lambda: NOW)


@pytest.fixture
def leading(db: Database) -> Leading:
    return Leading(db)


@pytest.fixture
def worker(db: Database) -> Orders:
    made = Orders(db)
    made.join("w", "host", 1, "1", 1, 600)
    return made


def end(worker: Orders, state: Standing, error: str = "") -> Order:
    order = worker.claim("w", {})
    assert order
    assert worker.end("w", order, Ending(state, error=error))
    return order


def at_once(db: Database) -> None:
    """As if the time had come."""
    with db.write() as connection:
        connection.execute(update(inbox).values(not_before=0))


# Hooks


def test_a_hook_is_found_by_its_token_only(db: Database, vault: Vault, connection_id: int) -> None:
    made = Hooks(db, vault).set(connection_id, "airbase", "{}", "kari", "the secret")
    assert Hooks(db, vault).get(connection_id, "airbase") == made
    with db.read() as connection:
        row = connection.execute(select(hooks)).one()
        journalled = str(connection.execute(select(schema.journal.c.facts)).scalars().all())
    for hidden in (made.kept.token, "the secret"):
        assert hidden not in f"{row}{journalled}{made!r}"
    assert len(made.kept.token) >= 43
    assert list(Hooks(db, vault).live()) == [row.path_digest]


def test_a_seal_does_not_open_elsewhere(db: Database, vault: Vault, connection_id: int) -> None:
    other = Connections(db, vault).save("other", {}, {}).id
    for owner in (connection_id, other):
        Hooks(db, vault).set(owner, "airbase", "{}", "kari", "the secret")
    with db.write() as connection:
        moved = select(hooks.c.sealed).where(hooks.c.connection_id == connection_id).scalar_subquery()
        connection.execute(update(hooks).where(hooks.c.connection_id == other).values(sealed=moved))
    with pytest.raises(VaultError):
        Hooks(db, vault).get(other, "airbase")
    assert [one.connection_id for one in Hooks(db, vault).live().values()] == [connection_id]


def test_the_former_secret_ends(db: Database, vault: Vault, connection_id: int) -> None:
    made = Hooks(db, vault, lambda: NOW)
    first = made.set(connection_id, "airbase", "{}", "kari", "one")
    second = made.set(connection_id, "airbase", '{"a": 1}', "kari", "two", 3600)
    assert second.kept.token == first.kept.token
    assert second.kept.valid(NOW + timedelta(minutes=59)) == ("two", "one")
    assert second.kept.valid(NOW + timedelta(hours=1)) == ("two",)
    assert made.set(connection_id, "airbase", "{}", "kari").kept == second.kept, "another scheme keeps the secrets"
    assert made.set(connection_id, "airbase", "{}", "kari", "three").kept.valid(NOW) == ("three",)


def test_a_removed_hook_never_comes_back(db: Database, vault: Vault, connection_id: int) -> None:
    made = Hooks(db, vault)
    first = made.set(connection_id, "airbase", "{}", "kari", "one")
    assert made.remove(connection_id, "airbase", "kari")
    assert not made.remove(connection_id, "airbase", "kari")
    assert made.set(connection_id, "airbase", "{}", "kari", "one").kept.token != first.kept.token
    assert Journal(db, vault, connection_id).verify().sound


# The inbox


def test_what_comes_twice_is_one_row(kept: Inbox, connection_id: int) -> None:
    first = kept.receive([event(connection_id, n) for n in (1, 2, 1)])
    assert [one.is_new for one in first] == [True, True, False]
    again = kept.receive([event(connection_id, n) for n in (2, 3, 3, 2)])
    assert [one.is_new for one in again] == [False, True, False, False]
    assert again[0].number == first[1].number
    repeats = {one.event_id: one.repeats for one in kept.recent(connection_id, 10)}
    assert repeats == {"evt_1": 1, "evt_2": 2, "evt_3": 1}


def test_whose_event_it_is_counts(kept: Inbox, connection_id: int, db: Database, vault: Vault) -> None:
    other = Connections(db, vault).save("other", {}, {}).id
    receipts = kept.receive([event(connection_id, 1), event(other, 1)])
    assert [one.is_new for one in receipts] == [True, True]
    assert kept.body(connection_id, receipts[1].number) is None
    assert kept.body(other, receipts[1].number) == b"body 1"


def test_once_verified_it_stays_so(kept: Inbox, connection_id: int) -> None:
    for verified in (False, True, False):
        kept.receive([event(connection_id, 1, verified=verified)])
    assert [one.verified for one in kept.recent(connection_id, 10)] == [True]


def test_what_is_genuine_counts_instead_of_what_nobody_vouched_for(
    kept: Inbox, leading: Leading, connection_id: int, db: Database, vault: Vault
) -> None:
    forged = event(connection_id, 1, "pr-other", verified=False, state=State.STALE, body=b"forged")
    genuine = event(connection_id, 1, "pr-1")
    (number,) = {one.number for one in (*kept.receive([forged]), *kept.receive([genuine]))}
    for late in (forged, event(connection_id, 1, "pr-2")):  # neither the one nor the other changes it any more
        kept.receive([late])
    (found,) = kept.recent(connection_id, 10)
    assert (found.key, found.state, found.verified, found.repeats) == ("pr-1", State.WAITING, True, 3)
    assert kept.body(connection_id, number) == b"body 1"
    assert leading.place((connection_id, FLOW)) == 1
    kept.receive([event(connection_id, 2, "pr-other", verified=False), event(connection_id, 2)])
    assert kept.recent(connection_id, 1)[0].key == "pr-2"


def test_odd_text_is_kept(kept: Inbox, connection_id: int) -> None:
    odd = Event(connection_id, "airbase", "x", "a\0b", "\ud800", NOW, True, State.UNKNOWN, "", "", b"")
    assert kept.receive([odd])[0].is_new
    assert kept.receive([]) == []


@settings(CALM, max_examples=30)
@given(batches=st.lists(st.lists(st.integers(0, 8), max_size=8), max_size=5))
def test_any_batches_leave_each_event_once(both: list[Database], batches: list[list[int]]) -> None:
    for db in both:
        vault = Vault.open(db, bytes(range(32)), None)
        owner = Connections(db, vault).save(f"c{datetime.now(UTC).timestamp()}", {}, {}).id
        made = Inbox(db, vault)
        fresh = [one.is_new for batch in batches for one in made.receive([event(owner, n) for n in batch])]
        seen = Counter(n for batch in batches for n in batch)
        there = {one.event_id: one.repeats + 1 for one in made.recent(owner, 100)}
        assert there == {f"evt_{n}": times for n, times in seen.items()}
        assert sum(fresh) == len(seen)


def test_pages_follow_each_other(kept: Inbox, connection_id: int) -> None:
    kept.receive([event(connection_id, n) for n in range(5)])
    found: list[Kept] = []
    while page := kept.recent(connection_id, 2, found[-1].id if found else None):
        found += page
    assert [one.event_id for one in found] == ["evt_4", "evt_3", "evt_2", "evt_1", "evt_0"]


def test_how_they_stand(kept: Inbox, connection_id: int) -> None:
    assert kept.waiting_s(connection_id) == 0
    old = event(connection_id, 3, at=NOW - timedelta(seconds=90))
    kept.receive([event(connection_id, 1), event(connection_id, 2, state=State.UNKNOWN, flow=""), old])
    assert kept.counts(connection_id) == {State.WAITING: 2, State.UNKNOWN: 1}
    assert kept.waiting_s(connection_id) == 90


def test_old_ones_are_forgotten_unless_they_wait(kept: Inbox, connection_id: int) -> None:
    old = NOW - timedelta(days=91)
    kept.receive([event(connection_id, n, at=old, state=state) for n, state in enumerate(State)])
    kept.receive([event(connection_id, 99, state=State.DONE)])
    assert kept.clean(90) == len(State) - 2
    assert {one.state for one in kept.recent(connection_id, 100)} == {State.WAITING, State.PLACED, State.DONE}


# What they lead to


def test_one_order_for_all_that_wait(
    kept: Inbox, leading: Leading, worker: Orders, db: Database, connection_id: int
) -> None:
    kept.receive([event(connection_id, n, f"pr-{n % 2}") for n in range(4)])
    assert leading.groups() == [(connection_id, FLOW)]
    assert leading.place((connection_id, FLOW)) == 4
    (order,) = worker.open()
    assert (order.extent, order.cause, order.rank) == (Extent(keys=("pr-0", "pr-1")), Cause.WEBHOOK, 0)
    assert {one.order_id for one in kept.recent(connection_id, 10)} == {order.id}
    assert leading.groups() == []
    assert not leading.settle(), "it is not over"
    end(worker, Standing.DONE)
    assert leading.settle()
    finished = worker.get(order.id)
    assert finished
    assert {(one.state, one.done_at) for one in kept.recent(connection_id, 10)} == {(State.DONE, finished.finished_at)}
    assert not leading.settle()


def test_while_one_waits_the_next_ones_gather(
    kept: Inbox, leading: Leading, worker: Orders, connection_id: int
) -> None:
    group = (connection_id, FLOW)
    kept.receive([event(connection_id, 1)])
    assert leading.place(group) == 1
    kept.receive([event(connection_id, 2), event(connection_id, 3)])
    assert leading.place(group) == 0
    assert worker.claim("w", {})
    assert leading.place(group) == 2, "one runs, the next may wait"
    assert len(worker.open()) == 2


def test_an_event_without_a_record_looks_at_the_whole_flow(
    kept: Inbox, leading: Leading, worker: Orders, connection_id: int
) -> None:
    kept.receive([event(connection_id, 1, ""), event(connection_id, 2, ""), event(connection_id, 3)])
    assert leading.place((connection_id, FLOW)) == 3
    assert sorted(one.extent.keys for one in worker.open()) == [(), ("pr-3",)]
    for _ in range(2):
        end(worker, Standing.DONE)
    leading.settle()
    assert kept.counts(connection_id) == {State.DONE: 3}


def test_more_than_one_order_holds_are_taken_in_turn(
    kept: Inbox, leading: Leading, worker: Orders, connection_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leads, "EVENTS_MAX", 3)
    kept.receive([event(connection_id, n) for n in range(5)])
    taken: list[tuple[str, ...]] = []
    while leading.place((connection_id, FLOW)):
        taken.append(end(worker, Standing.DONE).extent.keys)
    assert taken == [("pr-0", "pr-1", "pr-2"), ("pr-3", "pr-4")]


def test_held_back_it_waits_for_the_time(kept: Inbox, leading: Leading, worker: Orders, connection_id: int) -> None:
    kept.receive([event(connection_id, 1)])
    leading.place((connection_id, FLOW), 3600)
    assert [one.waits for one in worker.open()] == [True]
    assert worker.claim("w", {}) is None


@pytest.mark.parametrize("how", ["failed", "cancelled", "gone"])
def test_an_order_that_came_to_nothing_is_placed_again(
    kept: Inbox, leading: Leading, worker: Orders, db: Database, connection_id: int, how: str
) -> None:
    group = (connection_id, FLOW)
    kept.receive([event(connection_id, 1)])
    placed: set[str] = set()
    for _ in range(leads.TRIES_MAX):
        assert leading.place(group) == 1
        placed.add(_come_to_nothing(worker, db, how))
        assert leading.settle()
        assert leading.groups() == [], "not at once"
        at_once(db)
    assert len(placed) == leads.TRIES_MAX
    (one,) = kept.recent(connection_id, 10)
    assert (one.state, one.tries) == (State.FAILED, leads.TRIES_MAX)
    assert {"failed": "no rights", "cancelled": "cancelled", "gone": "gone"}[how] in one.note
    assert kept.again(connection_id, one.id, "kari")
    assert leading.place(group) == 1
    assert _come_to_nothing(worker, db, how) not in placed


def _come_to_nothing(worker: Orders, db: Database, how: str) -> str:
    (order,) = worker.open()
    if how == "failed":
        return end(worker, Standing.FAILED, "no rights").id
    if how == "cancelled":
        assert worker.cancel(order.id, "anna")
    else:
        with db.write() as connection:
            connection.execute(orders.delete())
    return order.id


def test_it_waits_longer_each_time(
    kept: Inbox, leading: Leading, worker: Orders, db: Database, connection_id: int
) -> None:
    kept.receive([event(connection_id, 1)])
    waits: list[float] = []
    for _ in range(leads.TRIES_MAX - 1):
        leading.place((connection_id, FLOW))
        end(worker, Standing.FAILED)
        leading.settle()
        with db.read() as connection:
            waits.append(connection.execute(select(inbox.c.not_before)).scalar_one() - datetime.now(UTC).timestamp())
        at_once(db)
    assert [round(one / 30) for one in waits] == [1, 2, 4, 8, 16, 32, 64]


def test_a_blocked_plan_is_told(kept: Inbox, leading: Leading, worker: Orders, connection_id: int) -> None:
    kept.receive([event(connection_id, 1)])
    leading.place((connection_id, FLOW))
    end(worker, Standing.BLOCKED)
    leading.settle()
    (one,) = kept.recent(connection_id, 10)
    assert (one.state, "approval" in one.note) == (State.DONE, True)


def test_turned_off_and_processed_again(kept: Inbox, leading: Leading, connection_id: int) -> None:
    numbers = [one.number for one in kept.receive([event(connection_id, 1), event(connection_id, 2, flow="payments")])]
    unknown = kept.receive([event(connection_id, 3, state=State.UNKNOWN, flow="")])[0].number
    assert leading.turn_off((connection_id, FLOW), "it is off") == 1
    assert leading.groups() == [(connection_id, "payments")]
    assert kept.recent(connection_id, 10)[-1].note == "it is off"
    assert kept.again(connection_id, numbers[0], "kari")
    assert not kept.again(connection_id, numbers[1], "kari"), "it waits already"
    assert not kept.again(connection_id, unknown, "kari"), "no flow is for it"
    assert not kept.again(connection_id + 1, numbers[0], "kari"), "it is not theirs"
    assert leading.groups() == [(connection_id, "payments"), (connection_id, FLOW)]


def test_many_who_place_place_once(kept: Inbox, db: Database, worker: Orders, connection_id: int) -> None:
    kept.receive([event(connection_id, n) for n in range(50)])
    start, counts = threading.Barrier(6), list[int]()

    def place() -> None:
        start.wait()
        counts.append(Leading(db).place((connection_id, FLOW)))

    threads = [threading.Thread(target=place) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(counts) == [0, 0, 0, 0, 0, 50]
    assert len(worker.open()) == 1


# What a lost webhook missed


@pytest.fixture
def made(db: Database, connection_id: int) -> Callable[..., str]:
    """A run of a flow that made records with these keys."""

    def run(*keys: str, started_at: datetime = NOW, action: str = "create", state: str = "settled") -> str:
        stamped = schema.stamp(started_at)
        row = {"id": f"run-{stamped}-{action}-{state}", "connection_id": connection_id, "flow": FLOW, "kind": "run"}
        change = {"connection_id": connection_id, "flow": FLOW, "run_id": row["id"], "action": action, "list_no": 0}
        change |= {"state": state, "target_id": "t", "active": True, "attempts": 1, "changed_at": stamped}
        with db.write() as connection:
            connection.execute(insert(schema.runs), [row | {"state": "done", "process": "p", "started_at": stamped}])
            connection.execute(insert(schema.changes), [change | {"key": key} for key in keys])
        return str(row["id"])

    return run


def test_what_was_made_unannounced_is_counted(
    kept: Inbox, db: Database, vault: Vault, connection_id: int, made: Callable[..., str]
) -> None:
    run = made("pr-1", "pr-2", "pr-3", started_at=NOW + timedelta(hours=1))
    assert kept.unannounced(connection_id, FLOW, run) == 0, "there is no hook"
    Hooks(db, vault).set(connection_id, "airbase", "{}", "kari", "secret")
    assert kept.unannounced(connection_id, FLOW, run) == 0, "nothing of this flow was ever told"
    kept.receive([event(connection_id, 9, "pr-9", flow="payments")])
    assert kept.unannounced(connection_id, FLOW, run) == 0, "of another flow only"
    kept.receive([event(connection_id, 1)])
    assert kept.unannounced(connection_id, FLOW, run) == 2
    early = made("pr-5", started_at=NOW - timedelta(hours=1))
    assert kept.unannounced(connection_id, FLOW, early) == 0, "nothing was told before it began"
    later = NOW + timedelta(hours=2)
    assert kept.unannounced(connection_id, FLOW, made("pr-6", started_at=later, action="update")) == 0
    assert kept.unannounced(connection_id, FLOW, made("pr-6", started_at=later, state="refused")) == 0
    Hooks(db, vault).remove(connection_id, "airbase", "kari")
    assert kept.unannounced(connection_id, FLOW, run) == 0


def test_one_event_that_always_fails_takes_no_others_with_it() -> None:
    class Row(NamedTuple):
        tries: int

    sizes = [len(leads.together([Row(tries)] * 1000)) for tries in range(6)]
    assert sizes == [1000, 1000, 125, 15, 1, 1]
    mixed = [Row(2), Row(0), Row(2)]
    assert leads.together(mixed) == [Row(2), Row(2)]
