"""A record as names and values that people read, before and after.

Rule: a value is shown as it was written; what is empty on both sides is left out, and so is what is beyond bounds.
Must not know: which record it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import Field

from ml_connector.console.api.shapes import Shown

FIELDS_MAX, VALUE_MAX = 300, 500
EMPTY: tuple[Any, ...] = (None, "", [], (), {})
WORDS = {
    "id": "Id",
    "rows": "Row",
    "lines": "Line",
    "parts": "Code part",
    "po_number": "Purchase order",
    "zip": "Postal code",
    "supplier_id": "Supplier",
    "vendor_id": "Vendor in Airbase",
    "order_no": "Order",
    "dated_on": "Date",
    "ordered_on": "Ordered on",
    "company_amount": "Amount in company currency",
    "invoice_number": "Invoice number",
}


class FieldShown(Shown):
    """A field; None: there was nothing."""

    name: str
    path: str = Field(description="The same as the connector names it.")
    before: str | None
    after: str | None
    changed: bool


def compared(before: Any, after: Any) -> list[FieldShown]:
    """All fields of a record, with what they were; without a record before, all are new."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    paths = [*new, *(path for path in old if path not in new)][:FIELDS_MAX]
    return [
        FieldShown(
            name=label(path), path=path, before=old.get(path), after=new.get(path), changed=_differs(path, old, new)
        )
        for path in paths
    ]


def label(path: str) -> str:
    """A field's name in words: lines[2].unit_price is `Line 2, unit price`."""
    words = list(dict.fromkeys(_word(part) for part in path.split(".")))  # of an amount, its amount is the amount
    return ", ".join([words[0], *(word[:1].lower() + word[1:] for word in words[1:])])


def _word(part: str) -> str:
    name, _, number = part.rstrip("]").partition("[")
    said = WORDS.get(name) or name.replace("_", " ").capitalize()
    return f"{said} {number}".strip()


def _differs(path: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return old.get(path) != new.get(path)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple) and not all(isinstance(one, str) for one in cast("list[Any]", value)):
        for number, inner in enumerate(cast("list[Any]", value), 1):
            yield from _leaves(inner, f"{path}[{number}]")
    elif value not in EMPTY:
        yield path or "value", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(cast("list[str]", value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}…"
