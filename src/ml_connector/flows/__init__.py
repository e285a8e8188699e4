"""The flows, in the order they stand here.

Rule: one small file a flow; this list is the registry.
Must not know: how anything is read, stored or sent.
"""

from ml_connector.flows.accounts import ACCOUNTS
from ml_connector.flows.acknowledgements import ACKNOWLEDGEMENTS
from ml_connector.flows.dimensions import DIMENSIONS
from ml_connector.flows.invoice_status import INVOICE_STATUS
from ml_connector.flows.ledger_entries import LEDGER_ENTRIES
from ml_connector.flows.payment_terms import PAYMENT_TERMS
from ml_connector.flows.payments import PAYMENTS
from ml_connector.flows.posting.flow import VOUCHERS
from ml_connector.flows.purchase_orders import PURCHASE_ORDERS
from ml_connector.flows.purchase_requests import PURCHASE_REQUESTS
from ml_connector.flows.supplier_invoices import SUPPLIER_INVOICES
from ml_connector.flows.suppliers import SUPPLIERS
from ml_connector.flows.vendor_ids import VENDOR_IDS
from ml_connector.flows.vendors import VENDORS
from ml_connector.sync.flow import AnyFlow

_ALL: tuple[AnyFlow, ...] = (
    ACCOUNTS,
    DIMENSIONS,
    VENDORS,
    VENDOR_IDS,  # before suppliers, so that a supplier just made finds its vendor
    SUPPLIERS,
    PAYMENT_TERMS,
    PURCHASE_ORDERS,
    PURCHASE_REQUESTS,
    PAYMENTS,
    LEDGER_ENTRIES,
    ACKNOWLEDGEMENTS,
    SUPPLIER_INVOICES,  # before their status, so that an invoice just proposed is found
    INVOICE_STATUS,
)
FLOWS: dict[str, AnyFlow] = {flow.name: flow for flow in _ALL}
DOCUMENTS = tuple(flow.name for flow in _ALL if flow.target == VOUCHERS)  # that are posted by the rule book
