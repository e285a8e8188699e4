"""An order ends as what happened: done, blocked, to be tried again, or a person's to mend."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import rig as rigs
from rig import NAME, Rig

from ml_connector import run as pipeline
from ml_connector import wiring
from ml_connector.errors import StoreError
from ml_connector.sandbox.faults import Fault
from ml_connector.settings import Gate
from ml_connector.store.leases import ATTEMPTS_MAX
from ml_connector.store.runs import Runs
from ml_connector.sync.orders import Ending, Extent, Order, State
from ml_connector.systems import http
from ml_connector.wiring.performing import BUSY_S, Performing, ending_of


@pytest.fixture
def joined(tmp_path: Path) -> Generator[Rig]:
    with rigs.rig(rigs.sqlite_url(tmp_path)) as made:
        yield made


@pytest.fixture
def performing(joined: Rig) -> Generator[Performing]:
    with closing(Performing(joined.store)) as made:
        yield made


def order(joined: Rig, flow: str = "suppliers", attempts: int = 1, extent: Extent | None = None) -> Order:
    connection_id = joined.store.connections.get(NAME).id
    return Order("o", connection_id, flow, extent or Extent(), attempts=attempts)


def never() -> bool:
    return False


def much_changes(joined: Rig, *, two_persons: bool = False) -> None:
    """Every supplier gets another name, and the gate lets no change pass."""
    changed = rigs.connection(joined.box, gate={"suppliers": Gate(0.0, 0.0, 0)}, two_persons=two_persons)
    wiring.connect(joined.store, NAME, changed, wiring.Secrets("", ""))
    for row in joined.box.world.rows("SupplierInfoGeneralSet"):
        key = {"SupplierId": row["SupplierId"]}
        joined.box.edit_ifs({"op": "update", "set": "SupplierInfoGeneralSet", "key": key, "values": {"Name": "X"}})


def test_done_it_tells_what_was_counted(joined: Rig, performing: Performing) -> None:
    ending = performing(order(joined), never)
    assert ending.state is State.DONE
    assert ending.figures["created"] == len(joined.box.airbase_rows("vendors"))
    assert ending.requests["ifs"] > 0
    assert ending.run_id
    again = performing(order(joined), never)
    assert set(again.figures) <= {"read", "unchanged", "not_due"}


def test_only_some_records(joined: Rig, performing: Performing) -> None:
    performing(order(joined), never)
    key = joined.box.airbase_rows("vendors")[0]["erp_reference_id"]
    ending = performing(order(joined, extent=Extent(keys=(key, "nobody"))), never)
    assert ending.figures == {"read": 2, "unchanged": 1, "not_due": 1}


def test_a_blocked_plan_waits_for_a_person(joined: Rig, performing: Performing) -> None:
    performing(order(joined), never)
    much_changes(joined)
    ending = performing(order(joined), never)
    assert ending.state is State.BLOCKED, "and the changed settings count at once"
    assert "would change" in ending.error


def test_who_ordered_is_not_who_approves(joined: Rig, performing: Performing) -> None:
    performing(order(joined), never)
    much_changes(joined, two_persons=True)
    ordered = msgspec.structs.replace(order(joined), person="kari")
    assert performing(ordered, never).state is State.BLOCKED
    with closing(wiring.Joined(joined.store, NAME, person="kari")) as kari:
        (run,) = Runs(joined.store.database, joined.store.vault, ordered.connection_id).recent(1)
        plan_id = (run.report or {})["plan_id"]
        kari.approve(plan_id)
    assert performing(ordered, never).state is State.BLOCKED
    with closing(wiring.Joined(joined.store, NAME, person="ola")) as ola:
        ola.approve(plan_id)
    assert performing(ordered, never).state is State.DONE


def test_out_of_reach_it_is_tried_again_and_then_a_person_looks(
    joined: Rig, performing: Performing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PATIENCE", http.Patience(attempts_max=1))
    joined.box.faults.add(Fault("reset_before"))
    endings = [performing(order(joined, attempts=n), never) for n in range(1, ATTEMPTS_MAX + 1)]
    assert [one.state for one in endings] == [State.QUEUED] * (ATTEMPTS_MAX - 1) + [State.FAILED]
    waits = [one.wait_s for one in endings[:-1]]
    assert waits == sorted(waits)
    assert all(one.counts and one.error for one in endings[:-1])


def test_when_the_store_was_away_it_is_tried_again_soon(joined: Rig) -> None:
    ending = ending_of(order(joined, attempts=ATTEMPTS_MAX - 1), StoreError("away"))
    assert (ending.state, ending.wait_s, ending.counts) == (State.QUEUED, BUSY_S, True)


def test_refused_it_is_not_tried_again(joined: Rig, performing: Performing) -> None:
    joined.box.airbase.options.token = "another"
    ending = performing(order(joined), never)
    assert ending.state is State.FAILED
    assert "Airbase" in ending.error


def test_busy_it_waits_its_turn(joined: Rig, performing: Performing) -> None:
    with wiring.joined(joined.store, NAME) as both:
        flow = both.chosen(["suppliers"])[0]
        with both.store(flow).turn():
            ending = performing(order(joined), never)
    assert (ending.state, ending.counts) == (State.QUEUED, False)


def test_asked_to_stop_it_hands_back_and_nothing_is_done_twice(tmp_path: Path) -> None:
    with (
        rigs.rig(rigs.sqlite_url(tmp_path), rigs.generous(suppliers=450)) as joined,
        closing(Performing(joined.store)) as performing,
    ):
        states = [stopped_after(joined, performing, calls) for calls in range(1, 12)]
        assert states[0] is State.QUEUED
        assert states[-1] is State.DONE
        names = [row["erp_reference_id"] for row in joined.box.airbase_rows("vendors")]
        assert len(names) == len(set(names)) > 300


def stopped_after(joined: Rig, performing: Performing, calls: int) -> State:
    """How an order ends that is asked to stop at its nth safe point."""
    asked = iter([False] * calls)
    ending = performing(order(joined), lambda: next(asked, True))
    assert not ending.counts
    return ending.state


def test_what_is_no_longer_there_is_said(joined: Rig, performing: Performing) -> None:
    off = performing(order(joined, "payments"), never)
    assert off.state is State.FAILED
    assert "what turns it on: " in off.error
    gone = performing(order(joined, "no_such_flow"), never)
    assert "there is no flow" in gone.error
    removed = performing(Order("o", 999, "suppliers"), never)
    assert "removed" in removed.error


def test_whatever_else_happens_is_an_ending(
    joined: Rig, performing: Performing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "run", broken)
    ending = performing(order(joined), never)
    assert ending == Ending(State.FAILED, error="ZeroDivisionError; the log of the worker says where")
