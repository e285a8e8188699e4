"""A target under other keys: what one side calls (code part, value) the other calls (label, reference).

Rule: each key has one counterpart or none; what has none is not ours.
Must not know: what the keys are made of.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Target, Write

Turn = Callable[[str], str]  # a key's counterpart; "" for none


class Rekeyed:
    """A target as seen by its source's keys; implements `sync.ports.Target`."""

    def __init__(self, target: Target, inward: Turn, outward: Turn) -> None:
        self._target = target
        self._inward = inward
        self._outward = outward

    @property
    def batch_max(self) -> int:
        """See `Target`."""
        return self._target.batch_max

    @property
    def find_max(self) -> int:
        """See `Target`."""
        return self._target.find_max

    def trim(self, record: Any) -> Any:
        """See `Target`."""
        return self._target.trim(record)

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """See `Target`."""
        pages = self._target.walk()
        return None if pages is None else map(self._founds, pages)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """See `Target`."""
        asked = [turned for turned in map(self._inward, keys) if turned]
        return self._founds(self._target.find(asked)) if asked else ()

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """See `Target`."""
        own = {self._inward(write.key): write.key for write in writes}
        sent = self._target.send([replace(write, key=self._inward(write.key)) for write in writes])
        return tuple(replace(result, key=own[result.key]) for result in sent)

    def _founds(self, page: Sequence[Found]) -> tuple[Found, ...]:
        turned = ((self._outward(found.key), found) for found in page)
        return tuple(replace(found, key=key) for key, found in turned if key)
