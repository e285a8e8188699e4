"""A vendor that became a supplier is told the supplier's number.

Rule: it follows the links of the flow that made the suppliers.
Must not know: property or field names of either API.
"""

from ml_connector.records.posted import LinkedTo
from ml_connector.records.supplier import VendorId
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.policy import Policy


def map_vendor_id(linked: LinkedTo, _context: Context) -> Mapped[VendorId] | Held:
    """What the vendor should carry; nothing needs to be told of a supplier that is switched off."""
    return Mapped(VendorId(linked.target_id), due=linked.active)


def retire(told: VendorId) -> VendorId:
    """The number stays."""
    return told


VENDOR_IDS = Flow(
    name="vendor_ids",
    title="Supplier numbers to new vendors",
    source=End("links", "vendors"),
    target=End("airbase", "vendor_ids"),
    source_kind=LinkedTo,
    target_kind=VendorId,
    map=map_vendor_id,
    retire=retire,
    needs=("vendors",),
    policy=Policy(change_share_max=1.0, deactivate_share_max=1.0),
    setting=Setting(("new_vendors",), ("create",)),
    heeds=(),
)
