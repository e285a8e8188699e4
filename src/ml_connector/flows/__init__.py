"""The flows, in the order they stand here.

Rule: one small file a flow; this list is the registry.
Must not know: how anything is read, stored or sent.
"""

from ml_connector.flows.purchase_orders import PURCHASE_ORDERS
from ml_connector.flows.suppliers import SUPPLIERS
from ml_connector.sync.flow import AnyFlow

FLOWS: dict[str, AnyFlow] = {flow.name: flow for flow in (SUPPLIERS, PURCHASE_ORDERS)}
