"""Rows of IFS made into records.

Rule: a record is made of all of its rows or not at all; what can't be read is held for a person, the others go on.
Must not know: requests, pages.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.records import keys
from ml_connector.records.ledger import (
    CODE_PARTS,
    Account,
    AccountTerms,
    Dimension,
    Requirement,
    Validity,
    ValueTerms,
)
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder
from ml_connector.records.supplier import Address, AgreedTerms, Supplier, SupplierTerms
from ml_connector.sync.outcome import Owner
from ml_connector.sync.ports import Sight
from ml_connector.systems.ifs.pick import Pick, UnreadableError
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.rows import Seen, values

Parts = Mapping[str, Part]
Groups = Mapping[str, Sequence[Seen]]
NUMBER_MAX = 40  # digits of what is ordered as a number


class Resource(msgspec.Struct, frozen=True):
    """A kind of record: its title, the parts it is made of, and how.

    `split`: each record is in one part only, which its key names, and in which it has all of its rows; else each has a
    row, or rows, in the first part.
    """

    title: str
    parts: tuple[str, ...]
    make: Callable[[Parts, Groups], Any]
    split: Callable[[tuple[str, ...]], str] | None = None

    @property
    def heads(self) -> tuple[str, ...]:
        """The parts of which each record has a row, or rows, in exactly one."""
        return self.parts if self.split else self.parts[:1]

    def parts_of(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The parts that may have rows of the record with these key values."""
        if not self.split:
            return self.parts
        named = self.split(values)
        return (named,) if named in self.parts else ()


def sight(resource: Resource, parts: Parts, key: str, groups: Groups) -> Sight:
    """The record of a key, made of its rows by part."""
    found = [seen for name in resource.parts for seen in groups.get(name, ())]
    rows = tuple([seen.row for seen in found])
    if not any(groups.get(head) for head in resource.heads):
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
    return tuple((0, int(part), part) if _counts(part) else (1, 0, part) for part in pick.key)


def _counts(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= NUMBER_MAX


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


def _agreed(parts: Parts, groups: Groups) -> AgreedTerms:
    terms = [Pick("Supplier terms", parts["supplier_terms"], seen) for seen in groups["supplier_terms"]]
    return AgreedTerms(terms[0].key[0], tuple(sorted(map(_terms, terms), key=lambda item: item.company)))


def _account(parts: Parts, groups: Groups) -> Account:
    rows = [Pick("Account", parts["accounts"], seen) for seen in groups["accounts"]]
    return Account(rows[0].key[0], tuple(account_terms(pick) for pick in sorted(rows, key=lambda pick: pick.key)))


def account_terms(pick: Pick) -> AccountTerms:
    """What one company says of an account. Raises: UnreadableError."""
    given = ((part, _requirement(pick, f"requires_{part.lower()}")) for part in CODE_PARTS)
    return AccountTerms(
        pick.key[1],
        pick.text("description"),
        Validity(pick.day("valid_from"), pick.day("valid_until")),
        pick.text("kind"),
        {part: requirement for part, requirement in given if requirement is not Requirement.CAN},
    )


def _requirement(pick: Pick, field: str) -> Requirement:
    return pick.one_of(field, {"": Requirement.CAN, **{kind.value: kind for kind in Requirement}})


def _dimension(parts: Parts, groups: Groups) -> Dimension:
    (name,) = [part for part in parts if groups.get(part)]
    rows = [Pick("Code part value", parts[name], seen) for seen in groups[name]]
    part, value, *_ = rows[0].key
    return Dimension(part, value, tuple(value_terms(pick) for pick in sorted(rows, key=lambda pick: pick.key)))


def value_terms(pick: Pick) -> ValueTerms:
    """What one company says of a code part value. Raises: UnreadableError."""
    validity = Validity(pick.day("valid_from"), pick.day("valid_until"))
    return ValueTerms(pick.key[2], pick.text("description"), validity)


def code_part(values: tuple[str, ...]) -> str:
    """The part of the profile that holds the values of a code part, which is the first value of their keys."""
    return f"code_{values[0].lower()}"


DIMENSION_PARTS = tuple(code_part((part,)) for part in CODE_PARTS)

RESOURCES = {
    "suppliers": Resource("Supplier", ("suppliers", "supplier_terms", "supplier_addresses"), _supplier),
    "purchase_orders": Resource("Purchase order", ("orders", "order_lines"), _order),
    "supplier_terms": Resource("Terms of supplier", ("supplier_terms",), _agreed),
    "accounts": Resource("Account", ("accounts",), _account),
    "dimensions": Resource("Code part value", DIMENSION_PARTS, _dimension, code_part),
}
