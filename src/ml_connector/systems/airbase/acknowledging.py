"""Ledger entries told that they are posted: Airbase takes them off its queue.

Rule: an entry is only ever told; none is made. Telling it twice tells it once.
Must not know: vouchers beyond their id.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.errors import NotFoundError
from ml_connector.records.spend_chart import Acknowledged
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Refused, Result, Write
from ml_connector.systems.airbase.client import AirbaseClient, Raw, id_of
from ml_connector.systems.airbase.listings import BOTH, SYNC_COMPLETE, Listing
from ml_connector.systems.airbase.setting import Setting, each
from ml_connector.systems.airbase.spool import Spool
from ml_connector.systems.airbase.walking import read_list

BATCH_MAX = 20  # few enough that a crash leaves little to look up


class AcknowledgementTarget:
    """The ledger entries of a tenant by their ids; implements `sync.ports.Target` for `Acknowledged`."""

    def __init__(self, client: AirbaseClient) -> None:
        self._client = client
        self._resource = client.profile.ledger_entries
        self._setting = Setting(client, self._resource, "ledger entry", _gone)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is cheaper than `walk`."""
        return self._client.profile.find_max

    def trim(self, record: Acknowledged) -> Acknowledged:
        """What an entry can show: where no reference is sent, only that it was told."""
        return record if self._resource.named("reference") or not record.voucher else Acknowledged(SYNC_COMPLETE)

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Every entry, told or not, each once. Raises: RemoteError."""
        spool, size = Spool(), self._client.profile.page_size
        entries = Listing("ledger_entries", "Ledger entry", self._resource, id_of, id_of)
        read_list(self._client, entries, BOTH, spool)
        known = sorted(spool)
        for start in range(0, len(known), size):
            rows = (msgspec.json.decode(spool.get(key)[0]) for key in known[start : start + size])
            yield tuple(self._found(row) for row in rows)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The entries with these ids. Raises: RemoteError."""
        rows = (self._row(key) for key in dict.fromkeys(keys))
        return tuple(self._found(row) for row in rows if row is not None)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Tell each entry that it is posted.

        Raises: RemoteError when nothing was delivered.
        """
        return each(writes, self._one)

    def _row(self, key: str) -> Raw | None:
        try:
            return self._client.get(self._resource, key)
        except NotFoundError:
            return None

    def _found(self, row: Raw) -> Found:
        told = row.get(self._resource.named("status")) == SYNC_COMPLETE
        name = self._resource.named("reference")
        voucher = row.get(name) if name else SYNC_COMPLETE
        return Found(id_of(row), id_of(row), Acknowledged(str(voucher or "") if told else ""))

    def _one(self, write: Write) -> Result:
        if not write.target_id:
            return Refused(write.key, _gone(write.key))
        reference = self._resource.named("reference")
        told = self._told(write.after.voucher)
        result = self._setting.set(write.key, write.target_id, told)
        if isinstance(result, Refused) and reference and self._tells_another(write):
            del told[reference]
            return self._setting.set(write.key, write.target_id, told)
        return result

    def _told(self, voucher: str) -> dict[str, Any]:
        named = self._resource.named
        told = {named("status"): SYNC_COMPLETE, named("error"): None, named("reference"): voucher}
        return {name: value for name, value in told.items() if name}

    def _tells_another(self, write: Write) -> bool:
        """Whether the entry names another voucher, which can't be changed: the one that this one corrects."""
        row: Mapping[str, Any] = self._row(write.target_id) or {}
        return row.get(self._resource.named("reference")) not in (None, "", write.after.voucher)


def _gone(key: str) -> Held:
    return Held(
        "entry_gone",
        f"Ledger entry {key} is posted, but no longer in Airbase, so that it can't be told.",
        "Look for it in Airbase. If it was removed there, reverse its voucher in IFS.",
        Owner.CONTROLLER,
    )
