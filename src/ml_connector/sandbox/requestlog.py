"""What was asked of a site: a bounded list of requests, and counters that are not bounded.

One rule: a request counts as a write only when it took effect, whatever the client got to hear.
It must not know HTTP beyond these few words, nor any site.
"""

import re
import threading
from collections import Counter, deque

import msgspec

ENTRIES_MAX = 20_000
_KEY = re.compile(r"\(.*?\)(?=/|$)|(?<=/)(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/|$)")


class Entry(msgspec.Struct, frozen=True):
    """One request; status 0 means that the client got a reset instead of an answer."""

    method: str
    path: str
    query: str
    status: int
    write: bool
    faults: tuple[str, ...] = ()


class RequestLog:
    """The requests since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries: deque[Entry] = deque(maxlen=ENTRIES_MAX)
            self._counts: Counter[tuple[str, str, int]] = Counter()
            self._total = 0
            self._writes = 0

    def add(self, entry: Entry) -> None:
        """Record one request."""
        with self._lock:
            self._entries.append(entry)
            self._counts[entry.method, normalised(entry.path), entry.status] += 1
            self._total += 1
            self._writes += entry.write

    @property
    def total(self) -> int:
        """Count all requests."""
        return self._total

    @property
    def writes(self) -> int:
        """Count the requests that changed something; requests for tokens are none."""
        return self._writes

    def entries(self, method: str = "", path: str = "") -> list[Entry]:
        """List the latest requests, oldest first, with this method and with this text in the path."""
        with self._lock:
            rows = list(self._entries)
        return [row for row in rows if method in ("", row.method) and path in row.path]

    def counts(self) -> dict[tuple[str, str, int], int]:
        """Count requests by method, normalised path and status."""
        with self._lock:
            return dict(self._counts)


def normalised(path: str) -> str:
    """Replace the keys in a path, so that requests for different records count together."""
    return _KEY.sub(lambda found: "(*)" if found[0].startswith("(") else "*", path)
