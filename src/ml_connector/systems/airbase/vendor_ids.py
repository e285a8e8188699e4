"""The supplier's number set at a vendor that was made in Airbase.

Rule: only a vendor without a number is given one, and only a number that no other vendor has.
Must not know: suppliers, how one came to be.
"""

from collections.abc import Iterator, Sequence

from ml_connector.records.supplier import VendorId
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Refused, Result, Write
from ml_connector.systems.airbase.client import AirbaseClient, Raw, id_of
from ml_connector.systems.airbase.kinds import kind_of
from ml_connector.systems.airbase.lookup import Lookup, each_row
from ml_connector.systems.airbase.setting import Setting, each

BATCH_MAX = 20


class VendorIdTarget:
    """The vendors of a tenant by Airbase's own id; implements `sync.ports.Target` for `VendorId`."""

    def __init__(self, client: AirbaseClient) -> None:
        self._client = client
        self._kind = kind_of(client.profile, "vendors")
        self._lookup = Lookup(client, self._kind)
        self._setting = Setting(client, self._kind.resource, "vendor", _gone)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is asked for: it walks, as no vendor can be read by its id alone."""
        return self._client.profile.find_max

    def trim(self, record: VendorId) -> VendorId:
        """The record as it is: it has one field."""
        return record

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Every vendor. Raises: RemoteError."""
        for rows in each_row(self._client, self._kind.resource):
            yield tuple(self._found(row) for row in rows)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The vendors with these ids. Raises: RemoteError."""
        asked = set(keys)
        return tuple(found for page in self.walk() for found in page if found.key in asked) if asked else ()

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Give each vendor its number.

        Raises: RemoteError when nothing was delivered.
        """
        carriers = {one.key: one.target_id for one in self._lookup.find([write.after.reference for write in writes])}
        return each(writes, lambda write: self._one(write, carriers.get(write.after.reference, "")))

    def _found(self, row: Raw) -> Found:
        return Found(id_of(row), id_of(row), VendorId(self._kind.key(row)))

    def _one(self, write: Write, carrier: str) -> Result:
        if not write.target_id:
            return Refused(write.key, _gone(write.key))
        if carrier == write.target_id:
            return Done(write.key, write.target_id)
        if carrier:
            return Refused(write.key, _taken(write, carrier))
        if isinstance(write.before, VendorId) and write.before.reference:
            return Refused(write.key, _numbered(write, write.before.reference))
        field = self._kind.resource.named("reference")
        return self._setting.set(write.key, write.target_id, {field: write.after.reference})


def _gone(key: str) -> Held:
    return Held(
        "vendor_gone",
        f"Vendor {key}, for which a supplier was made, is no longer in Airbase.",
        "Bring the vendor back in Airbase, or switch the supplier off in IFS.",
        Owner.CLERK,
    )


def _taken(write: Write, carrier: str) -> Held:
    return Held(
        "reference_taken",
        f"Vendor {write.key} should be supplier {write.after.reference}, but vendor {carrier} already is.",
        "Keep one of the two vendors in Airbase, and give it the number.",
        Owner.CLERK,
    )


def _numbered(write: Write, there: str) -> Held:
    return Held(
        "vendor_has_reference",
        f"Vendor {write.key} should be supplier {write.after.reference}, but in Airbase it is supplier {there}.",
        "See which of the two suppliers is right, and switch the other one off in IFS.",
        Owner.CLERK,
    )
