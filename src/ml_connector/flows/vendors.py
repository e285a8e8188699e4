"""Vendors made in Airbase become suppliers of IFS, or wait for somebody who makes them there.

Rule: a supplier is proposed once; from then on it is IFS's own.
Must not know: property or field names of either API.
"""

from ml_connector.records.supplier import NewSupplier
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped, Owner

CREATE = "create"


def map_vendor(vendor: NewSupplier, context: Context) -> Mapped[NewSupplier] | Held:
    """The supplier to propose; one that is made stays as it was proposed."""
    if isinstance(context.agreed, NewSupplier):
        return Mapped(context.agreed)
    return Mapped(vendor) if context.tables.new_vendors == CREATE else _without_supplier(vendor, context)


def retire(supplier: NewSupplier) -> NewSupplier:
    """The supplier stays: a vendor leaves this flow as soon as it carries its supplier's number."""
    return supplier


def _without_supplier(vendor: NewSupplier, context: Context) -> Held:
    likely = context.tables.likely.get(vendor.vendor_id)
    known = f" It may be {likely}." if likely else ""
    return Held(
        "vendor_without_supplier",
        f"Vendor {vendor.name or vendor.vendor_id} was made in Airbase; no supplier of IFS stands for it.{known}",
        "If IFS has the supplier, set its number as the vendor's ERP id in Airbase; if not, create it in IFS first. "
        'Or let the connector create such suppliers: new_vendors = "create" in the profile.',
        Owner.CLERK,
    )


VENDORS = Flow(
    name="vendors",
    title="New vendors to IFS suppliers",
    source=End("airbase", "new_vendors"),
    target=End("ifs", "suppliers"),
    source_kind=NewSupplier,
    target_kind=NewSupplier,
    map=map_vendor,
    retire=retire,
    setting=Setting(("new_vendors",), ("hold", "create")),
    heeds=(),
    likens=lambda tables: tables.new_vendors != CREATE,
)
