"""A fixed window of requests.

Rule: rejected requests count too.
It must not know what the requests are.
"""

import math
import threading
import time


class Window:
    """Counts requests within a window of real time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_at = 0.0
        self._count = 0
        self.throttled = 0

    def admit(self, limit: int, window_s: float) -> int | None:
        """None when a request is within the limit, otherwise the seconds to wait."""
        with self._lock:
            now = time.monotonic()
            if now - self._started_at >= window_s:
                self._started_at, self._count = now, 0
            self._count += 1
            if self._count <= limit:
                return None
            self.throttled += 1
            return max(1, math.ceil(self._started_at + window_s - now))
