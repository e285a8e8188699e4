"""What a timestamp on the wire means.

Rule: a time ending in `Z` is the server's local time, unless the client asked for time-zone awareness.
It must not know which properties hold timestamps.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Moments(NamedTuple):
    """How one request reads and shows timestamps."""

    zone: str  # "UTC" for a client that is time-zone aware

    def read(self, literal: datetime) -> datetime:
        """The instant that a timestamp of the client means."""
        if literal.utcoffset():  # an offset other than Z says what it says
            return literal.astimezone(UTC)
        return literal.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def show(self, moment: datetime) -> str:
        """An instant as the client gets to see it."""
        return _show(moment, self.zone)


@lru_cache(maxsize=65536)
def _show(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%SZ")
