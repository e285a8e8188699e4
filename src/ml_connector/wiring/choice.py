"""Which flows a connection has, and in which order they run.

Rule: a flow that the profile does not turn on is not run, and asking for it says how to turn it on.
Must not know: what a flow does.
"""

from collections.abc import Collection, Iterable, Sequence

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.settings import Profile
from ml_connector.sync import flow as flow_order
from ml_connector.sync.flow import AnyFlow

ALWAYS = ("suppliers", "purchase_orders")
HOW = {
    "accounts": 'writable = ["accounts"]',
    "dimensions": 'writable = ["tags"]',
    "payment_terms": "[payment_terms] both_ways = true",
    "invoice_status": "[invoices] status = true",
    "supplier_invoices": '[invoices] entered_in = "airbase"',
    "vendors": 'new_vendors = "hold"',
    "vendor_ids": 'new_vendors = "create"',
    "acknowledgements": '[posting] documents = ["ledger_entries"]',
}


def known(names: Iterable[str]) -> None:
    """Make sure that there are such flows. Raises: SettingsError."""
    for name in names:
        if name not in flows.FLOWS:
            raise SettingsError(f"there is no flow {name!r}; there are: {', '.join(flows.FLOWS)}")


def on(profile: Profile, documents: Sequence[str]) -> set[str]:
    """The flows that a profile turns on; `documents`: those that are posted."""
    vendors = profile.new_vendors or ("hold" if profile.posting else "off")
    optional = {
        "accounts": "accounts" in profile.writable,
        "dimensions": "tags" in profile.writable,
        "payment_terms": profile.payment_terms.both_ways,
        "invoice_status": profile.invoices.status,
        "supplier_invoices": profile.invoices.entered_in == "airbase",
        "vendors": vendors != "off",
        "vendor_ids": vendors == "create",
        "acknowledgements": "ledger_entries" in documents,
    }
    return {*ALWAYS, *documents, *(name for name, wanted in optional.items() if wanted)}


def chosen(names: Sequence[str], turned_on: set[str], switched: Collection[str] = ()) -> list[AnyFlow]:
    """The named flows, or all that are on, in the order that they need; `switched`: those switched off by hand.

    Raises: SettingsError.
    """
    known(names)
    for name in names:
        if name not in turned_on:
            raise SettingsError(off(name, switched))
    return [flow for flow in flow_order.in_order(flows.FLOWS, list(names)) if flow.name in turned_on]


def off(name: str, switched: Collection[str] = ()) -> str:
    """That a flow is off, and how to turn it on."""
    if name in switched:
        return f"{name} is switched off in this connection; switch it on: ml-connector flow NAME {name} on"
    how = HOW.get(name, f'[posting] documents = ["{name}"]')
    return f"{name} is off in this connection; its profile turns it on with: {how}"
