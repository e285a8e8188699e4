"""A flow that is switched off: nothing runs it, it can be planned, and nothing else notices."""

from pathlib import Path

import msgspec
import pytest
from rig import NAME, USUAL, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.errors import SettingsError
from ml_connector.settings import Connection
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Cause, Order, State
from ml_connector.wiring import ticking, versions
from ml_connector.wiring.jobs import basis
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.switching import switch


def test_nothing_runs_a_flow_that_is_off_but_it_can_be_planned(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=5, orders=5)) as joined:
        assert switch(joined.store, NAME, "purchase_orders", on=False, person="kari").startswith(
            "purchase_orders is off"
        )
        on = {*USUAL} - {"purchase_orders"}
        assert set(joined.run()) == on
        with pytest.raises(SettingsError, match="switched off"):
            joined.run("purchase_orders")
        assert set(joined.plan()) == on
        assert joined.plan("purchase_orders")["purchase_orders"].read == 5
        at = ticking.place(joined.store, NAME)
        assert (at.flows, at.off) == (tuple(name for name in USUAL if name in on), ("purchase_orders",))
        switch(joined.store, NAME, "purchase_orders", on=True, person="kari")
        assert joined.run("purchase_orders")["purchase_orders"].created


def test_an_order_for_a_flow_that_is_off_by_now_says_so(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=2, orders=2)) as joined:
        number = joined.store.connections.get(NAME).id
        switch(joined.store, NAME, "suppliers", on=False, person="kari")
        performing = Performing(joined.store)
        ending = performing(Order("now/1", number, "suppliers", cause=Cause.PERSON), lambda: False)
        performing.close()
        assert ending.state is State.FAILED
        assert "switched off" in ending.error
        assert Orders(joined.store.database).open() == []


def test_what_comes_in_force_while_somebody_switches_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=1, orders=0)) as here:
        looking = versions.present

        def overtaken(opened: Opened, name: str) -> Connection:
            seen = looking(opened, name)
            monkeypatch.setattr(versions, "present", looking)
            two = msgspec.structs.replace(seen.profile, two_persons=True)
            versions.change(opened, name, two, person="ola")
            return seen

        monkeypatch.setattr(versions, "present", overtaken)
        with pytest.raises(SettingsError, match="came in force after you looked"):
            switch(here.store, NAME, "suppliers", on=False, person="kari")
        assert versions.present(here.store, NAME).profile.two_persons


def test_switching_another_flow_makes_no_record_be_looked_at_again(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=5, orders=5)) as joined:
        joined.run()
        switch(joined.store, NAME, "purchase_orders", on=False, person="kari")
        with wiring.joined(joined.store, NAME) as both:
            off = basis(both.settings)
        switch(joined.store, NAME, "purchase_orders", on=True, person="kari")
        with wiring.joined(joined.store, NAME) as both:
            assert basis(both.settings) == off
