"""Finding what carries our keys: by filtered look-ups where the tenant honours them, else by walking the list.

Rule: "not there" is believed only from a filter that was seen to find something, or from walks that agree.
Must not know: why the keys are asked for.
"""

from collections.abc import Iterator, Sequence

from ml_connector.errors import MalformedError
from ml_connector.sync.plan import Found
from ml_connector.systems.airbase.client import SYSTEM, AirbaseClient, Raw, id_of
from ml_connector.systems.airbase.kinds import Kind
from ml_connector.systems.airbase.resource import Resource

PASSES_MAX = 5


class Lookup:
    """The look-up of one kind in one tenant; it remembers whether the filter works."""

    def __init__(self, client: AirbaseClient, kind: Kind) -> None:
        self._client = client
        self._kind = kind
        self._honoured: bool | None = None
        self._sample = ""  # a key that is there, to try the filter on

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """All records with a key of ours, a page at a time, each once. Raises: RemoteError."""
        for rows in each_row(self._client, self._kind.resource):
            yield self._founds(rows)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The records with these keys.

        Raises: RemoteError.
        """
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return ()
        if len(wanted) <= self._client.profile.find_max and self.honoured():
            found = self._filtered(wanted)
            if found is not None:
                return found
        asked = set(wanted)
        return tuple(found for page in self.walk() for found in page if found.key in asked)

    def honoured(self) -> bool | None:
        """Whether the filter works; None when there is no record yet to try it on.

        Raises: RemoteError.
        """
        if not self._kind.resource.by_reference:
            return False
        if self._honoured is None:
            self._honoured = self._tried()
        return self._honoured

    def _tried(self) -> bool | None:
        if not self._sample:
            self._founds(self._client.page(self._kind.resource, {}))
        if not self._sample:
            return None
        rows = self._rows(self._sample)
        return bool(rows) and self._all_carry(rows, self._sample)

    def _filtered(self, wanted: list[str]) -> tuple[Found, ...] | None:
        """What the look-ups give; None when one of them was answered with other records."""
        found: list[Found] = []
        for key in wanted:
            rows = self._rows(key)
            if not self._all_carry(rows, key):
                self._honoured = False
                return None
            found.extend(self._founds(rows))
        return tuple(found)

    def _rows(self, key: str) -> list[Raw]:
        # one page is enough: of a key that is there twice, two are all that anybody needs to see
        rows = self._client.page(self._kind.resource, {self._kind.resource.by_reference: key})
        return list({id_of(row): row for row in rows}.values())

    def _all_carry(self, rows: list[Raw], key: str) -> bool:
        return all(self._kind.key(row) == key for row in rows)

    def _founds(self, rows: list[Raw]) -> tuple[Found, ...]:
        founds = tuple(found for found in map(self._kind.found, rows) if found is not None)
        if founds:
            self._sample = founds[-1].key
        return founds


def each_row(client: AirbaseClient, resource: Resource) -> Iterator[list[Raw]]:
    """All rows of a list, a page at a time, each once, whatever moves between pages meanwhile.

    A row that goes away pulls one from a later page to an earlier one, past the reader. So the list is read again until
    that brings nothing new, except when it is one page that is not full.
    Raises: RemoteError; MalformedError also when every pass brings something new.
    """
    seen: set[str] = set()
    for _ in range(PASSES_MAX):
        known, pages = len(seen), 0
        for rows in client.pages(resource):
            fresh = {id_of(row): row for row in rows if id_of(row) not in seen}
            seen.update(fresh)
            pages += 1
            if fresh:
                yield list(fresh.values())
        if len(seen) == known or (pages == 1 and len(seen) < client.profile.page_size):
            return
    raise MalformedError(SYSTEM, f"list {resource.called}", "the list keeps changing while it is read")
