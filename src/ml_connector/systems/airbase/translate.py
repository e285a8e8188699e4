"""Vendors and orders to Airbase's JSON and back.

Rule: what is read back equals what was written, once both are trimmed; numbers travel as text, exactly.
Must not know: HTTP, or which records are ours.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec

from ml_connector.records import money
from ml_connector.records.purchase_order import SpendOrder, SpendOrderLine
from ml_connector.records.supplier import Address, Vendor
from ml_connector.systems.airbase.reading import Fields, Raw, as_object, as_text
from ml_connector.systems.airbase.resource import Resource

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

UNREADABLE = "unreadable"  # a status that no mapping yields, so that the record never counts as equal
_BLANK_ORDER = SpendOrder("", "", "", "", Decimal(0), None, "", "")
_BLANK_LINE = SpendOrderLine(0, "", "", "", Decimal(0), "", Decimal(0), Decimal(0), None, "")
_ORDER = frozenset(SpendOrder.__struct_fields__)
_LINE = frozenset(f"lines.{name}" for name in SpendOrderLine.__struct_fields__)


def vendor_body(vendor: Vendor, resource: Resource) -> dict[str, Any]:
    """The JSON of a vendor; a field that is None is left alone."""
    written = {
        "reference": vendor.reference,
        "name": vendor.name,
        "active": vendor.active,
        "subsidiaries": [{"erp_reference_id": reference} for reference in vendor.subsidiaries],
        "payment_terms": vendor.payment_terms,
        "currency": vendor.currency,
        "address": None if vendor.address is None else msgspec.structs.asdict(vendor.address),
    }
    return named(resource, "", {field: value for field, value in written.items() if value is not None})


def vendor(raw: Raw, resource: Resource) -> Vendor:
    """The vendor that Airbase shows.

    Raises: ValueError when a field is not of the promised kind.
    """
    fields = Fields(raw, resource)
    return Vendor(
        reference=fields.text("reference"),
        name=fields.text("name"),
        active=fields.flag("active"),
        subsidiaries=tuple(subsidiary(entry) for entry in fields.rows("subsidiaries")),
        payment_terms=fields.optional("payment_terms", as_text),
        currency=fields.optional("currency", as_text),
        address=fields.optional("address", _address),
    )


def unreadable_vendor(reference: str) -> Vendor:
    """What stands for a vendor whose fields can't be read: it equals no vendor that a mapping yields."""
    return Vendor(reference, "", active=True, subsidiaries=())


def trim_vendor(record: Vendor, resource: Resource) -> Vendor:
    """The vendor as this tenant would hold it: fields not sent are neutral, text without outer blanks.

    Source: Django REST Framework, which Airbase behaves like, stores text stripped.
    """
    sent = resource.named
    return Vendor(
        reference=record.reference,
        name=record.name.strip(),
        active=record.active if sent("active") else True,
        subsidiaries=tuple(sorted(set(record.subsidiaries))) if sent("subsidiaries") else (),
        payment_terms=_stripped(record.payment_terms) if sent("payment_terms") else None,
        currency=_stripped(record.currency) if sent("currency") else None,
        address=_stripped_address(record.address) if sent("address") else None,
    )


def order_body(order: SpendOrder, resource: Resource) -> dict[str, Any]:
    """The JSON of an order; its lines replace all lines that are there."""
    written = {
        "number": order.number,
        "reference": order.number,
        "vendor_id": {"airbase_id": order.vendor_id},
        "subsidiary": {"erp_reference_id": order.subsidiary} if order.subsidiary else None,
        "currency": {"iso_code": order.currency},
        "total": money.plain(order.total),
        "ordered_on": _date_text(order.ordered_on),
        "buyer": order.buyer,
        "status": order.status,
        "lines": [named(resource, "lines.", _line_fields(line)) for line in order.lines],
    }
    return named(resource, "", written)


def order(raw: Raw, resource: Resource) -> SpendOrder:
    """The order that Airbase shows.

    Raises: ValueError when a field is not of the promised kind.
    """
    fields = Fields(raw, resource)
    return SpendOrder(
        number=fields.text("number"),
        vendor_id=fields.inner("vendor_id", "airbase_id"),
        subsidiary=fields.inner("subsidiary", "erp_reference_id"),
        currency=fields.inner("currency", "iso_code"),
        total=fields.number("total"),
        ordered_on=fields.day("ordered_on"),
        buyer=fields.text("buyer"),
        status=fields.text("status"),
        lines=tuple(_line(Fields(entry, resource, "lines.")) for entry in fields.rows("lines")),
    )


def unreadable_order(number: str) -> SpendOrder:
    """What stands for an order whose fields can't be read: it equals no order that a mapping yields."""
    return msgspec.structs.replace(_BLANK_ORDER, number=number, status=UNREADABLE)


def trim_order(record: SpendOrder, resource: Resource) -> SpendOrder:
    """The order as this tenant would hold it: fields not sent are neutral, text without outer blanks, lines sorted."""
    kept = _kept(record, _BLANK_ORDER, _ORDER - resource.sent)
    unsent = [name.removeprefix("lines.") for name in _LINE - resource.sent]
    lines = sorted((_kept(line, _BLANK_LINE, unsent) for line in kept.lines), key=_place)
    return msgspec.structs.replace(kept, number=record.number, lines=tuple(lines))


def _place(line: SpendOrderLine) -> tuple[int, str]:
    return line.number, line.reference


def _kept(record: S, neutral: S, unsent: Iterable[str]) -> S:
    """The record with what is other in this tenant, which is mostly nothing."""
    texts = {name: text for name in record.__struct_fields__ if isinstance(text := getattr(record, name), str)}
    other = {name: kept for name, text in texts.items() if (kept := text.strip()) != text}
    other |= {name: getattr(neutral, name) for name in unsent}
    return msgspec.structs.replace(record, **other) if other else record


def _line_fields(line: SpendOrderLine) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(line),
        "quantity": money.plain(line.quantity),
        "unit_price": money.plain(line.unit_price),
        "amount": money.plain(line.amount),
        "delivery_on": _date_text(line.delivery_on),
    }


def _line(fields: Fields) -> SpendOrderLine:
    return SpendOrderLine(
        number=fields.whole("number"),
        reference=fields.text("reference"),
        part_number=fields.text("part_number"),
        description=fields.text("description"),
        quantity=fields.number("quantity"),
        unit=fields.text("unit"),
        unit_price=fields.number("unit_price"),
        amount=fields.number("amount"),
        delivery_on=fields.day("delivery_on"),
        status=fields.text("status"),
    )


def named(resource: Resource, prefix: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """What is written, under the names that the API uses; fields without a name are left out."""
    return {resource.named(prefix + field): value for field, value in written.items() if resource.named(prefix + field)}


def subsidiary(raw: Any) -> str:
    """The reference of a subsidiary. Raises: ValueError."""
    entry = as_object(raw)
    return as_text(entry.get("erp_reference_id") or entry.get("airbase_id"))


def _address(raw: Any) -> Address:
    entry = as_object(raw)
    return Address(**{name: as_text(entry.get(name) or "") for name in Address.__struct_fields__})


def _date_text(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()}T00:00:00"


def _stripped(value: T) -> T:
    return cast(T, value.strip()) if isinstance(value, str) else value


def _stripped_address(address: Address | None) -> Address | None:
    if address is None:
        return None
    return Address(**{name: part.strip() for name, part in msgspec.structs.asdict(address).items()})
