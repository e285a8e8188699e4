"""Airbase as a place where records go.

Rule: vendors, orders, accounts and tags alike: our key stands in the record, and everything is found by it.
Must not know: flows, the store, IFS.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Result, Write
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.kinds import kind_of
from ml_connector.systems.airbase.lookup import Lookup
from ml_connector.systems.airbase.sending import Sender

SINGLES_MAX = 20  # without a bulk path: few enough that a crash leaves little to look up


class AirbaseTarget:
    """One resource of a tenant: "vendors", "purchase_orders", "accounts" or "tags"."""

    def __init__(self, client: AirbaseClient, resource: str) -> None:
        self._client = client
        self._kind = kind_of(client.profile, resource)
        self._lookup = Lookup(client, self._kind)
        self._sender = Sender(client, self._kind, self._lookup)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        resource = self._kind.resource
        return resource.bulk_max if resource.bulk_path else SINGLES_MAX

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is cheaper than `walk`."""
        return self._client.profile.find_max

    def trim(self, record: Any) -> Any:
        """The record with only the fields that this tenant takes; the rest None or neutral."""
        return self._kind.trim(record)

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Every record that carries a key of ours, trimmed.

        Raises: RemoteError.
        """
        return self._lookup.walk()

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The records that carry these keys, trimmed; a key may be found twice.

        Raises: RemoteError.
        """
        return self._lookup.find(keys)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Write up to `batch_max` records, all creates or all updates; one result each.

        Raises: RemoteError, only when it is certain that nothing was delivered.
        """
        return self._sender.send(writes)
