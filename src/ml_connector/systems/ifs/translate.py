"""Rows of IFS made into records.

Rule: a record is made of all of its rows or not at all; what can't be read is held for a person, the others go on.
Must not know: requests, pages.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.records import keys
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder
from ml_connector.records.supplier import Address, Supplier, SupplierTerms
from ml_connector.sync.outcome import Owner
from ml_connector.sync.ports import Sight
from ml_connector.systems.ifs.pick import Pick, UnreadableError
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.rows import Seen, values

Parts = Mapping[str, Part]
Groups = Mapping[str, Sequence[Seen]]


class Resource(msgspec.Struct, frozen=True):
    """A kind of record: its title, the parts it is made of (the first has one row a record), and how."""

    title: str
    parts: tuple[str, ...]
    make: Callable[[Parts, Groups], Any]


def sight(resource: Resource, parts: Parts, key: str, groups: Groups) -> Sight:
    """The record of a key, made of its rows by part."""
    found = [seen for name in resource.parts for seen in groups.get(name, ())]
    rows = tuple(seen.row for seen in found)
    if not groups.get(resource.parts[0]):
        return Sight(key, rows=() if any(seen.odd for seen in found) else rows)
    try:
        _check_keys(resource, key, found)
        return Sight(key, resource.make(parts, groups), rows)
    except UnreadableError as error:
        # rows with an odd key are left out: they are not where their key stands, so they would look gone
        return Sight(key, rows=tuple(seen.row for seen in found if not seen.odd), unreadable=error.held)


def _check_keys(resource: Resource, key: str, found: Sequence[Seen]) -> None:
    if any(seen.odd for seen in found):
        raise UnreadableError(
            f"{resource.title} {keys.shown(key)} has a control character in its key or in the key of one of its rows.",
            "Rename it in IFS.",
            Owner.ADMINISTRATOR,
        )
    if any(part != part.strip() for part in values(key)):
        raise UnreadableError(
            f"{resource.title} {keys.shown(key)!r} has a blank at the beginning or end of its key; "
            "the target system drops it, and the record would not be found again.",
            "Rename it in IFS.",
            Owner.ADMINISTRATOR,
        )


def _supplier(parts: Parts, groups: Groups) -> Supplier:
    head = Pick("Supplier", parts["suppliers"], groups["suppliers"][0])
    terms = [Pick("Supplier terms", parts["supplier_terms"], seen) for seen in groups.get("supplier_terms", ())]
    addresses = [
        Pick("Supplier address", parts["supplier_addresses"], seen) for seen in groups.get("supplier_addresses", ())
    ]
    return Supplier(
        head.key[0],
        head.text("name"),
        head.text("tax_id"),
        head.text("country"),
        tuple(sorted((_terms(pick) for pick in terms), key=lambda item: item.company)),
        _address(min(addresses, key=_natural)) if addresses else None,
    )


def _terms(pick: Pick) -> SupplierTerms:
    return SupplierTerms(pick.key[1], pick.text("payment_term"), pick.text("currency"), pick.day("expires_on"))


def _address(pick: Pick) -> Address:
    lines = (pick.text("street"), pick.text("street_more"))
    return Address(
        ", ".join(line for line in lines if line),
        pick.text("city"),
        pick.text("zip"),
        pick.text("state"),
        pick.text("country"),
    )


def _order(parts: Parts, groups: Groups) -> PurchaseOrder:
    head = Pick("Purchase order", parts["orders"], groups["orders"][0])
    currency = head.text("currency")
    lines = [Pick("Purchase order line", parts["order_lines"], seen) for seen in groups.get("order_lines", ())]
    return PurchaseOrder(
        head.key[0],
        head.text("supplier_id"),
        head.text("company"),
        head.text("site"),
        currency,
        head.text("buyer"),
        head.day("ordered_on"),
        head.text("state"),
        tuple(_line(pick, currency) for pick in sorted(lines, key=_natural)),
    )


def _natural(pick: Pick) -> tuple[tuple[int, int, str], ...]:
    """Row order as people count: 2 comes before 10."""
    return tuple((0, int(part), part) if part.isascii() and part.isdigit() else (1, 0, part) for part in pick.key)


def _line(pick: Pick, currency: str) -> OrderLine:
    """A line; one without a currency of its own is in that of its order."""
    return OrderLine(
        pick.key[1],
        pick.key[2],
        pick.text("part_no"),
        pick.text("description"),
        pick.number("quantity"),
        pick.text("unit"),
        pick.number("unit_price"),
        pick.text("currency") or currency,
        pick.day("wanted_on"),
        pick.text("state"),
    )


RESOURCES = {
    "suppliers": Resource("Supplier", ("suppliers", "supplier_terms", "supplier_addresses"), _supplier),
    "purchase_orders": Resource("Purchase order", ("orders", "order_lines"), _order),
}
