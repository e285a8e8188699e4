"""Slows down those who try tokens: so many wrong ones a minute from an address, then none is looked up for a while.

Rule: what was a good token lately is always looked up, as many come from one address; what is remembered is bounded.
Must not know: tokens in the clear.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

WRONG_MAX = 20
WINDOW_S = 60.0
REMEMBERED_MAX = 10_000


class Attempts:
    """Wrong tokens by address, and the digests of good ones. Units: now in seconds, from any start."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._guard = threading.Lock()
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()  # since when, how many
        self._good: OrderedDict[str, None] = OrderedDict()

    def wait_s(self, address: str, digest: str) -> float:
        """How long this address has to wait with this token; 0.0: not at all."""
        with self._guard:
            since, count = self._wrong.get(address, (0.0, 0))
            left = since + WINDOW_S - self._now()
            return left if count >= WRONG_MAX and left > 0 and digest not in self._good else 0.0

    def failed(self, address: str) -> None:
        """A token from this address was wrong."""
        with self._guard:
            since, count = self._wrong.pop(address, (self._now(), 0))
            fresh = self._now() - since < WINDOW_S
            self._wrong[address] = (since, count + 1) if fresh else (self._now(), 1)
            _bound(self._wrong)

    def succeeded(self, digest: str) -> None:
        """This token was good."""
        with self._guard:
            self._good[digest] = None
            self._good.move_to_end(digest)
            _bound(self._good)


def _bound(remembered: "OrderedDict[str, tuple[float, int]] | OrderedDict[str, None]") -> None:
    while len(remembered) > REMEMBERED_MAX:
        remembered.popitem(last=False)
