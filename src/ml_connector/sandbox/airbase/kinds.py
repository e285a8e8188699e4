"""The kinds of row that Airbase keeps: where each is served, what may be written, what a new one holds.

One rule: this is the only place that says what a kind is; names under `/v1/accounting/` were seen in recorded
traffic, the others are those of docs/reference/assumed.md.
It must not know how a row is stored or answered.
"""

from typing import Any

import msgspec

from ml_connector.sandbox.airbase import checks
from ml_connector.sandbox.airbase.checks import Check, Tables, Wrong

VENDOR_ASSUMED = ("payment_terms", "currency", "address", "tax_id", "bank_country")


class Kind(msgspec.Struct, frozen=True):
    """One kind of row."""

    name: str
    path: str  # with both slashes
    fields: dict[str, Check] = {}  # what a write may set
    fresh: dict[str, Any] = {}  # what a new row holds, in the order it is shown
    required: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST")  # of the list
    row_methods: tuple[str, ...] = ("GET", "PATCH")
    bulk: bool = True
    filters: tuple[str, ...] = ("erp_reference_id",)


def _lines(value: Any, tables: Tables) -> list[dict[str, Any]]:
    """Take all lines of a purchase order; DRF answers with one entry a line."""
    said: list[Any] = []
    lines: list[dict[str, Any]] = []
    for entry in checks.rows_of(value):
        line, errors = checked(_LINE_FIELDS, ("line_number",), checks.mapping(entry), tables)
        lines.append({**_FRESH_LINE, **line})
        said.append(errors)
    if any(said):
        raise Wrong(said)
    return lines


def checked(
    fields: dict[str, Check], required: tuple[str, ...], given: dict[str, Any], tables: Tables
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check the fields that are known and given; give what to store and what DRF would say."""
    values: dict[str, Any] = {}
    errors: dict[str, Any] = {name: ["This field is required."] for name in required if name not in given}
    for name, value in given.items():
        if name not in fields:
            continue  # as DRF does, without a word
        try:
            values[name] = fields[name](value, tables)
        except Wrong as wrong:
            errors[name] = wrong.said
    return values, errors


_text = checks.text()
_LINE_FIELDS: dict[str, Check] = {
    "line_number": checks.whole,
    "erp_reference_id": checks.or_null(_text),
    "description": checks.or_null(checks.text(2000)),
    "part_number": checks.or_null(_text),
    "quantity": checks.or_null(checks.decimal),
    "unit": checks.or_null(checks.text(50)),
    "unit_price": checks.or_null(checks.decimal),
    "amount": checks.or_null(checks.decimal),
    "delivery_date": checks.or_null(checks.day_or_instant),
    "status": checks.or_null(checks.text(50)),
}
_FRESH_LINE = dict.fromkeys(_LINE_FIELDS)
_NAMED: dict[str, Check] = {"name": checks.text(255, blank=False), "erp_reference_id": _text}

VENDORS = Kind(
    name="vendors",
    path="/v1/accounting/vendors/",
    fields={
        **_NAMED,
        "erp_parent_reference_id": checks.or_null(_text),
        "is_active": checks.boolean,
        "email": checks.or_null(checks.email),
        "subsidiary_reference_ids": checks.subsidiaries,
        "payment_terms": checks.or_null(_text),
        "currency": checks.or_null(checks.reference("currencies", "iso_code")),
        "address": checks.or_null(checks.texts("street", "city", "zip", "state", "country")),
    },
    fresh={
        "erp_reference_id": "",
        "erp_parent_reference_id": None,
        "name": "",
        "is_active": True,
        "email": None,
        "subsidiary_reference_ids": [],
        "payment_terms": None,
        "currency": None,
        "address": None,
        "tax_id": "",
        "bank_country": "",
    },
    required=("name",),
)
ACCOUNTS = Kind(
    name="accounts",
    path="/v1/accounting/accounts/",
    fields={
        **_NAMED,
        "type": _text,
        "category": _text,
        "account_number": _text,
        "erp_currency_reference_id": checks.or_null(checks.reference("currencies", "erp_reference_id")),
        "subsidiary_reference_ids": checks.subsidiaries,
        "is_active": checks.boolean,
    },
    fresh={
        "erp_reference_id": "",
        "name": "",
        "type": "",
        "category": "",
        "account_number": "",
        "erp_currency_reference_id": None,
        "subsidiary_reference_ids": [],
        "is_active": True,
    },
    required=("name",),
)
TAGS = Kind(
    name="tags",
    path="/v1/accounting/tags/",
    fields={
        **_NAMED,
        "type": _text,
        "type_label": _text,
        "subsidiary_reference_ids": checks.subsidiaries,
        "is_active": checks.boolean,
    },
    fresh={
        "erp_reference_id": "",
        "name": "",
        "type": "",
        "type_label": "",
        "subsidiary_reference_ids": [],
        "is_active": True,
    },
    required=("name",),
)
SUBSIDIARIES = Kind(
    name="subsidiaries",
    path="/v1/accounting/subsidiaries/",
    fields={
        **_NAMED,
        "erp_currency_reference_id": checks.reference("currencies", "erp_reference_id"),
        "iso_code": checks.text(2),
    },
    fresh={"erp_reference_id": "", "name": "", "erp_currency_reference_id": "", "iso_code": ""},
    required=("name",),
    bulk=False,
)
CURRENCIES = Kind(
    name="currencies",
    path="/v1/accounting/currencies/",
    fields={"erp_reference_id": _text, "iso_code": checks.text(3, blank=False), "name": _text},
    fresh={"erp_reference_id": "", "iso_code": "", "name": ""},
    required=("iso_code",),
    bulk=False,
)
LEDGER_ENTRIES = Kind(
    name="ledger_entries",
    path="/v1/accounting/ledger_entries/",
    fields={
        "status": _text,  # which words are known is an option of the tenant
        "error_message": checks.or_null(checks.text(2000)),
        "erp_reference_id": checks.or_null(_text),
        "erp_url": checks.or_null(checks.text(2000)),
    },
    methods=("GET",),
    bulk=False,
    filters=("erp_reference_id", "status"),
)
PURCHASE_ORDERS = Kind(
    name="purchase_orders",
    path="/v1/purchase_orders/",
    fields={
        "po_number": checks.text(100, blank=False),
        "erp_reference_id": _text,
        "status": checks.choice("open", "closed", "cancelled"),
        "vendor": checks.referred("vendors", "airbase_id", ("id", "airbase_id")),
        "subsidiary": checks.or_null(checks.referred("subsidiaries", "erp_reference_id", ("erp_reference_id", "name"))),
        "currency": checks.referred("currencies", "iso_code", ("iso_code",)),
        "total_amount": checks.or_null(checks.decimal),
        "order_date": checks.or_null(checks.instant),
        "buyer": checks.or_null(_text),
        "lines": _lines,
    },
    fresh={
        "po_number": "",
        "erp_reference_id": "",
        "status": "open",
        "vendor": None,
        "subsidiary": None,
        "currency": None,
        "total_amount": None,
        "order_date": None,
        "buyer": None,
        "lines": [],
    },
    required=("po_number", "vendor", "currency"),
    filters=("erp_reference_id", "po_number"),
)


def _read_only(name: str) -> Kind:
    return Kind(name=name, path=f"/v1/{name}/", methods=("GET",), row_methods=("GET",), bulk=False)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        CURRENCIES,
        SUBSIDIARIES,
        VENDORS,
        ACCOUNTS,
        TAGS,
        LEDGER_ENTRIES,
        PURCHASE_ORDERS,
        _read_only("purchase_requests"),
        _read_only("bills"),
        _read_only("payments"),
    )
}
