"""Purchase orders: as IFS keeps them, and as Airbase should have them.

Rule: quantities, prices and amounts are exact decimals; a line belongs to exactly one order.
Must not know: property or field names of either API.
"""

from datetime import date
from decimal import Decimal

import msgspec


class OrderLine(msgspec.Struct, frozen=True):
    """One line and release of a purchase order."""

    line_no: str
    release_no: str
    part_no: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    currency: str
    wanted_on: date | None
    state: str


class PurchaseOrder(msgspec.Struct, frozen=True):
    """An order with its lines, ordered by line and release number."""

    order_no: str
    supplier_id: str
    company: str
    site: str
    currency: str
    buyer: str
    ordered_on: date | None
    state: str
    lines: tuple[OrderLine, ...] = ()


class SpendOrderLine(msgspec.Struct, frozen=True):
    """A line as the spend side should have it; `reference` is line and release number."""

    number: int
    reference: str
    part_number: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    delivery_on: date | None
    status: str


class SpendOrder(msgspec.Struct, frozen=True):
    """An order as the spend side should have it; `number` is the IFS order number, its unique identifier."""

    number: str
    vendor_id: str
    subsidiary: str
    currency: str
    total: Decimal
    ordered_on: date | None
    buyer: str
    status: str
    lines: tuple[SpendOrderLine, ...] = ()
