"""Values as the database keeps them: exact decimals without trailing zeros, no empty strings, whole seconds.

Rule: whatever is stored passed through ``stored``; whatever leaves as JSON passed through ``plain``.
It must not know tables other than one property at a time.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation, localcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ml_connector.sandbox.world.tables import Kind, Property


def stored(item: Property, value: object) -> Any:
    """The value as it is stored, or a ValueError that names the property."""
    if value is None or value == "":  # Oracle keeps an empty string as null
        return None
    try:
        return _READ[item.kind](value)
    except (TypeError, ValueError, InvalidOperation) as problem:
        raise ValueError(f"{item.name}: {value!r} is not a {item.kind.value}") from problem


def plain(value: object) -> Any:
    """The value as JSON that loses nothing."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


_WIDE = Context(prec=300)  # Edm.Decimal has 130 digits; the usual context would round at 28
P = ParamSpec("P")
T = TypeVar("T")


def exactly(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function calculate with all digits that an amount may have."""

    @wraps(function)
    def calculated(*args: P.args, **kwargs: P.kwargs) -> T:
        with localcontext(_WIDE):
            return function(*args, **kwargs)

    return calculated


def exact(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    if not value.is_finite():
        raise ValueError("not a finite number")
    short = value.normalize(_WIDE)
    if not short:
        return Decimal(0)
    return short.quantize(Decimal(1), context=_WIDE) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]


def instant(value: object) -> datetime:
    """An instant in UTC, whole seconds, from a datetime with a zone or its ISO text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError(f"{value!r} is not an instant with a zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise TypeError
    return exact(Decimal(value))


def _date(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, str | date):
        raise TypeError
    return date.fromisoformat(value) if isinstance(value, str) else value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


_READ = {
    Kind.STRING: _text,
    Kind.ENUM: _text,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.INSTANT: instant,
    Kind.BOOLEAN: _boolean,
}
