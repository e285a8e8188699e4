"""How fast a system may be asked, shared by all who ask.

Rule: in no window of `window_s` seconds are more than `limit` requests let go; who has to wait has a slot already.
Must not know: what is asked, and where reservations are kept (the store keeps them for all processes).
"""

import time
from collections.abc import Callable
from typing import Protocol

MARGIN = 0.01  # of the limit is left unused: requests bunch up on their way, and the system counts when they arrive
BURST = 0.02  # of the limit may go at once after a pause


class Reservations(Protocol):
    """Slots in time, by name: GCRA, where `interval_s` is the spacing and `burst_s` how far ahead of it one may be."""

    def reserve(self, name: str, interval_s: float, burst_s: float) -> float:
        """Take the next slot. Units: seconds until it, 0 when it is now."""
        ...

    def defer(self, name: str, wait_s: float) -> None:
        """Give nobody a slot for the next `wait_s` seconds."""
        ...


class Limiter:
    """Lets requests to one system go at its pace."""

    def __init__(
        self,
        reservations: Reservations,
        name: str,
        limit: int = 1000,
        window_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reservations = reservations
        self._name = name
        self._interval_s, self._burst_s = pace(limit, window_s)
        self._sleep = sleep

    def wait(self) -> None:
        """Return when the next request may go."""
        wait_s = self._reservations.reserve(self._name, self._interval_s, self._burst_s)
        if wait_s > 0:
            self._sleep(wait_s)

    def defer(self, wait_s: float) -> None:
        """Hold everybody's next requests back for this long (the system asked for it)."""
        if wait_s > 0:
            self._reservations.defer(self._name, wait_s)


def pace(limit: int, window_s: float) -> tuple[float, float]:
    """The spacing and the burst that keep any window within the limit.

    Shape: (interval_s, burst_s). GCRA lets at most ceil((window + burst) / interval) requests go in a window, so the
    burst is taken out of the steady rate; the thousandth more makes up for rounding.
    """
    usable = max(1, int(limit * (1 - MARGIN)))
    burst = int(usable * BURST)
    interval_s = window_s * 1.001 / (usable - burst)
    return interval_s, burst * interval_s
