"""Which part of which system stands at each end of a flow.

Rule: an end is built from its name alone, so that a new flow over known resources needs nothing here.
Must not know: what flows do with their ends.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.errors import SettingsError
from ml_connector.flows.posting.periods import is_open
from ml_connector.flows.posting.rules import RuleBook
from ml_connector.flows.supplier_invoices import proposal_of
from ml_connector.records.ledger import Books
from ml_connector.records.supplier_invoice import InvoiceProposal
from ml_connector.store.link_source import LinkSource
from ml_connector.sync.flow import BOTH, AnyFlow, End
from ml_connector.sync.ports import Source, Target
from ml_connector.systems.airbase.source import AirbaseSource
from ml_connector.systems.airbase.targets import target_of
from ml_connector.systems.airbase.vendor_terms import VendorTermsEnd
from ml_connector.systems.ifs.invoice_proposals import ProposalTarget
from ml_connector.systems.ifs.invoices import InvoiceTarget
from ml_connector.systems.ifs.masters import TermsEnd
from ml_connector.systems.ifs.source import IfsSource
from ml_connector.systems.ifs.suppliers import SupplierTarget
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.target import VoucherTarget
from ml_connector.systems.pair import PairSource, PairTarget
from ml_connector.systems.rekeyed import Rekeyed
from ml_connector.wiring import further
from ml_connector.wiring.tenants import Tenants


class Ends:
    """The ends of one connection's flows."""

    def __init__(self, tenants: Tenants, zone: ZoneInfo, books: Callable[[], Books]) -> None:
        self._tenants, self._zone, self._books = tenants, zone, books
        self._ifs, self._airbase, self._sides = tenants.ifs, tenants.airbase, tenants.sides
        self._own, self._read = tenants.settings, tenants.read

    def of(self, flow: AnyFlow) -> tuple[Source, Target]:
        """Where a flow's records come from, and where they go. Raises: SettingsError."""
        if flow.source.system == BOTH:
            return self._terms()
        source = self.source(flow.source)
        target = self._target(flow, source)
        if flow.keys is None:
            return source, target
        turned = flow.keys(self._read.tables(self._own))
        return source, Rekeyed(target, turned.inward, turned.outward)

    def source(self, end: End) -> Source:
        """A resource that records are read from. Raises: SettingsError."""
        makers: dict[str, Callable[[str], Source]] = {
            "ifs": lambda resource: IfsSource(self._ifs, resource),
            "airbase": lambda resource: AirbaseSource(self._airbase, resource, self._zone),
            "links": lambda resource: LinkSource(self._tenants.opened.database, self._tenants.stored.id, resource),
        }
        return makers[end.system](end.resource) if end.system in makers else further.source(self._sides, end)

    def _target(self, flow: AnyFlow, source: Source) -> Target:
        makers: dict[str, Callable[[], Target]] = {
            "vouchers": lambda: self._vouchers(flow.name),
            "suppliers": lambda: SupplierTarget(self._ifs),
            "supplier_invoices": lambda: InvoiceTarget(self._ifs, release=self._own.profile.invoices.release),
            "invoice_proposals": lambda: self._proposals(flow, source),
        }
        if flow.target.system == "ifs":
            return _made(makers, flow.target.resource)()
        if flow.target.system == "airbase":
            return target_of(self._airbase, flow.target.resource)
        return further.target(self._sides, flow.target)

    def _proposals(self, flow: AnyFlow, bills: Source) -> ProposalTarget:
        """Supplier invoices, told what the bills say and which invoices stand for one."""
        subsidiaries = self._own.profile.mapping.subsidiaries
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

    def _terms(self) -> tuple[Source, Target]:
        suppliers = self.source(End("ifs", "supplier_terms"))
        source = PairSource(suppliers, self.source(End("airbase", "vendor_terms")))
        return source, PairTarget(TermsEnd(self._ifs), VendorTermsEnd(self._airbase), source)


def _open_on(books: Callable[[], Books], rules: RuleBook, company: str, day: date) -> bool:
    return is_open(company, day, books(), rules)


def _made(makers: dict[str, Any], name: str) -> Any:
    if name not in makers:
        raise SettingsError(f"IFS has no {name!r} that records are sent to; there are: {', '.join(makers)}")
    return makers[name]
