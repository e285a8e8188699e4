"""A target under other keys: what one side calls (code part, value) the other calls (label, reference).

Rule: each key has one counterpart or none; what has none is not ours.
Must not know: what the keys are made of.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Target, Write
from ml_connector.systems.through import Through

Turn = Callable[[str], str]  # a key's counterpart; "" for none


class Rekeyed(Through):
    """A target as seen by its source's keys."""

    def __init__(self, target: Target, inward: Turn, outward: Turn) -> None:
        super().__init__(target)
        self._inward = inward
        self._outward = outward

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """See `Target`."""
        pages = self.target.walk()
        return None if pages is None else map(self._founds, pages)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """See `Target`."""
        asked = [turned for turned in map(self._inward, keys) if turned]
        return self._founds(self.target.find(asked)) if asked else ()

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """See `Target`."""
        own = {self._inward(write.key): write.key for write in writes}
        sent = self.target.send([replace(write, key=self._inward(write.key)) for write in writes])
        return tuple(replace(result, key=own[result.key]) for result in sent)

    def _founds(self, page: Sequence[Found]) -> tuple[Found, ...]:
        turned = ((self._outward(found.key), found) for found in page)
        return tuple(replace(found, key=key) for key, found in turned if key)
