"""Who may ask, and how often.

One rule: as in Django REST Framework, only requests that were let in count against the limit.
It must not know what is asked for.
"""

import hmac
import time
from collections import deque
from collections.abc import Callable

from ml_connector.sandbox.airbase import replies
from ml_connector.sandbox.airbase.options import AirbaseOptions
from ml_connector.sandbox.web import Request, Response

_SCHEMES = {"bearer": ("bearer",), "token": ("token",), "both": ("bearer", "token")}


class Gate:
    """Checks the key, then the rate; the caller holds the lock."""

    def __init__(self, options: AirbaseOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._granted: deque[float] = deque()

    def refusal(self, request: Request) -> Response | None:
        """Give the answer to a request that is not let in."""
        return self._unknown(request) or self._too_many()

    def rate_headers(self) -> dict[str, str]:
        """Say how many requests are left."""
        limit = self._options.rate_limit
        if not limit:
            return {}
        left = max(0, limit - len(self._granted))
        return {"X-Ratelimit-Limit": str(limit), "X-Ratelimit-Remaining": str(left)}

    def _unknown(self, request: Request) -> Response | None:
        schemes = _SCHEMES[self._options.auth]
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in schemes:
            return _unauthorised("Authentication credentials were not provided.", schemes[-1])
        if not hmac.compare_digest(key.strip().encode(), self._options.token.encode()):
            return _unauthorised("Invalid token.", schemes[-1])
        return None

    def _too_many(self) -> Response | None:
        limit, window_s = self._options.rate_limit, self._options.rate_window_s
        now = self._clock()
        while self._granted and self._granted[0] <= now - window_s:
            self._granted.popleft()
        if not limit or len(self._granted) < limit:
            self._granted += [now] if limit else []
            return None
        return self._throttled(self._granted[len(self._granted) - limit] + window_s - now)

    def _throttled(self, wait_s: float) -> Response:
        if not self._options.retry_after:
            return replies.detail(429, "Request was throttled.")
        wait = max(1, -int(-wait_s // 1))
        text = f"Request was throttled. Expected available in {wait} second{'s' if wait > 1 else ''}."
        return replies.detail(429, text, **{"Retry-After": str(wait)})


def _unauthorised(text: str, scheme: str) -> Response:
    return replies.detail(401, text, **{"WWW-Authenticate": scheme.capitalize()})
