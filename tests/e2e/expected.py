"""What Airbase should hold, worked out from the world alone; shares no code with the connector's mapping."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ml_connector.sandbox import Sandbox

SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
DECIMALS = {"JPY": "1", "KWD": "0.001"}
STATUS = {"Closed": "closed", "Cancelled": "cancelled"}


def vendors(box: Sandbox, today: date) -> dict[str, dict[str, Any]]:
    """Vendors that must be in Airbase and active, by supplier id."""
    terms: dict[str, list[dict[str, Any]]] = {}
    for row in box.world.rows("IdentityInvoiceInfoSet"):
        if row["Company"] in SUBSIDIARIES and row["PartyType"] == "Supplier":
            terms.setdefault(row["Identity"], []).append(row)
    addresses: dict[str, dict[str, Any]] = {}
    for row in box.world.rows("SupplierInfoAddressSet"):
        addresses.setdefault(row["SupplierId"], row)
    result: dict[str, dict[str, Any]] = {}
    for row in box.world.rows("SupplierInfoGeneralSet"):
        key = row["SupplierId"]
        current = [t for t in terms.get(key, []) if t["ExpireDate"] is None or t["ExpireDate"] > today]
        if current:
            result[key] = _vendor(row, current, addresses.get(key))
    return result


def _vendor(row: dict[str, Any], current: list[dict[str, Any]], address: dict[str, Any] | None) -> dict[str, Any]:
    current.sort(key=lambda t: t["Company"])
    return {
        "name": row["Name"].strip(),
        "is_active": True,
        "subsidiaries": sorted({SUBSIDIARIES[t["Company"]] for t in current}),
        "currency": current[0]["DefCurrency"] or None,
        "address": _address(address or {}),
    }


def _address(row: dict[str, Any]) -> dict[str, str]:
    return {
        "street": ", ".join(part for part in (_text(row.get("Address1")), _text(row.get("Address2"))) if part),
        "city": _text(row.get("City")),
        "zip": _text(row.get("ZipCode")),
        "state": _text(row.get("State")),
        "country": _text(row.get("Country")),
    }


def _text(value: str | None) -> str:
    return (value or "").strip()


def orders(box: Sandbox, linked: set[str]) -> dict[str, dict[str, Any]]:
    """Orders that must be in Airbase and open, by order number; one that is there stays, even back in planning."""
    there = {row["po_number"] for row in box.airbase_rows("purchase_orders")}
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in box.world.rows("PurchaseOrderLineSet"):
        lines.setdefault(row["OrderNo"], []).append(row)
    return {
        row["OrderNo"]: _order(row, lines.get(row["OrderNo"], []))
        for row in box.world.rows("PurchaseOrderSet")
        if row["Company"] in SUBSIDIARIES
        and row["VendorNo"] in linked
        and row["Objstate"] not in ("Closed", "Cancelled")
        and (row["Objstate"] != "Planned" or row["OrderNo"] in there)
    }


def _order(row: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    made = [_line(line) for line in sorted(lines, key=lambda line: (line["LineNo"], line["ReleaseNo"]))]
    return {
        "vendor": row["VendorNo"],
        "subsidiary": SUBSIDIARIES[row["Company"]],
        "currency": row["CurrencyCode"],
        "status": "open",
        "buyer": _text(row["BuyerCode"]),
        "order_date": row["OrderDate"] and f"{row['OrderDate'].isoformat()}T00:00:00",
        "total": sum((line["amount"] for line in made if line["status"] != "cancelled"), Decimal(0)),
        "lines": made,
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    unit = Decimal(DECIMALS.get(line["CurrencyCode"], "0.01"))
    return {
        "reference": f"{line['LineNo']}-{line['ReleaseNo']}",
        "part_number": _text(line["PartNo"]),
        "description": _text(line["Description"]),
        "quantity": line["BuyQtyDue"],
        "unit": _text(line["BuyUnitMeas"]),
        "unit_price": line["BuyUnitPrice"],
        "amount": (line["BuyQtyDue"] * line["BuyUnitPrice"]).quantize(unit, ROUND_HALF_UP),
        "status": STATUS.get(line["Objstate"], "open"),
        "delivery_date": line["WantedDeliveryDate"] and f"{line['WantedDeliveryDate'].isoformat()}T00:00:00",
    }


def actual_vendors(box: Sandbox) -> dict[str, dict[str, Any]]:
    """Active vendors of Airbase by reference; fails on a double."""
    rows = [row for row in box.airbase_rows("vendors") if row["erp_reference_id"]]
    assert len({row["erp_reference_id"] for row in rows}) == len(rows), "a vendor is there twice"
    return {
        row["erp_reference_id"]: {
            "name": row["name"],
            "is_active": row["is_active"],
            "subsidiaries": sorted(one["erp_reference_id"] for one in row["subsidiary_reference_ids"]),
            "currency": row["currency"],
            "address": row["address"],
        }
        for row in rows
        if row["is_active"]
    }


def actual_orders(box: Sandbox) -> dict[str, dict[str, Any]]:
    """Open orders of Airbase by number; fails on a double."""
    rows = box.airbase_rows("purchase_orders")
    assert len({row["po_number"] for row in rows}) == len(rows), "an order is there twice"
    return {row["po_number"]: _actual_order(row) for row in rows if row["status"] == "open"}


def _actual_order(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "vendor": row["vendor"]["erp_reference_id"],
        "subsidiary": row["subsidiary"]["erp_reference_id"],
        "currency": row["currency"]["iso_code"],
        "status": row["status"],
        "buyer": row["buyer"],
        "order_date": row["order_date"],
        "total": Decimal(row["total_amount"]),
        "lines": [
            {
                "reference": line["erp_reference_id"],
                "part_number": line["part_number"],
                "description": line["description"],
                "quantity": Decimal(line["quantity"]),
                "unit": line["unit"],
                "unit_price": Decimal(line["unit_price"]),
                "amount": Decimal(line["amount"]),
                "status": line["status"],
                "delivery_date": line["delivery_date"],
            }
            for line in row["lines"]
        ],
    }


def assert_agree(box: Sandbox, today: date) -> None:
    """Both sandboxes agree, field by field."""
    assert _differences(vendors(box, today), actual_vendors(box)) == []
    linked = {row["erp_reference_id"] for row in box.airbase_rows("vendors")}
    assert _differences(orders(box, linked), actual_orders(box)) == []


def _differences(wanted: dict[str, Any], there: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The first few records that differ: key, wanted, there."""
    differ = [key for key in sorted(wanted.keys() | there.keys()) if wanted.get(key) != there.get(key)]
    return [(key, wanted.get(key), there.get(key)) for key in differ[:5]]
