"""Ends of a flow for looking ahead: a target known from the links alone, a source that is asked once for each record.

Rule: nothing is sent; what is linked is taken to be as it was last agreed.
Must not know: which flow, which systems.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.sync.detect import Page
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Sight, SightPage, Source, Store, Target, Write

FIND_MAX = 1_000_000


class Remembered:
    """A target as the links remember it; implements `sync.ports.Target`."""

    batch_max, find_max = 1, FIND_MAX

    def __init__(self, target: Target, store: Store, flow: str) -> None:
        self._target, self._store, self._flow = target, store, flow

    def trim(self, record: Any) -> Any:
        """The record with only the fields that this tenant takes."""
        return self._target.trim(record)

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """Not at all: only `find` tells."""
        return None

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """Those of these records that are linked."""
        links = self._store.links(self._flow, keys)
        return tuple(Found(key, link.target_id, link.agreed) for key, link in links.items() if link.agreed is not None)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Never."""
        raise NotImplementedError


class Once:
    """A source that keeps what it read in `seen`; implements `sync.ports.Source`."""

    def __init__(self, source: Source, seen: dict[str, Sight]) -> None:
        self._source, self._seen = source, seen

    @property
    def parts(self) -> tuple[str, ...]:
        """The sets that a record is made of."""
        return self._source.parts

    @property
    def heads(self) -> tuple[str, ...]:
        """The parts of which each record has rows in exactly one."""
        return self._source.heads

    @property
    def depth(self) -> int:
        """How many parts of a row's key are the key of its record."""
        return self._source.depth

    @property
    def keys_per_request(self) -> int:
        """How many records `read` asks for in one request."""
        return self._source.keys_per_request

    @property
    def rows_per_request(self) -> int:
        """How many rows a page holds."""
        return self._source.rows_per_request

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """Rows of a part. Raises: RemoteError."""
        return self._source.sweep(part, cursor)

    def read_all(self) -> Iterator[SightPage]:
        """Every record, kept as far as it is read. Raises: RemoteError."""
        for page in self._source.read_all():
            self._seen.update({sight.key: sight for sight in page.sights})
            yield page

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records, only those asked for that were not read before. Raises: RemoteError."""
        known = tuple(self._seen[key] for key in keys if key in self._seen)
        if known:
            yield known
        for sights in self._source.read([key for key in keys if key not in self._seen]):
            self._seen.update({sight.key: sight for sight in sights})
            yield sights
