"""External voucher files: template STDVOU, one transaction a line, `;` between fields.

Rule: which column holds what is the layout's to say; a value that cannot be read is a flaw of its line.
It must not know the world.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.tables import Kind, Property
from ml_connector.sandbox.world.values import exact

LAYOUT: dict[str, int | None] = {
    "item": 0,
    "year": 1,
    "account": 2,
    **{f"code_{part.lower()}": at for at, part in enumerate(CODE_PARTS, 3)},
    "currency": 12,
    "amount": 15,
    "company_amount": 18,
    "text": 24,
    "date": 31,
    "rate": None,
    "type": None,
    "group": None,
    "party": None,
    "serie": None,
    "reference": None,
}
PROPERTIES: dict[str, str] = {
    "item": "LoadGroupItem",
    "account": "Account",
    **{f"code_{part.lower()}": f"Code{part}" for part in CODE_PARTS},
    "currency": "CurrencyCode",
    "amount": "CurrencyAmount",
    "company_amount": "Amount",
    "text": "Text",
    "date": "TransactionDate",
    "rate": "CurrencyRate",
    "type": "VoucherType",
    "group": "UserGroup",
    "party": "PartyTypeId",
    "serie": "ReferenceSerie",
    "reference": "ReferenceNumber",
}


class Line(NamedTuple):
    """A transaction of a file: its line, counted from 1, the year it says, and its values by property."""

    number: int
    year: str
    values: dict[str, Any]


class Parsed(NamedTuple):
    """What a file says, and what in it cannot be read."""

    lines: list[Line]
    errors: list[str]


def layout_of(changes: Mapping[str, int | None] | None) -> dict[str, int | None]:
    """The columns of STDVOU with a customer's own changes.

    Raises: ValueError for a field that there is not.
    """
    if unknown := sorted(set(changes or {}) - set(LAYOUT)):
        raise ValueError(f"no field {', '.join(unknown)}; known: {', '.join(LAYOUT)}")
    return {**LAYOUT, **(changes or {})}


def parse(data: bytes, layout: Mapping[str, int | None], properties: Mapping[str, Property]) -> Parsed:
    """Read a file."""
    lines: list[Line] = []
    errors: list[str] = []
    for number, text in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        if text.strip():
            try:
                lines.append(_line(number, text.split(";"), layout, properties))
            except ValueError as problem:
                errors.append(f"line {number}: {problem}")
    return Parsed(lines, errors)


def _line(number: int, fields: list[str], layout: Mapping[str, int | None], properties: Mapping[str, Property]) -> Line:
    def field(name: str) -> str:
        at = layout[name]
        return fields[at].strip() if at is not None and at < len(fields) else ""

    values = {name: _value(properties[name], field(own)) for own, name in PROPERTIES.items()}
    return Line(number, field("year"), values)


def _value(item: Property, text: str) -> Any:
    if not text:
        return None
    if item.length is not None and len(text) > item.length:
        raise ValueError(f"{item.name} has more than {item.length} characters")
    try:
        return _READ[item.kind](text) if item.kind in _READ else text
    except (ValueError, InvalidOperation):
        raise ValueError(f"{item.name}: {text!r} is not a {item.kind.value}") from None


def _number(text: str) -> Decimal:
    return exact(Decimal(text))


_READ = {Kind.NUMBER: _number, Kind.DATE: date.fromisoformat}
