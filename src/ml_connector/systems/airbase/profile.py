"""The names that a tenant's Airbase API uses, as data that an operator can correct.

Rule: every path, parameter and field name that could differ between tenants stands here, with how sure we are of it.
Must not know: how requests are sent or records are built.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.systems.airbase import spend
from ml_connector.systems.airbase.resource import Resource

COUNT_MAX = 10_000


class Profile(msgspec.Struct, frozen=True):
    """All resources of a tenant, and how much to ask for at once."""

    vendors: Resource
    purchase_orders: Resource
    subsidiaries: Resource
    accounts: Resource
    tags: Resource
    purchase_requests: Resource = spend.PURCHASE_REQUESTS
    bills: Resource = spend.BILLS
    payments: Resource = spend.PAYMENTS
    ledger_entries: Resource = spend.LEDGER_ENTRIES
    page_size: int = 250
    find_max: int = 60


READ_ONLY = {"vendors": ("tax_id", "bank_country")}
RESOURCES = (
    "vendors",
    "purchase_orders",
    "subsidiaries",
    "accounts",
    "tags",
    "purchase_requests",
    "bills",
    "payments",
    "ledger_entries",
)
KEYS = {
    "vendors": ("reference",),
    "purchase_orders": ("number",),
    "subsidiaries": ("reference",),
    "accounts": ("reference",),
    "tags": ("label", "reference"),
}
_NEEDED = {
    "vendors": ("reference", "name"),
    "purchase_orders": ("number",),
    "subsidiaries": ("reference", "name"),
    "accounts": ("reference", "name"),
    "tags": ("label", "reference", "name"),
    "purchase_requests": ("status", "currency", "amount", "subsidiary"),
    "bills": ("status", "currency", "amount", "subsidiary"),
    "payments": ("status", "currency", "amount", "subsidiary"),
    "ledger_entries": ("type", "status", "currency", "amount", "subsidiary"),
}

# Source: docs/sources.md for what is seen, docs/reference/assumed.md for the rest.
DEFAULT = Profile(
    vendors=Resource(
        path="/v1/accounting/vendors/",
        bulk_path="/v1/accounting/vendors/bulk_upsert/",
        by_reference="erp_reference_id",
        fields={
            "reference": "erp_reference_id",
            "name": "name",
            "active": "is_active",
            "subsidiaries": "subsidiary_reference_ids",
            "payment_terms": "payment_terms",
            "currency": "currency",
            "address": "address",
            "tax_id": "tax_id",
            "bank_country": "bank_country",
        },
        confidence="seen",
        seen=frozenset({"reference", "name", "active", "subsidiaries"}),
    ),
    purchase_orders=Resource(
        path="/v1/purchase_orders/",
        bulk_path="/v1/purchase_orders/bulk_upsert/",
        by_reference="po_number",
        fields={
            "number": "po_number",
            "reference": "erp_reference_id",
            "vendor_id": "vendor",
            "subsidiary": "subsidiary",
            "currency": "currency",
            "total": "total_amount",
            "ordered_on": "order_date",
            "buyer": "buyer",
            "status": "status",
            "lines": "lines",
            "lines.number": "line_number",
            "lines.reference": "erp_reference_id",
            "lines.part_number": "part_number",
            "lines.description": "description",
            "lines.quantity": "quantity",
            "lines.unit": "unit",
            "lines.unit_price": "unit_price",
            "lines.amount": "amount",
            "lines.delivery_on": "delivery_date",
            "lines.status": "status",
        },
    ),
    subsidiaries=Resource(
        path="/v1/accounting/subsidiaries/",
        fields={"reference": "erp_reference_id", "name": "name"},
        confidence="seen",
        seen=frozenset({"reference", "name"}),
    ),
    accounts=Resource(
        path="/v1/accounting/accounts/",
        bulk_path="/v1/accounting/accounts/bulk_upsert/",
        by_reference="erp_reference_id",
        fields={
            "reference": "erp_reference_id",
            "number": "account_number",
            "name": "name",
            "active": "is_active",
            "subsidiaries": "subsidiary_reference_ids",
        },
        confidence="seen",
        seen=frozenset({"reference", "number", "name", "subsidiaries"}),
    ),
    tags=Resource(
        path="/v1/accounting/tags/",
        bulk_path="/v1/accounting/tags/bulk_upsert/",
        fields={
            "label": "type_label",
            "reference": "erp_reference_id",
            "name": "name",
            "active": "is_active",
            "subsidiaries": "subsidiary_reference_ids",
        },
        confidence="seen",
        seen=frozenset({"subsidiaries"}),
    ),
)


def load(overrides: Mapping[str, Any]) -> Profile:
    """The default profile with a tenant's corrections.

    Shape: as the profile's TOML table: `page_size`, and a table per resource with its `fields`.
    Raises: SettingsError naming the key that is unknown or whose value can't be used.
    """
    _known("", overrides, (*RESOURCES, "page_size", "find_max"))
    plain = {name: _count(name, value) for name, value in overrides.items() if name not in RESOURCES}
    merged = {name: _resource(name, _table(name, overrides.get(name, {}))) for name in RESOURCES}
    return msgspec.structs.replace(DEFAULT, **plain, **merged)


def _resource(name: str, given: Mapping[str, Any]) -> Resource:
    default = cast(Resource, getattr(DEFAULT, name))
    _known(f"{name}.", given, ("path", "bulk_path", "bulk_max", "by_reference", "fields"))
    fields = _table(f"{name}.fields", given.get("fields", {}))
    _known(f"{name}.fields.", fields, default.fields)
    merged = {**default.fields, **{key: _text(f"{name}.fields.{key}", value) for key, value in fields.items()}}
    for needed in _NEEDED[name]:
        if not merged[needed]:
            raise SettingsError(
                f'airbase.{name}.fields.{needed} may not be ""; without it nothing can be made of a record'
            )
    kept = frozenset(field for field in default.seen if merged[field] == default.fields[field])
    own = {key: _value(f"{name}.{key}", key, value) for key, value in given.items() if key != "fields"}
    return msgspec.structs.replace(default, **own, fields=merged, seen=kept)


def _value(label: str, key: str, value: Any) -> str | int:
    if key == "bulk_max":
        return _count(label, value)
    text = _text(label, value)
    if key.endswith("path") and not (text == "" and key == "bulk_path"):
        return _path(label, text)
    return text


def _path(label: str, text: str) -> str:
    if text.startswith("/") and text.endswith("/") and not set(text) & set("?# "):
        return text
    raise SettingsError(f'airbase.{label} is {text!r}; a path begins and ends with "/" and holds no query')


def _count(label: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= COUNT_MAX:
        raise SettingsError(f"airbase.{label} is {value!r}; it must be a whole number from 1 to {COUNT_MAX:,}")
    return value


def _text(label: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"airbase.{label} is {value!r}; it must be text")
    return value


def _table(label: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"airbase.{label} must be a table")
    return cast(Mapping[str, Any], value)


def _known(label: str, given: Iterable[str], known: Iterable[str]) -> None:
    names = list(known)
    for key in given:
        if key not in names:
            raise SettingsError(f"airbase.{label}{key} is not known; the nearest is {label}{_nearest(key, names)}")


def _nearest(key: str, names: list[str]) -> str:
    return difflib.get_close_matches(key, names, n=1, cutoff=0.0)[0]
