"""JSON read by canonical names, each value checked for its kind.

Rule: a value is what the API promises or a ValueError; an absent one is neutral, never guessed.
Must not know: vendors or orders.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from ml_connector.records import money
from ml_connector.systems.airbase.profile import Resource

Raw = Mapping[str, Any]
T = TypeVar("T")


class Fields:
    """A JSON object read by canonical names; a field that is not sent or is null reads as its neutral value."""

    def __init__(self, raw: Any, resource: Resource, prefix: str = "") -> None:
        self._raw = as_object(raw)
        self._resource = resource
        self._prefix = prefix

    def optional(self, field: str, read: Callable[[Any], T]) -> T | None:
        """The value, read; None when it is absent."""
        name = self._resource.named(self._prefix + field)
        value = self._raw.get(name) if name else None
        return None if value is None else read(value)

    def text(self, field: str) -> str:
        """Text; "" when absent."""
        return self.optional(field, as_text) or ""

    def number(self, field: str) -> Decimal:
        """An exact number; 0 when absent."""
        return self.optional(field, as_number) or Decimal(0)

    def whole(self, field: str) -> int:
        """A whole number; 0 when absent."""
        return self.optional(field, as_whole) or 0

    def day(self, field: str) -> date | None:
        """The day of a naive ISO time; None when absent."""
        return self.optional(field, as_day)

    def flag(self, field: str) -> bool:
        """A truth value; true when absent."""
        value = self.optional(field, as_flag)
        return True if value is None else value

    def rows(self, field: str) -> list[Any]:
        """A list; empty when absent."""
        return self.optional(field, as_list) or []

    def inner(self, field: str, name: str) -> str:
        """Text inside an object; "" when absent."""
        value = (self.optional(field, as_object) or {}).get(name)
        return "" if value is None else as_text(value)


def as_object(value: Any) -> Raw:
    """A JSON object. Raises: ValueError."""
    return cast(Raw, _of(value, dict))


def as_list(value: Any) -> list[Any]:
    """A JSON list. Raises: ValueError."""
    return cast(list[Any], _of(value, list))


def as_text(value: Any) -> str:
    """Text. Raises: ValueError."""
    return _of(value, str)


def as_flag(value: Any) -> bool:
    """true or false. Raises: ValueError."""
    return _of(value, bool)


def as_whole(value: Any) -> int:
    """A whole number, as a number or as text. Raises: ValueError."""
    number = as_number(value)
    if number != number.to_integral_value():
        raise ValueError("a fraction where a whole number was expected")
    return int(number)


def as_number(value: Any) -> Decimal:
    """A decimal from text or an exact number; never a float. Raises: ValueError."""
    if isinstance(value, str | int | Decimal):
        return money.exact(value)
    raise ValueError(f"{type(value).__name__} where a number was expected")


def as_day(value: Any) -> date:
    """The day that an ISO time names, whatever its zone. Raises: ValueError."""
    return datetime.fromisoformat(as_text(value)).date()


def _of(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} where {kind.__name__} was expected")
    return value
