"""Records to bytes and back, and the digest that tells two records apart.

Rule: equal values give equal digests, whatever the number of trailing zeros.
Must not know: what the records mean.
"""

import hashlib
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from ml_connector.records import money

T = TypeVar("T")
_SORTED = msgspec.json.Encoder(order="sorted")
_WITHOUT = (
    inspect.StrType,
    inspect.IntType,
    inspect.BoolType,
    inspect.NoneType,
    inspect.DateType,
    inspect.DateTimeType,
)
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
    plain = record if _without_decimals(type(record)) else _canonical(_built(record))
    return hashlib.sha256(_SORTED.encode(plain)).hexdigest()


def _built(record: object) -> Any:
    return msgspec.to_builtins(record, builtin_types=(Decimal,))


@cache
def _without_decimals(kind: type[Any]) -> bool:
    """Whether records of a kind are their own canonical form."""
    try:
        return not _may_hold_decimals(inspect.type_info(kind))
    except (TypeError, NameError):
        return False


def _may_hold_decimals(known: inspect.Type) -> bool:
    if isinstance(known, inspect.StructType):
        return any(_may_hold_decimals(field.type) for field in known.fields)
    if isinstance(known, inspect.UnionType):
        return any(map(_may_hold_decimals, known.types))
    if isinstance(known, inspect.TupleType):
        return any(map(_may_hold_decimals, known.item_types))
    if isinstance(known, inspect.ListType | inspect.VarTupleType):
        return _may_hold_decimals(known.item_type)
    return not isinstance(known, _WITHOUT)


def _canonical(value: Any) -> Any:
    kind = cast("type[Any]", type(value))
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
    return _canonical(_built(record))
