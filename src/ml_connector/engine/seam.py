"""What the engine needs from the world: orders, somebody who carries them out, and chores.

Rule: only ids, digests and counts cross here; whatever is behind can be replaced.
Must not know: who implements them.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import msgspec

from ml_connector.sync.orders import Ending, Order


class Orders(Protocol):
    """Orders and the leases under which they are carried out.

    Raises (all methods): StoreError.
    """

    def claim(
        self, worker: str, needs: Mapping[str, Collection[str]], held: Collection[str], *, last: bool
    ) -> Order | None:
        """Take the next order; what is the worker's and not among those held was never told to it, and is handed on."""
        ...

    def end(self, worker: str, order: Order, ending: Ending) -> bool:
        """Record what became of an order; False when it is no longer this worker's."""
        ...

    def join(self, worker: str, host: str, pid: int, version: str, threads: int, lease_s: float) -> None:
        """Take a lease."""
        ...

    def beat(self, worker: str, lease_s: float) -> bool:
        """Renew a lease; False when somebody has ended it."""
        ...

    def leave(self, worker: str) -> None:
        """Give a lease back, and whatever is still held under it."""
        ...


Perform = Callable[[Order, Callable[[], bool]], Ending]  # the second tells whether to stop at the next safe point


class Chore(msgspec.Struct, frozen=True):
    """Something that every worker does now and then; `act` says whether it did anything, and is then asked again."""

    name: str
    every_s: float
    act: Callable[[], bool | None]


class Watching(Protocol):
    """Who is told how a worker fares."""

    def began(self, order: Order) -> None:
        """An order was claimed."""
        ...

    def ended(self, order: Order, ending: Ending, *, kept: bool) -> None:
        """An attempt ended; `kept` False: another worker had taken the order over."""
        ...

    def troubled(self, what: str, error: Exception) -> None:
        """Something failed that is tried again."""
        ...

    def lost(self) -> None:
        """The lease is gone."""
        ...
