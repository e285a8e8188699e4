"""The lists that records are read from: where each is, which key a row has, what record it makes.

Rule: one row makes one record, or none when its key is "".
Must not know: how a list is read.
"""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.systems.airbase import chart, documents, invoice_references, vendors
from ml_connector.systems.airbase.client import id_of
from ml_connector.systems.airbase.kinds import kind_of
from ml_connector.systems.airbase.profile import Profile
from ml_connector.systems.airbase.reading import Raw
from ml_connector.systems.airbase.resource import Resource

SYNC_READY = "sync_ready"
SYNC_COMPLETE = "sync_complete"
QUEUE: tuple[Mapping[str, str], ...] = ({"status": SYNC_READY},)
BOTH: tuple[Mapping[str, str], ...] = (*QUEUE, {"status": SYNC_COMPLETE})
EVERYTHING: tuple[Mapping[str, str], ...] = ({},)

_DOCUMENTS = {
    "purchase_requests": "Request",
    "bills": "Bill",
    "payments": "Payment",
    "ledger_entries": "Ledger entry",
}
NAMES = (*_DOCUMENTS, "invoice_references", "vendor_terms", "new_vendors", "accounts", "tags")


class Listing(msgspec.Struct, frozen=True):
    """A list of one kind of row.

    `queries`: what is asked for to see what changed; `whole`: to see everything. `addressed`: the id in a key, of rows
    that can be read one by one. `kind`: the first part of its keys, where lists share one source.
    """

    part: str
    title: str
    resource: Resource
    key: Callable[[Raw], str]
    record: Callable[[Raw], Any]
    queries: tuple[Mapping[str, str], ...] = EVERYTHING
    whole: tuple[Mapping[str, str], ...] = EVERYTHING
    addressed: Callable[[str], str] | None = None
    kind: str = ""

    @property
    def complete(self) -> bool:
        """Whether what is asked for to see what changed is everything."""
        return self.queries == self.whole

    @property
    def depth(self) -> int:
        """How many parts a key has."""
        return invoice_references.DEPTH if self.kind else 1

    def named(self, raw: Raw) -> str:
        """The row as a person knows it."""
        given = [raw.get(self.resource.named(field)) for field in ("number", "name", "invoice_number")]
        known = next((text for text in given if isinstance(text, str) and text.strip()), id_of(raw))
        return f"{self.title} {known.strip()}"


def listings(profile: Profile, name: str, zone: ZoneInfo) -> tuple[Listing, ...]:
    """The lists of what is called so. Raises: SettingsError."""
    if name in _DOCUMENTS:
        return (_documents(profile, name, zone),)
    if name == "invoice_references":
        return tuple(_references(profile, part, kind, zone) for part, kind in invoice_references.KINDS.items())
    if name in ("vendor_terms", "new_vendors"):
        return (_vendors(profile, name),)
    if name in ("accounts", "tags"):
        return (_chart(profile, name),)
    raise SettingsError(f"Airbase has no resource {name!r} to read; there are: {', '.join(NAMES)}")


def _documents(profile: Profile, name: str, zone: ZoneInfo) -> Listing:
    resource, read = resource_of(profile, name), documents.READERS[name]
    queued = name == "ledger_entries"
    return Listing(
        name,
        _DOCUMENTS[name],
        resource,
        id_of,
        lambda raw: read(raw, resource, zone),
        QUEUE if queued else EVERYTHING,
        BOTH if queued else EVERYTHING,
        addressed=str,
    )


def _references(profile: Profile, part: str, kind: str, zone: ZoneInfo) -> Listing:
    resource = resource_of(profile, part)
    return Listing(
        part,
        _DOCUMENTS[part],
        resource,
        lambda raw: invoice_references.key(raw, resource, kind),
        lambda raw: invoice_references.reference(raw, resource, kind, zone),
        addressed=lambda key: keys.split(key)[1],
        kind=kind,
    )


def _vendors(profile: Profile, name: str) -> Listing:
    resource, kind = profile.vendors, kind_of(profile, "vendors")
    if name == "vendor_terms":
        return Listing(name, "Vendor", resource, lambda raw: kind.key(raw), lambda raw: vendors.terms(raw, resource))

    def key(raw: Raw) -> str:
        return "" if kind.key(raw) or not vendors.is_active(raw, resource) else id_of(raw)

    blank = ({resource.by_reference: ""},) if resource.by_reference else EVERYTHING
    record = vendors.new_supplier
    return Listing(name, "Vendor", resource, key, lambda raw: record(raw, resource), blank, blank)


def _chart(profile: Profile, name: str) -> Listing:
    if name == "accounts":
        accounts = profile.accounts
        return Listing(name, "Account", accounts, id_of, lambda raw: chart.spend_account(raw, accounts))
    tags = profile.tags
    return Listing(name, "Tag", tags, id_of, lambda raw: chart.spend_tag(raw, tags))


def resource_of(profile: Profile, name: str) -> Resource:
    """The resource of a name."""
    found: Resource = getattr(profile, name)
    return found
