"""Which sets and lists a connection needs, by the ends of the flows that it has.

Rule: `check` demands what is used, and nothing else; a resource is of the parts that its system says.
Must not know: what is in them.
"""

from collections.abc import Collection, Iterable, Iterator

from ml_connector import flows
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.sync.flow import BOTH, End
from ml_connector.systems.airbase import invoice_references
from ml_connector.systems.ifs import invoice_proposals, suppliers
from ml_connector.systems.ifs.translate import RESOURCES
from ml_connector.systems.ifs.vouchers.landing import Landing

MASTER = ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines", "companies", "sites")
VALUES = tuple(f"code_{part.lower()}" for part in CODE_PARTS)
BOOKS = ("companies", "accounts", *VALUES, "voucher_types", "user_groups", "periods")
LANDINGS = {
    "external": ("voucher_rows", "hold_vouchers", "hold_rows", "loads", "load_rows"),
    "manual": ("voucher_rows", "hold_vouchers", "hold_rows"),
    "file": ("voucher_rows", "hold_vouchers", "hold_rows"),
}
# Of resources that are not what their parts are called; vouchers are of the landing's.
IFS = {
    **{name: resource.parts for name, resource in RESOURCES.items()},
    "payment_terms": ("supplier_terms", "payment_terms"),
    "invoice_proposals": ("supplier_invoices",),
    "vouchers": (),
}
AIRBASE = {
    "invoice_references": tuple(invoice_references.KINDS),
    "acknowledgements": ("ledger_entries",),
    **dict.fromkeys(("vendor_ids", "vendor_terms", "new_vendors", "payment_terms"), ("vendors",)),
}
PROPERTIES = {
    "vendor_ids": ("suppliers", suppliers.KEY_PROPERTY),
    "supplier_invoices": ("supplier_invoices", invoice_proposals.KEY_PROPERTY),
}


def of_ifs(names: Collection[str], landing: Landing | None) -> tuple[str, ...]:
    """The parts of the IFS profile in use."""
    posting = (*BOOKS, *LANDINGS[landing.kind]) if landing else ()
    found = (part for name in _resources(names, "ifs") for part in IFS.get(name, (name,)))
    return _once((*MASTER, "payment_terms", *posting), found)


def properties(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Properties that are needed beside those of the profile."""
    return {part: (named,) for flow, (part, named) in PROPERTIES.items() if flow in names}


def of_airbase(names: Collection[str]) -> tuple[str, ...]:
    """The resources of the Airbase profile in use."""
    found = (part for name in _resources(names, "airbase") for part in AIRBASE.get(name, (name,)))
    return _once(("vendors", "purchase_orders", "subsidiaries"), found)


def _resources(names: Collection[str], system: str) -> Iterator[str]:
    """What these flows have to do with in a system."""
    for flow in flows.FLOWS.values():
        ends: tuple[End, ...] = (flow.source, flow.target) if flow.name in names else ()
        yield from (end.resource for end in ends if end.system in (system, BOTH))


def _once(first: Iterable[str], found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *found)))
