"""IFS as a place where vouchers go; implements `sync.ports.Target`.

Rule: a voucher is found again by the reference that it carries, wherever it is by then.
Must not know: flows, the store, Airbase.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ml_connector.records.voucher import Voucher
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Write
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.vouchers import compose
from ml_connector.systems.ifs.vouchers.amend import Amender
from ml_connector.systems.ifs.vouchers.external import ExternalCarrier
from ml_connector.systems.ifs.vouchers.file import Folder
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.lookup import Lookup, unpack
from ml_connector.systems.ifs.vouchers.manual import ManualCarrier
from ml_connector.systems.ifs.vouchers.parcels import Parcel
from ml_connector.systems.ifs.vouchers.sending import OpenOn, Sender
from ml_connector.systems.ifs.vouchers.standing import Posted, Standing, standing

FIND_MAX = 200
MANUAL_MAX = 60
PAGE = 500


class VoucherTarget:
    """The vouchers of one flow in one tenant."""

    def __init__(
        self,
        client: IfsClient,
        landing: Landing,
        flow: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        open_on: OpenOn = lambda _company, _day: True,
    ) -> None:
        self._landing = landing
        self._lookup = Lookup(client, landing)
        self._folder = Folder(landing, flow, now) if landing.kind == "file" else None
        carrier = self._folder or (
            ManualCarrier(client, landing)
            if landing.kind == "manual"
            else ExternalCarrier(client, landing, flow, self._where)
        )
        amender = None if self._folder else Amender(client, landing)
        self._sender = Sender(landing, self._look, carrier, amender, self._pending, open_on)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return MANUAL_MAX if self._landing.kind == "manual" else self._landing.vouchers_per_load

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is cheaper than `walk`."""
        return FIND_MAX

    def trim(self, record: Voucher) -> Voucher:
        """The voucher with only what this landing keeps."""
        return compose.trim(record, self._landing)

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Every document that has a voucher with a reference of ours, or is in a file.

        Raises: RemoteError, StoreError.
        """
        handed = self._handed()
        seen = self._lookup.everything()
        for keys in _pages([key for key in handed if key not in seen]):
            yield self.find(keys)
        for keys in _pages(list(seen)):
            posted = {key: [unpack(one) for one in seen[key]] for key in keys}
            yield self._found(keys, posted, handed)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The documents that have vouchers or are in a file, as they stand. Raises: RemoteError, StoreError."""
        return self._found(keys, self._lookup.posted(keys), self._handed())

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Bring up to `batch_max` documents to where they should stand; one result each.

        Raises: RemoteError, StoreError, only when it is certain that nothing was delivered.
        """
        return self._sender.send(writes)

    def _found(
        self,
        keys: Sequence[str],
        posted: Mapping[str, Sequence[Posted]],
        handed: Mapping[str, Mapping[str, str]],
    ) -> tuple[Found, ...]:
        found: list[Found] = []
        for key in keys:
            known = standing(key, posted.get(key, ())).found()
            file = _file(handed.get(key, {}), posted.get(key, ()))
            found += [Found(key, file, known[0].record if known else None, pending=True)] if file else known
        return tuple(found)

    def _look(self, keys: Sequence[str]) -> dict[str, Standing]:
        return {key: standing(key, posted) for key, posted in self._lookup.posted(keys).items()} if keys else {}

    def _handed(self) -> Mapping[str, Mapping[str, str]]:
        return self._folder.handed() if self._folder else {}

    def _pending(self, keys: Sequence[str]) -> dict[str, str]:
        """The file of each document that is in one and not yet in IFS."""
        handed = self._handed()
        mine = [key for key in keys if key in handed]
        posted = self._lookup.posted(mine) if mine else {}
        files = {key: _file(handed[key], posted.get(key, ())) for key in mine}
        return {key: file for key, file in files.items() if file}

    def _where(self, parcels: Sequence[Parcel]) -> dict[str, dict[str, str]]:
        """The target ids of what is there of parcels, by reference: still in the hold table, or further already."""
        wanted = {parcel.key: [posting.reference.text for posting in parcel.postings] for parcel in parcels}
        held = self._lookup.in_hold([text for group in wanted.values() for text in group])
        gone = [key for key, group in wanted.items() if not held.keys() >= set(group)]
        later = self._lookup.posted(gone) if gone else {}
        ids = held | {one.reference.text: one.target_id for group in later.values() for one in group}
        return {key: {text: ids[text] for text in group if text in ids} for key, group in wanted.items()}


def _file(handed: Mapping[str, str], posted: Sequence[Posted]) -> str:
    """The file in which a voucher of a document waits; "" when there is none."""
    there = {one.reference.text for one in posted}
    return next((file for reference, file in handed.items() if reference not in there), "")


def _pages(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), PAGE):
        yield list(keys[start : start + PAGE])
