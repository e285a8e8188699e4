"""A target that passes everything on to another one, for those that change some of it on the way.

Rule: nothing is changed here.
Must not know: what is changed, or why.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Target, Write


class Through:
    """See `sync.ports.Target`, which it implements."""

    def __init__(self, target: Target) -> None:
        self.target = target

    @property
    def batch_max(self) -> int:
        """See `Target`."""
        return self.target.batch_max

    @property
    def find_max(self) -> int:
        """See `Target`."""
        return self.target.find_max

    def trim(self, record: Any) -> Any:
        """See `Target`."""
        return self.target.trim(record)

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """See `Target`."""
        return self.target.walk()

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """See `Target`."""
        return self.target.find(keys)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """See `Target`."""
        return self.target.send(writes)
