"""Which part of which system stands at each end of a flow.

Rule: an end is built from its name alone, so that a new flow over known resources needs nothing here.
Must not know: what flows do with their ends.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.errors import SettingsError
from ml_connector.flows.dimensions import labels
from ml_connector.flows.posting.periods import is_open
from ml_connector.flows.posting.rules import RuleBook
from ml_connector.flows.supplier_invoices import proposal_of
from ml_connector.records import keys
from ml_connector.records.ledger import Books
from ml_connector.records.supplier_invoice import InvoiceProposal
from ml_connector.settings import Connection
from ml_connector.store.db import Database
from ml_connector.store.link_source import LinkSource
from ml_connector.sync.flow import AnyFlow, End
from ml_connector.sync.ports import Source, Target
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.source import AirbaseSource
from ml_connector.systems.airbase.targets import target_of
from ml_connector.systems.airbase.vendor_terms import VendorTermsEnd
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.invoice_proposals import ProposalTarget
from ml_connector.systems.ifs.invoices import InvoiceTarget
from ml_connector.systems.ifs.masters import TermsEnd
from ml_connector.systems.ifs.source import IfsSource
from ml_connector.systems.ifs.suppliers import SupplierTarget
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.target import VoucherTarget
from ml_connector.systems.pair import PairSource, PairTarget
from ml_connector.systems.rekeyed import Rekeyed
from ml_connector.wiring.profile import Read

BOTH = "both"


class Ends:
    """The ends of one connection's flows."""

    def __init__(
        self,
        database: Database,
        connection_id: int,
        ifs: IfsClient,
        airbase: AirbaseClient,
        connection: Connection,
        read: Read,
        zone: ZoneInfo,
        books: Callable[[], Books],
    ) -> None:
        self._database = database
        self._connection_id = connection_id
        self._ifs = ifs
        self._airbase = airbase
        self._connection = connection
        self._read = read
        self._zone = zone
        self._books = books

    def of(self, flow: AnyFlow) -> tuple[Source, Target]:
        """Where a flow's records come from, and where they go. Raises: SettingsError."""
        if flow.source.system == BOTH:
            return self._terms()
        source = self.source(flow.source)
        return source, self._target(flow, source)

    def source(self, end: End) -> Source:
        """A resource that records are read from. Raises: SettingsError."""
        makers: dict[str, Callable[[str], Source]] = {
            "ifs": lambda resource: IfsSource(self._ifs, resource),
            "airbase": lambda resource: AirbaseSource(self._airbase, resource, self._zone),
            "links": lambda resource: LinkSource(self._database, self._connection_id, resource),
        }
        return _made(makers, end.system)(end.resource)

    def _target(self, flow: AnyFlow, source: Source) -> Target:
        makers: dict[str, Callable[[], Target]] = {
            "vouchers": lambda: self._vouchers(flow.name),
            "suppliers": lambda: SupplierTarget(self._ifs),
            "supplier_invoices": lambda: InvoiceTarget(self._ifs, release=self._connection.profile.invoices.release),
            "invoice_proposals": lambda: self._proposals(flow, source),
        }
        if flow.target.system == "ifs":
            return _made(makers, flow.target.resource)()
        target = target_of(self._airbase, flow.target.resource)
        return self._by_code_part(target) if flow.target.resource == "tags" else target

    def _proposals(self, flow: AnyFlow, bills: Source) -> ProposalTarget:
        """Supplier invoices, told what the bills say and which invoices stand for one."""
        subsidiaries = self._connection.profile.mapping.subsidiaries
        links = self.source(End("links", flow.name))

        def wanted(keys: Sequence[str]) -> dict[str, InvoiceProposal]:
            found = (sight for sights in bills.read(keys) for sight in sights if sight.record is not None)
            return {sight.key: proposal_of(sight.record, subsidiaries) for sight in found}

        def linked() -> dict[str, str]:
            return {sight.record.target_id: sight.key for page in links.read_all() for sight in page.sights}

        return ProposalTarget(self._ifs, wanted, linked)

    def _vouchers(self, flow: str) -> Target:
        landing, rules = self._read.landing or Landing(), self._read.rules
        if rules is None:
            return VoucherTarget(self._ifs, landing, flow)
        open_on = partial(_open_on, self._books, rules)
        return VoucherTarget(self._ifs, landing, flow, open_on=open_on)

    def _by_code_part(self, tags: Target) -> Target:
        """Tags under the keys of IFS: (code part, value) instead of (label, reference)."""
        label_of = labels(self._connection.profile.mapping.dimensions)
        part_of = {label: part for part, label in label_of.items()}
        return Rekeyed(tags, lambda key: _turned(key, label_of), lambda key: _turned(key, part_of))

    def _terms(self) -> tuple[Source, Target]:
        suppliers = self.source(End("ifs", "supplier_terms"))
        source = PairSource(suppliers, self.source(End("airbase", "vendor_terms")))
        return source, PairTarget(TermsEnd(self._ifs), VendorTermsEnd(self._airbase), source)


def _open_on(books: Callable[[], Books], rules: RuleBook, company: str, day: date) -> bool:
    return is_open(company, day, books(), rules)


def _turned(key: str, names: Mapping[str, str]) -> str:
    """A key with its first part under the other name; "" when it has none."""
    first, *rest = keys.split(key)
    return keys.join([names[first], *rest]) if first in names else ""


def _made(makers: dict[str, Any], name: str) -> Any:
    if name not in makers:
        raise SettingsError(f"no system has an end called {name!r}; there are: {', '.join(makers)}")
    return makers[name]
