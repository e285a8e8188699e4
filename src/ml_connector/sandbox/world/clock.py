"""The world's clock: real time moved by an offset, or stopped.

Rule: an instant is UTC and whole seconds, as the database's own.
It must not know who asks.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that tests may move."""

    def __init__(self) -> None:
        self.offset_s: float = 0
        self.frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The instant the world believes it is."""
        moment = self.frozen_at or datetime.now(UTC) + timedelta(seconds=self.offset_s)
        return moment.replace(microsecond=0)

    def advance(self, seconds: float) -> None:
        """Move on, or back when negative."""
        if self.frozen_at is None:
            self.offset_s += seconds
        else:
            self.frozen_at += timedelta(seconds=seconds)

    def move_to(self, moment: datetime) -> None:
        """Go to an instant; a stopped clock stays stopped."""
        if self.frozen_at is None:
            self.offset_s = (moment - datetime.now(UTC)).total_seconds()
        else:
            self.frozen_at = moment

    def freeze(self, stop: bool) -> None:
        """Stop at the present instant, or run on from where it stood."""
        if stop and self.frozen_at is None:
            self.frozen_at = self.now()
        elif not stop and self.frozen_at is not None:
            moment, self.frozen_at = self.frozen_at, None
            self.move_to(moment)
