"""Records to bytes and back, and the digest that tells two records apart.

Rule: equal values give equal digests, whatever the number of trailing zeros.
Must not know: what the records mean.
"""

import hashlib
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from ml_connector.records import money

T = TypeVar("T")
_AS_THEY_ARE = (str, type(None), bool, int)  # nearly all values


def encode(record: object) -> bytes:
    """A record as JSON; decimals become text."""
    return msgspec.json.encode(record)


def decode(data: bytes, kind: type[T]) -> T:
    """The record that `encode` was given.

    Raises: ValueError when the bytes are not such a record.
    """
    return msgspec.json.decode(data, type=kind)


def digest(record: object) -> str:
    """What identifies a record's value.

    Shape: 64 hexadecimal characters (SHA-256).
    """
    built = msgspec.to_builtins(record, builtin_types=(Decimal,))
    return hashlib.sha256(msgspec.json.encode(_canonical(built), order="sorted")).hexdigest()


def _canonical(value: Any) -> Any:
    kind: type[Any] = type(value)
    if kind is Decimal:
        return money.plain(value)
    if kind is dict:
        return {key: item if type(item) in _AS_THEY_ARE else _canonical(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [_canonical(item) for item in value]
    return value


def difference(before: object | None, after: object | None) -> dict[str, tuple[Any, Any]]:
    """The fields that differ between two records of a kind: name to (before, after)."""
    old = _fields(before)
    new = _fields(after)
    return {
        name: (old.get(name), new.get(name))
        for name in [*new, *(name for name in old if name not in new)]
        if old.get(name) != new.get(name)
    }


def _fields(record: object | None) -> dict[str, Any]:
    if record is None:
        return {}
    return _canonical(msgspec.to_builtins(record, builtin_types=(Decimal,)))
