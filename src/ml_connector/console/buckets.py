"""How often something may happen: buckets that drip, one for each source.

Rule: as many buckets as are allowed are remembered; the one that was unused longest is forgotten first.
Must not know: what happens, who the sources are.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

BUCKETS_MAX = 10_000


class Buckets:
    """Used from one thread only. Units: rate a second, `burst` at once after a rest."""

    def __init__(
        self, rate: float, burst: float, buckets_max: int = BUCKETS_MAX, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._max = buckets_max
        self._now = now
        self._filled: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # how full, when

    def wait_s(self, source: Hashable) -> float:
        """How long it has to wait for the next one; 0.0: not at all."""
        return max(0.0, (1.0 - self._level(source)) / self._rate)

    def take(self, source: Hashable) -> None:
        """It has happened once."""
        level = max(0.0, self._level(source) - 1.0)
        self._filled[source] = (level, self._now())
        self._filled.move_to_end(source)
        while len(self._filled) > self._max:
            self._filled.popitem(last=False)

    def __len__(self) -> int:
        return len(self._filled)

    def _level(self, source: Hashable) -> float:
        level, at = self._filled.get(source, (self._burst, 0.0))
        return min(self._burst, level + (self._now() - at) * self._rate)
