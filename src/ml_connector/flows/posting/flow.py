"""What all posting flows have in common: everything but what they read.

Rule: no posting flow has a mapping of its own.
Must not know: connections.
"""

from ml_connector.flows.posting.admit import admit
from ml_connector.flows.posting.mapping import map_document, references, retire
from ml_connector.flows.posting.trace import resembles, trace
from ml_connector.records.spend import Document
from ml_connector.records.voucher import Voucher
from ml_connector.sync.flow import End, Flow, Setting, Shape
from ml_connector.sync.policy import Policy

VOUCHERS = End("ifs", "vouchers")
POSTED = ("posting", "documents")  # the setting that says which documents are posted
# How a document is booked, and what a clerk mistypes; how much, to whom and when is put right where it was said.
CODING = (
    "category",
    "description",
    "tags",
    "invoice_number",
    "po_number",
    "bank_account",
    "payable_account",
    *(f"lines.{name}" for name in ("account", "category", "description", "tags")),
)


def posting_flow(resource: str, title: str) -> Flow[Document, Voucher]:
    """The flow that posts the documents of a resource; it has the resource's name."""
    return Flow(
        name=resource,
        title=title,
        source=End("airbase", resource),
        target=VOUCHERS,
        source_kind=Document,
        target_kind=Voucher,
        map=map_document,
        retire=retire,
        references=references,
        needs=("suppliers",),
        policy=Policy(change_share_max=0.05, deactivate_share_max=0.05),
        shape=Shape.POST,
        trace=trace,
        admit=admit,
        resembles=resembles,
        dated=lambda document: document.dated_on,
        editable=CODING,
        setting=Setting(POSTED, (resource,), listed=True),
        heeds=(("mapping", "dimensions"), ("posting",)),
    )
