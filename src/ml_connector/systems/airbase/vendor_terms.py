"""Payment terms of vendors: to be read, and to be set.

Rule: only the terms are set, of the one vendor that carries a supplier's number.
Must not know: which side is right, what the terms are called elsewhere.
"""

from collections.abc import Sequence

from ml_connector.records.supplier import Vendor
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Refused, Result
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.kinds import kind_of
from ml_connector.systems.airbase.lookup import Lookup
from ml_connector.systems.airbase.setting import Setting


class VendorTermsEnd:
    """The payment terms of one tenant's vendors, by the supplier's number that they carry."""

    def __init__(self, client: AirbaseClient) -> None:
        self._kind = kind_of(client.profile, "vendors")
        self._lookup = Lookup(client, self._kind)
        self._setting = Setting(client, self._kind.resource, "vendor", _gone)
        self._known: dict[str, tuple[str, ...]] = {}

    def read(self, keys: Sequence[str]) -> dict[str, str | None]:
        """The current terms of the vendors of these suppliers; a supplier without a vendor is left out.

        Raises: RemoteError.
        """
        found: dict[str, list[Found]] = {}
        for one in self._lookup.find(keys):
            found.setdefault(one.key, []).append(one)
        self._known |= {key: tuple(one.target_id for one in found.get(key, ())) for key in keys}
        return {key: _terms(ones[0].record) for key, ones in found.items()}

    def set(self, reference: str, terms: str) -> Result:
        """Set the payment terms of the vendor of a supplier.

        Raises: RemoteError when nothing was delivered.
        """
        field = self._kind.resource.named("payment_terms")
        if not field:
            return Refused(reference, _not_named())
        if reference not in self._known:
            self.read([reference])
        ids = self._known[reference]
        if len(ids) != 1:
            return Refused(reference, _doubled(reference, ids) if ids else _gone(reference))
        return self._setting.set(reference, ids[0], {field: terms})


def _terms(vendor: Vendor) -> str | None:
    return vendor.payment_terms


def _gone(reference: str) -> Held:
    return Held(
        "vendor_gone",
        f"No vendor in Airbase carries the number of supplier {reference} any more.",
        "Look for the vendor in Airbase (it may be archived), then run again.",
        Owner.CLERK,
    )


def _doubled(reference: str, ids: Sequence[str]) -> Held:
    return Held(
        "doubled_in_airbase",
        f"Supplier {reference} is in Airbase {len(ids)} times: {', '.join(ids[:5])}.",
        "Keep one of them and remove the reference from the others there, then run again.",
        Owner.CLERK,
    )


def _not_named() -> Held:
    return Held(
        "field_not_named",
        "The profile names no field for the payment terms of a vendor.",
        "Name it: [airbase.vendors.fields] payment_terms.",
    )
