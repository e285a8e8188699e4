"""Bodies of writes: JSON to values that fit the properties of a view.

Rule: a value of the wrong kind is refused and never converted; with IEEE754Compatible decimals must be strings.
It must not know rows.
"""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from ml_connector.sandbox.ifs.errors import Refusal, bad_body, bad_value
from ml_connector.sandbox.ifs.view import Column, View
from ml_connector.sandbox.ifs.wire import JSON, wants_text_decimals
from ml_connector.sandbox.web import Request
from ml_connector.sandbox.world import Kind
from ml_connector.sandbox.world.values import exact


def values_of(request: Request, view: View, enums: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """The values of a body, by the properties' own names."""
    media = request.headers.get("content-type", "")
    if media.partition(";")[0].strip().lower() != JSON:
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"The content type '{media}' is not supported.")
    reader = BodyReader(view, enums, wants_text_decimals(media))
    return dict(reader.value(name, value) for name, value in json_object(request.body).items() if "@" not in name)


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object with exact numbers."""
    try:
        found = json.loads(body or b"{}", parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise bad_body("The body is not valid JSON.") from problem
    if not isinstance(found, dict):
        raise bad_body("The body is not a JSON object.")
    return cast(dict[str, Any], found)


class BodyReader:
    """Reads the values of one body."""

    def __init__(self, view: View, enums: dict[str, tuple[str, ...]], text_decimals: bool) -> None:
        self._view = view
        self._enums = enums
        self._text_decimals = text_decimals

    def value(self, name: str, value: Any) -> tuple[str, Any]:
        """A property's own name, and its value."""
        column = self._view.columns.get(name)
        if column is None:
            raise bad_body(f"The property '{name}' is not defined in type '{self._view.type_name}'.")
        if value is None or value == "":
            return column.item.name, None
        return column.item.name, self._read(column, value)

    def _read(self, column: Column, value: Any) -> Any:
        if column.kind is Kind.NUMBER:
            return _number(column.name, value, self._text_decimals)
        if column.kind is Kind.BOOLEAN:
            return _checked(column.name, value, bool)
        text: str = _checked(column.name, value, str)
        if column.kind is Kind.DATE:
            return _converted(column.name, text, date.fromisoformat)
        if column.item.enum is not None and text not in self._enums[column.item.enum]:
            raise bad_value(column.name)
        if column.item.length is not None and len(text) > column.item.length:
            raise bad_value(column.name, f"The value exceeds the maximum length {column.item.length}")
        return text


def _checked(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise bad_value(name)
    return value


def _number(name: str, value: Any, as_text: bool) -> Decimal:
    _checked(name, value, str if as_text else Decimal)
    return _converted(name, value, lambda text: exact(Decimal(text)))


def _converted(name: str, text: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(text)
    except (ValueError, InvalidOperation) as problem:
        raise bad_value(name) from problem


def _no_constant(text: str) -> None:
    raise ValueError(text)
