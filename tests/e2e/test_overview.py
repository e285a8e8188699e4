"""What a first look reads, on both databases."""

from datetime import UTC, datetime

from rig import NAME, USUAL, generous, rig

from ml_connector.console.app import make_app
from ml_connector.console.views import flows, home, runs
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.limits import Reservations
from ml_connector.store.orders import Orders, Progress
from ml_connector.store.overview import held_back, latest, open_count
from ml_connector.store.schedules import ALL, Schedules
from ml_connector.sync.orders import Cause, Order
from ml_connector.systems.limits import Limiter


def test_a_connection_at_a_glance(any_store: str) -> None:
    with rig(any_store, generous(suppliers=10, orders=20)) as joined:
        store, number = joined.store, joined.store.connections.get(NAME).id
        joined.run()
        joined.run()
        Schedules(store.database, store.vault).set(number, ALL, "every 1h", "kari", census=False, catch_up=True)
        site = make_app(store, lambda: True, lambda: None).state.site
        view = home.overview_of(site, store.connections.get(NAME))
        assert view.ran
        assert view.scheduled
        assert view.next_at is not None
        assert [len(line.columns) for line in view.flows] == [2] * len(USUAL)
        counted = sum(one.count for one in Exceptions(store.database, number).counts())
        assert open_count(store.database, NAME, datetime.now(UTC)) == counted == view.need
        found = latest(store.database, store.vault, number, ["suppliers"], 1)
        assert [one.flow for one in found["suppliers"]] == ["suppliers"]
        assert len(flows.set_up(site, store.connections.get(NAME)).flows) > len(view.flows)


def test_a_system_that_asked_to_wait_is_told(any_store: str) -> None:
    with rig(any_store, generous(suppliers=1, orders=1)) as joined:
        store, number = joined.store, joined.store.connections.get(NAME).id
        Limiter(Reservations(store.database), f"ifs/{number}", 1000).defer(60.0)
        assert 50.0 < held_back(store.database, [f"ifs/{number}", f"airbase/{number}"])[f"ifs/{number}"] <= 60.0


def test_how_far_an_order_is(any_store: str) -> None:
    with rig(any_store, generous(suppliers=1, orders=1)) as joined:
        store, number = joined.store, joined.store.connections.get(NAME).id
        joined.run("suppliers")
        orders = Orders(store.database)
        orders.join("w", "host", 1, "0", 1, 60.0)
        orders.place(Order("now/1", number, "suppliers", cause=Cause.PERSON))
        assert orders.claim("w", {}) is not None
        orders.tell("now/1", Progress("write", 3))
        site = make_app(store, lambda: True, lambda: None).state.site
        view = runs.order(site, store.connections.get(NAME), "now/1")
        assert view is not None
        assert (view.stage, view.done, view.left_s is None) == ("writing to the target", 3, False)
