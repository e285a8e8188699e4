"""Which sets and lists a connection needs, by the flows that it has.

Rule: `check` demands what is used, and nothing else.
Must not know: what is in them.
"""

from collections.abc import Collection

from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs import invoice_proposals, suppliers
from ml_connector.systems.ifs.vouchers.landing import Landing

MASTER = ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines", "companies", "sites")
VALUES = tuple(f"code_{part.lower()}" for part in CODE_PARTS)
BOOKS = ("companies", "accounts", *VALUES, "voucher_types", "user_groups", "periods")
LANDINGS = {
    "external": ("voucher_rows", "hold_vouchers", "hold_rows", "loads", "load_rows"),
    "manual": ("voucher_rows", "hold_vouchers", "hold_rows"),
    "file": ("voucher_rows", "hold_vouchers", "hold_rows"),
}
IFS = {
    "accounts": ("accounts",),
    "dimensions": VALUES,
    "payment_terms": ("supplier_terms", "payment_terms"),
    "invoice_status": ("supplier_invoices",),
    "supplier_invoices": ("supplier_invoices",),
}
AIRBASE = {
    "accounts": ("accounts",),
    "dimensions": ("tags",),
    "purchase_requests": ("purchase_requests",),
    "payments": ("payments",),
    "ledger_entries": ("ledger_entries",),
    "invoice_status": ("purchase_requests", "payments"),
    "supplier_invoices": ("bills",),
}
FURTHER = {
    "vendor_ids": ("suppliers", suppliers.KEY_PROPERTY),
    "supplier_invoices": ("supplier_invoices", invoice_proposals.KEY_PROPERTY),
}


def of_ifs(flows: Collection[str], landing: Landing | None) -> tuple[str, ...]:
    """The parts of the IFS profile in use."""
    posting = (*BOOKS, *LANDINGS[landing.kind]) if landing else ()
    return _each((*MASTER, "payment_terms", *posting), IFS, flows)


def further(flows: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Properties that are needed beside those of the profile."""
    return {part: (named,) for flow, (part, named) in FURTHER.items() if flow in flows}


def of_airbase(flows: Collection[str]) -> tuple[str, ...]:
    """The resources of the Airbase profile in use."""
    return _each(("vendors", "purchase_orders", "subsidiaries"), AIRBASE, flows)


def _each(first: tuple[str, ...], by_flow: dict[str, tuple[str, ...]], flows: Collection[str]) -> tuple[str, ...]:
    further = (part for flow, named in by_flow.items() if flow in flows for part in named)
    return tuple(dict.fromkeys((*first, *further)))
