"""Slots become orders once, however many workers look, whatever the clocks do."""

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from rig import NAME, USUAL, open_store

from ml_connector import wiring
from ml_connector.engine.schedule import parse, slots
from ml_connector.settings import Airbase, Connection, Ifs, Mapping, Profile
from ml_connector.store.orders import Orders
from ml_connector.store.schedules import ALL, Schedules
from ml_connector.sync.orders import Cause, Ending, State
from ml_connector.wiring import unattended
from ml_connector.wiring.ticking import Ticking

OSLO = ZoneInfo("Europe/Oslo")
WORKER = "w"


class Town:
    """A store with a connection, a clock that is set by hand, and a worker that does everything at once."""

    def __init__(self, store: wiring.Opened) -> None:
        self.store = store
        self.now = datetime(2026, 10, 20, tzinfo=UTC)
        self.id = store.connections.get(NAME).id
        self.schedules = Schedules(store.database, store.vault, lambda: self.now)
        self.orders = Orders(store.database, lambda: self.now)
        self.orders.join(WORKER, "host", 1, "1", 1, 1e9)

    def schedule(self, flow: str, spec: str, *, census: bool = False, catch_up: bool = True) -> None:
        self.schedules.set(self.id, flow, spec, "anna", census=census, catch_up=catch_up)

    def tick(self) -> None:
        Ticking(self.store, lambda: self.now).act()

    def done(self) -> list[tuple[str, str]]:
        """Carry out what is ordered; flow and cause of each, in order."""
        told: list[tuple[str, str]] = []
        while order := self.orders.claim(WORKER, unattended.NEEDS):
            told.append((order.flow, str(order.cause)))
            self.orders.end(WORKER, order, Ending(State.DONE))
        return told


@pytest.fixture
def town(any_store: str) -> Generator[Town]:
    mapping = Mapping({"10": "SUB-10"})
    settings = Connection(
        Ifs("https://acme.ifs.cloud", "acme", "mlc", ("10",)),
        Airbase("https://api.airbase.io"),
        Profile(mapping=mapping, calendar_zone="Europe/Oslo"),
    )
    with closing(open_store(any_store)) as store:
        wiring.connect(store, NAME, settings, wiring.Secrets("secret", "token"))
        yield Town(store)


@pytest.mark.parametrize("night", [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)])
@pytest.mark.parametrize("spec", ["*/15 * * * *", "30 2 * * *"])
def test_through_the_night_in_which_clocks_change(town: Town, night: datetime, spec: str) -> None:
    town.now = night
    town.schedule("suppliers", spec)
    ran: list[datetime] = []
    while town.now < night + timedelta(hours=10):
        town.now += timedelta(seconds=200)
        town.tick()
        ran += [town.now for _ in town.done()]
    wanted = list(takewhile(lambda slot: slot <= town.now, slots(parse(spec), OSLO, night)))
    assert len(ran) == len(wanted)
    assert all(timedelta(0) <= at - slot <= timedelta(seconds=200) for at, slot in zip(ran, wanted, strict=True))


def test_many_look_and_one_orders(town: Town) -> None:
    town.schedule(ALL, "every 10s")
    tickings = [Ticking(town.store, lambda: town.now) for _ in range(4)]
    placed = 0
    for _ in range(15):
        town.now += timedelta(seconds=10)
        at_once([one.act for one in tickings])
        placed += len(town.done())
    assert placed == 15 * len(USUAL), "each of them once a slot"


def at_once(acts: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_downtime_is_made_up_for_once(town: Town) -> None:
    town.schedule("suppliers", "*/15 * * * *")
    town.now += timedelta(days=3, minutes=7)
    town.tick()
    town.tick()
    assert town.done() == [("suppliers", Cause.CATCH_UP)]
    town.now += timedelta(minutes=9)
    town.tick()
    assert town.done() == [("suppliers", Cause.SCHEDULE)]


def test_or_not_at_all_where_that_is_not_wanted(town: Town) -> None:
    town.schedule("suppliers", "0 2 * * *", catch_up=False)
    town.now += timedelta(days=3, hours=5)
    town.tick()
    assert town.done() == []
    town.now = datetime(2026, 10, 24, 0, 0, 5, tzinfo=UTC)
    town.tick()
    assert town.done() == [("suppliers", Cause.SCHEDULE)]


def test_slots_overlap_and_are_joined(town: Town) -> None:
    town.schedule("suppliers", "every 10s")
    for _ in range(5):  # nobody is at work
        town.now += timedelta(seconds=10)
        town.tick()
    running = town.orders.claim(WORKER, unattended.NEEDS)
    assert running is not None
    for _ in range(5):  # it takes its time
        town.now += timedelta(seconds=10)
        town.tick()
    assert town.orders.claim(WORKER, unattended.NEEDS) is None
    town.orders.end(WORKER, running, Ending(State.DONE))
    assert len(town.done()) == 1, "one more, whatever came meanwhile"


def test_a_connection_that_can_not_be_read_stops_only_itself(town: Town) -> None:
    broken = town.store.connections.save("broken", {"ifs": "of another version"}, {}).id
    for connection_id in (broken, town.id):
        town.schedules.set(connection_id, "suppliers", "every 10s", "anna", census=False, catch_up=True)
    town.now += timedelta(seconds=10)
    town.tick()
    assert town.done() == [("suppliers", Cause.SCHEDULE)]


def test_all_means_those_without_their_own(town: Town) -> None:
    town.schedule(ALL, "every 10s")
    town.schedule("suppliers", "every 1h")
    town.schedule(ALL, "every 1h", census=True)
    town.now += timedelta(seconds=10)
    town.tick()
    assert [flow for flow, _ in town.done()] == [flow for flow in USUAL if flow != "suppliers"]
    town.now += timedelta(hours=1)
    town.tick()
    recent = {(one.order.flow, one.order.extent.census) for one in town.orders.recent()}
    assert {("suppliers", True), ("purchase_orders", True), ("suppliers", False)} <= recent
    assert town.done()[0][0] == "suppliers", "needs first"


def test_paused_it_rests_and_makes_up_for_nothing(town: Town) -> None:
    town.schedule("suppliers", "every 10s")
    assert town.schedules.pause(town.id, "suppliers", "anna", census=False, paused=True)
    town.now += timedelta(hours=1)
    town.tick()
    assert town.done() == []
    town.schedules.pause(town.id, "suppliers", "anna", census=False, paused=False)
    town.tick()
    assert town.done() == []
    town.now += timedelta(seconds=10)
    town.tick()
    assert len(town.done()) == 1


def test_a_blackout_holds_back_and_is_made_up_for_once(town: Town) -> None:
    town.schedule(ALL, "*/15 * * * *")
    town.schedules.add_blackout(town.id, ALL, "2026-10-31T18:00/2026-11-02T06:00", "month-end close", "anna")
    town.now = datetime(2026, 10, 31, 17, tzinfo=UTC)
    while town.now < datetime(2026, 11, 2, 5, tzinfo=UTC):
        town.tick()
        assert town.done() == [] or town.now == datetime(2026, 10, 31, 17, tzinfo=UTC)
        town.now += timedelta(minutes=50)
    town.now = datetime(2026, 11, 2, 5, tzinfo=UTC)
    town.tick()
    assert town.done() == [(flow, Cause.CATCH_UP) for flow in USUAL]


def test_a_blackout_of_one_flow_lets_the_others_go(town: Town) -> None:
    town.schedule(ALL, "every 10s")
    town.schedules.add_blackout(town.id, "suppliers", "2026-10-20T00:00/2026-10-21T00:00", "", "anna")
    town.now += timedelta(seconds=10)
    town.tick()
    assert [flow for flow, _ in town.done()] == [flow for flow in USUAL if flow != "suppliers"]
    ticking = Ticking(town.store, lambda: town.now)
    assert ticking.held_until(town.id, "suppliers") == datetime(2026, 10, 20, 22, tzinfo=UTC)
    assert ticking.held_until(town.id, "purchase_orders") is None


def test_who_changed_a_schedule_is_in_the_journal(town: Town) -> None:
    town.schedule("suppliers", "every 10s")
    town.schedules.remove(town.id, "suppliers", "bert", census=False)
    entries = wiring.journal(town.store, NAME).timeline(None, "")
    told = [(one.facts["event"], one.facts["person"]) for one in entries if one.kind == "schedule"]
    assert told == [("scheduled", "anna"), ("unscheduled", "bert")]


def test_a_clock_that_was_far_ahead_does_not_silence_a_schedule(town: Town) -> None:
    town.now += timedelta(days=400)
    town.schedule("suppliers", "every 10s")
    town.now -= timedelta(days=400)
    town.tick()
    town.now += timedelta(seconds=10)
    town.tick()
    assert [flow for flow, _ in town.done()] == ["suppliers"]
