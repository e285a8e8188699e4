"""Airbase as a source of records. It tells of no change, so a list is read and each row compared by its mark.

Rule: what a list has shown in this run is not asked for again.
Must not know: flows, the store.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from ml_connector.errors import MalformedError, NotFoundError
from ml_connector.records import keys as key_parts
from ml_connector.sync.detect import Page
from ml_connector.sync.ports import Sight, SightPage
from ml_connector.systems.airbase.client import SYSTEM, AirbaseClient, id_of, is_odd
from ml_connector.systems.airbase.listings import Listing, listings
from ml_connector.systems.airbase.seen import row_of, sight_of
from ml_connector.systems.airbase.spool import ROWS_MAX, Spool, canonical
from ml_connector.systems.airbase.walking import read_list

KEYS_PER_REQUEST = 5_000  # what a sweep has read costs no request
NO_IDS = ("", ".", "..")  # in a path they would lead elsewhere


class AirbaseSource:
    """Records of one kind of one tenant; implements `sync.ports.Source`.

    `zone`: where a time with an offset falls on a day. Made anew for each run.
    """

    def __init__(self, client: AirbaseClient, resource: str, zone: ZoneInfo, rows_max: int = ROWS_MAX) -> None:
        self._client = client
        self._lists = {one.part: one for one in listings(client.profile, resource, zone)}
        self._rows_max = rows_max
        self._spools: dict[str, Spool] = {}
        self._whole: set[str] = set()  # parts of which the spool has everything
        self._unread: set[str] = set()  # of these, the ones that only a sweep has given out yet
        self._believed: set[str] = set()  # parts of which absence is not looked into

    @property
    def parts(self) -> tuple[str, ...]:
        """The lists that a record may come from."""
        return tuple(self._lists)

    @property
    def heads(self) -> tuple[str, ...]:
        """All of them: each record has its row in exactly one."""
        return self.parts

    @property
    def depth(self) -> int:
        """How many parts a key has."""
        return next(iter(self._lists.values())).depth

    @property
    def keys_per_request(self) -> int:
        """How many records `read` asks for in one request: those that a sweep has read, in none at all."""
        return KEYS_PER_REQUEST

    @property
    def rows_per_request(self) -> int:
        """How many rows a page holds."""
        return self._client.profile.page_size

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """All rows of a list; of ledger entries those that wait to be posted. Raises: RemoteError."""
        del cursor
        listing = self._lists[part]
        spool = self._fill(listing, whole=listing.complete)
        self._unread.update({part} & self._whole)
        for keys, upto in self._stretches(sorted(spool)):
            yield Page(part, tuple(row_of(listing, key, spool.get(key)) for key in keys), upto, listing.complete)

    def read_all(self) -> Iterator[SightPage]:
        """Every record, in key order. Raises: RemoteError."""
        for part, listing in self._lists.items():
            if part not in self._unread:
                self._fill(listing, whole=True)
        self._unread.clear()
        for keys, upto in self._stretches(sorted(key for spool in self._spools.values() for key in spool)):
            yield SightPage(tuple(self._sight(key) for key in keys), upto)

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records, each exactly once, those that are not there included. Raises: RemoteError."""
        asked = list(dict.fromkeys(keys))
        self._prepare(asked)
        for start in range(0, len(asked), self.rows_per_request):
            yield tuple(self._sight(key) for key in asked[start : start + self.rows_per_request])

    def _prepare(self, asked: Sequence[str]) -> None:
        """Read the lists of which much is missing, or which can be read in no other way."""
        missing = Counter(self._listing(key).part for key in asked if not self._has(key))
        for part, count in missing.items():
            listing = self._lists[part]
            few = count <= self._client.profile.find_max
            if few and listing.addressed and not any(is_odd(listing.addressed(key)) for key in asked):
                continue
            if part not in self._whole:
                self._fill(listing, whole=True)
            self._believed.add(part)

    def _fill(self, listing: Listing, *, whole: bool) -> Spool:
        self._spools[listing.part] = spool = Spool(self._rows_max)
        self._whole.discard(listing.part)
        read_list(self._client, listing, listing.whole if whole else listing.queries, spool)
        self._whole.update({listing.part} if whole else ())
        return spool

    def _stretches(self, known: Sequence[str]) -> Iterator[tuple[Sequence[str], str | None]]:
        """The keys by the page, each with how far it reaches; the last one to the end."""
        size = self.rows_per_request
        for start in range(0, max(len(known), 1), size):
            keys = known[start : start + size]
            yield keys, keys[-1] if start + size < len(known) else None

    def _listing(self, key: str) -> Listing:
        kind = key_parts.split(key)[0]
        first = next(iter(self._lists.values()))
        return next((one for one in self._lists.values() if one.kind == kind), first)

    def _has(self, key: str) -> bool:
        spool = self._spools.get(self._listing(key).part)
        return spool is not None and key in spool

    def _sight(self, key: str) -> Sight:
        listing = self._listing(key)
        rows = self._spools[listing.part].get(key) if self._has(key) else ()
        if not rows and listing.addressed and listing.part not in self._believed:
            rows = self._row_of(listing, key, listing.addressed(key))
        return sight_of(listing, key, rows)

    def _row_of(self, listing: Listing, key: str, row_id: str) -> Sequence[bytes]:
        if row_id in NO_IDS:
            return ()
        try:
            row = self._client.get(listing.resource, row_id)
        except NotFoundError:
            return ()
        if id_of(row) != row_id:
            raise MalformedError(SYSTEM, f"read {listing.part}", "another record came than was asked for")
        return (canonical(row),) if listing.key(row) == key else ()
