"""How far an order is: told while it runs, and no more than once a second."""

from pathlib import Path

import pytest
from rig import NAME, generous, rig, sqlite_url

from ml_connector.errors import StoreError
from ml_connector.store.orders import Orders, Progress
from ml_connector.sync.orders import Cause, Ending, Order, State
from ml_connector.wiring import pacing
from ml_connector.wiring.pacing import Pacing
from ml_connector.wiring.performing import Performing


class Told(Orders):
    """Orders that remember what they were told instead of keeping it; `away`: the store is."""

    def __init__(self, away: bool = False) -> None:
        self.told: list[Progress] = []
        self.away = away

    def tell(self, order_id: str, progress: Progress) -> None:
        self.told.append(progress)
        if self.away:
            raise StoreError("away")


def test_it_is_told_once_a_second_at_most() -> None:
    now, orders = [0.0], Told()
    tell = Pacing(orders, "1", lambda: now[0])
    for tenth in range(35):
        now[0] = tenth / 10
        tell("read", tenth)
    assert orders.told == [Progress("read", 10), Progress("read", 20), Progress("read", 30)]


def test_a_store_that_is_away_stops_no_run() -> None:
    now, orders = [0.0], Told(away=True)
    tell = Pacing(orders, "1", lambda: now[0])
    now[0] = 5.0
    tell("read", 1)
    assert len(orders.told) == 1


def test_a_run_tells_its_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "EVERY_S", 0.0)
    stages: list[str] = []
    keep = Orders.tell

    def tell(self: Orders, order_id: str, progress: Progress) -> None:
        keep(self, order_id, progress)
        found = self.get(order_id)
        assert found is not None
        assert found.progress == progress
        stages.append(progress.stage)

    monkeypatch.setattr(Orders, "tell", tell)
    with rig(sqlite_url(tmp_path), generous(suppliers=5, orders=5)) as joined:
        orders, number = Orders(joined.store.database), joined.store.connections.get(NAME).id
        orders.join("w", "host", 1, "0", 1, 60.0)
        orders.place(Order("now/1", number, "suppliers", cause=Cause.PERSON))
        taken = orders.claim("w", {})
        assert taken is not None
        performing = Performing(joined.store)
        ending = performing(taken, lambda: False)
        performing.close()
        assert isinstance(ending, Ending)
        assert ending.state is State.DONE
    assert list(dict.fromkeys(stages)) == ["look", "read", "write"]
