"""JSON read by canonical names, each value checked for its kind.

Rule: a value is what the API promises or a ValueError; an absent one is neutral, never guessed.
Must not know: vendors, orders or documents.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from ml_connector.records import money
from ml_connector.systems.airbase.resource import Resource

Raw = Mapping[str, Any]
T = TypeVar("T")
SHOWN_MAX = 40
NUL = "\0"  # which not every database can keep
_WORDS: dict[type[Any], str] = {dict: "a group of fields", list: "a list", str: "text", bool: "yes or no"}


class FieldError(ValueError):
    """A field holds what it should not; says which and what."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(name, said)
        self.name = name
        self.said = said

    def __str__(self) -> str:
        return f"the field {self.name} {self.said}"


class Fields:
    """A JSON object read by canonical names; a field that is not sent or is null reads as its neutral value."""

    def __init__(self, raw: Any, resource: Resource, prefix: str = "") -> None:
        self._raw = as_object(raw)
        self._resource = resource
        self._prefix = prefix

    def optional(self, field: str, read: Callable[[Any], T]) -> T | None:
        """The value, read; None when it is absent. Raises: FieldError."""
        name = self.name(field)
        value = self._raw.get(name) if name else None
        try:
            return None if value is None else read(value)
        except FieldError as error:
            raise FieldError(f"{name}.{error.name}", error.said) from None
        except ValueError as error:
            raise FieldError(name, str(error)) from None

    def each(self, field: str, read: Callable[["Fields"], T]) -> tuple[T, ...]:
        """The objects of a list, each read by the names that begin with the field's. Raises: FieldError."""
        return tuple(self._entry(field, place, raw, read) for place, raw in enumerate(self.rows(field), start=1))

    def _entry(self, field: str, place: int, raw: Any, read: Callable[["Fields"], T]) -> T:
        name = f"{self.name(field)} {place}"
        try:
            return read(Fields(raw, self._resource, f"{field}."))
        except FieldError as error:
            raise FieldError(f"{name}, {error.name}", error.said) from None
        except ValueError as error:
            raise FieldError(name, str(error)) from None

    def within(self, field: str) -> "Fields":
        """The fields of an object, by the names that begin with this one's; empty when absent."""
        return Fields(self.optional(field, as_object) or {}, self._resource, f"{field}.")

    def name(self, field: str) -> str:
        """What the API calls a field."""
        return self._resource.named(self._prefix + field)

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
        return self.optional(field, lambda value: inner_text(value, name)) or ""


def as_object(value: Any) -> Raw:
    """A JSON object. Raises: ValueError."""
    return cast(Raw, _of(value, dict))


def as_list(value: Any) -> list[Any]:
    """A JSON list. Raises: ValueError."""
    return cast(list[Any], _of(value, list))


def as_text(value: Any) -> str:
    """Text. Raises: ValueError."""
    text: str = _of(value, str)
    if NUL in text:
        raise ValueError("holds a character that no text has")
    return text


def as_flag(value: Any) -> bool:
    """true or false. Raises: ValueError."""
    return _of(value, bool)


def inner_text(value: Any, name: str) -> str:
    """Text inside a JSON object; "" when absent. Raises: ValueError."""
    inner = as_object(value).get(name)
    try:
        return "" if inner is None else as_text(inner)
    except ValueError as error:
        raise FieldError(name, str(error)) from None


def as_whole(value: Any) -> int:
    """A whole number, as a number or as text. Raises: ValueError."""
    number = as_number(value)
    if number != number.to_integral_value():
        raise ValueError(f"holds {_shown(value)}, which is no whole number")
    return int(number)


def as_number(value: Any) -> Decimal:
    """A decimal from text or an exact number; never a float. Raises: ValueError."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        try:
            return money.exact(value.strip() if isinstance(value, str) else value)
        except ValueError:
            raise ValueError(f"holds {_shown(value)}, which is no usable number") from None
    raise ValueError(f"holds {_word(value)} where a number belongs")


def as_day(value: Any) -> date:
    """The day that an ISO time names, whatever its zone. Raises: ValueError."""
    try:
        return datetime.fromisoformat(as_text(value)).date()
    except ValueError:
        raise ValueError(f"holds {_shown(value)}, which is no date") from None


def _of(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"holds {_word(value)} where {_WORDS[kind]} belongs")
    return value


def _word(value: object) -> str:
    known = (word for kind, word in _WORDS.items() if isinstance(value, kind))
    return next(known, "a number" if isinstance(value, int | Decimal) else "something else")


def _shown(value: Any) -> str:
    return repr(str(value)[:SHOWN_MAX])
