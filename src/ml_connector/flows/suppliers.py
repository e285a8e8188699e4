"""Suppliers of IFS become vendors of Airbase; IFS is master.

Rule: a supplier is a vendor in the subsidiaries of those companies that may buy from it today.
Must not know: property or field names of either API.
"""

import msgspec

from ml_connector.records.supplier import Address, Supplier, SupplierTerms, Vendor
from ml_connector.sync.flow import Context, End, Flow
from ml_connector.sync.outcome import Held, Mapped, Owner


def map_supplier(supplier: Supplier, context: Context) -> Mapped[Vendor] | Held:
    """The vendor that a supplier should be today."""
    current = [t for t in supplier.terms if t.expires_on is None or t.expires_on > context.today]
    leading = (current or list(supplier.terms) or [SupplierTerms("")])[0]
    problem = _no_subsidiary(supplier, context) or _no_payment_terms(leading, context)
    if problem:
        return msgspec.structs.replace(problem, idle=not current)
    vendor = Vendor(
        reference=supplier.supplier_id,
        name=supplier.name,
        active=bool(current),
        subsidiaries=tuple(sorted({context.tables.subsidiaries[t.company] for t in current or supplier.terms})),
        payment_terms=context.tables.payment_terms.get(leading.payment_term),
        currency=leading.currency or None,
        address=supplier.address or Address(),  # none in IFS: none in Airbase
    )
    expiries = [t.expires_on for t in current if t.expires_on]
    return Mapped(vendor, active=vendor.active, wake_on=min(expiries, default=None))


def retire(vendor: Vendor) -> Vendor:
    """The vendor once its supplier is gone from IFS."""
    return msgspec.structs.replace(vendor, active=False)


def _no_payment_terms(terms: SupplierTerms, context: Context) -> Held | None:
    table = context.tables.payment_terms
    if not table or not terms.payment_term or terms.payment_term in table:
        return None
    return Held(
        "payment_term_not_mapped",
        f"Payment term {terms.payment_term} of company {terms.company} has no counterpart in Airbase.",
        f'Add "{terms.payment_term}" to [mapping.payment_terms] of the connection, then run again.',
        Owner.CLERK,
        lacks=terms.payment_term,
    )


def _no_subsidiary(supplier: Supplier, context: Context) -> Held | None:
    company = next((t.company for t in supplier.terms if t.company not in context.tables.subsidiaries), None)
    if company is None:
        return None
    return Held(
        "company_not_mapped",
        f"Supplier {supplier.supplier_id} belongs to company {company}, which has no subsidiary in Airbase.",
        f"Map it: ml-connector connect … --subsidiary {company}=<Airbase reference>, then run again.",
        Owner.ADMINISTRATOR,
        lacks=company,
    )


SUPPLIERS = Flow(
    name="suppliers",
    title="Suppliers to Airbase vendors",
    source=End("ifs", "suppliers"),
    target=End("airbase", "vendors"),
    source_kind=Supplier,
    target_kind=Vendor,
    map=map_supplier,
    retire=retire,
    editable=("name",),  # where a cheque goes is put right in IFS alone
    heeds=(("mapping", "payment_terms"), ("payment_terms",)),
)
