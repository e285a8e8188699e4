"""How far an order is, told to whoever looks at it.

Rule: told at most once a second, so that watching costs nothing; a run never fails because it could not be told.
Must not know: what a stage does, who looks.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from ml_connector.errors import StoreError
from ml_connector.store.orders import Orders, Progress

EVERY_S = 1.0


class Pacing:
    """Tells of one order. `clock`: seconds that only go forward."""

    def __init__(self, orders: Orders, order_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._orders, self._order_id, self._clock = orders, order_id, clock
        self._told_at = clock()

    def __call__(self, stage: str, done: int) -> None:
        """So many records are through this stage."""
        now = self._clock()
        if now - self._told_at < EVERY_S:
            return
        self._told_at = now
        with suppress(StoreError):
            self._orders.tell(self._order_id, Progress(stage, done))
