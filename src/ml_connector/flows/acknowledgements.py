"""A ledger entry that is posted is told so: Airbase takes it off its queue.

Rule: it follows the links of the flow that posts the entries; what is posted for certain is told, nothing else.
Must not know: property or field names of either API.
"""

from ml_connector.flows.posting.flow import POSTED
from ml_connector.records.posted import LinkedTo
from ml_connector.records.spend_chart import Acknowledged
from ml_connector.sync.flow import Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.policy import Policy


def map_posted(linked: LinkedTo, context: Context) -> Mapped[Acknowledged] | Held:
    """What the entry should have been told: once told, it keeps the first voucher, as Airbase changes no reference."""
    if isinstance(context.agreed, Acknowledged):
        return Mapped(context.agreed)
    return Mapped(Acknowledged(linked.target_id), due=linked.active)


def retire(told: Acknowledged) -> Acknowledged:
    """What was told stays told."""
    return told


ACKNOWLEDGEMENTS = Flow(
    name="acknowledgements",
    title="Postings told to Airbase",
    source=End("links", "ledger_entries"),
    target=End("airbase", "acknowledgements"),
    source_kind=LinkedTo,
    target_kind=Acknowledged,
    map=map_posted,
    retire=retire,
    needs=("ledger_entries",),
    policy=Policy(change_share_max=1.0, deactivate_share_max=1.0),  # it says what is, of whatever many
    setting=Setting(POSTED, ("ledger_entries",), listed=True),
    heeds=(),
)
