"""Edits: values of one record that a person changed, in force while the source says what it said then.

Rule: what a flow lists may be edited, nothing else; an amount, a currency, a date or a key is put right where it was
made. An edit holds fields, never a record, and is put onto the record each time that it is read.
Shape: a path names a field, `invoice_number` or `lines[1].category`; list entries count from 1, as messages count them.
Must not know: who edits, where edits are kept.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast, get_type_hints

import msgspec

from ml_connector.records import codec
from ml_connector.sync.flow import AnyFlow

FIELDS_MAX = 50
TEXT_MAX = 2000
MADE_ELSEWHERE = "is put right where it was made, as are all amounts, currencies, dates, parties and numbers"
_PART = re.compile(r"([a-z_]+)(?:\[(\d{1,6})\])?")

Step = str | int


class Values(msgspec.Struct, frozen=True):
    """What a field was in the source, and what it counts as."""

    before: Any
    after: Any


class Edit(msgspec.Struct, frozen=True):
    """What counts instead, as long as the source record has this basis."""

    id: int
    key: str
    basis: str
    fields: Mapping[str, Values]


def basis_of(flow: AnyFlow, record: Any) -> str:
    """What an edit is bound to: what of a document a correction depends upon, else all of the record."""
    return flow.trace(record).origin or codec.digest(record)


def put(record: Any, fields: Mapping[str, Any]) -> Any:
    """The record with these fields, given as JSON has them.

    Raises: ValueError when the record has no such field, or one of another type.
    """
    for path, value in fields.items():
        steps = _steps(record, path)
        record = _replaced(record, steps, _typed(value, _kind(record, steps), path))
    return record


def read(record: Any, path: str, text: str, editable: Sequence[str]) -> Any:
    """The value that a person typed for a field, as JSON has it: a text as it stands, all else as JSON.

    Raises: ValueError, in words for that person.
    """
    steps = _steps(record, path)
    if not _listed(steps, editable):
        raise ValueError(f"{path} {MADE_ELSEWHERE}; what can be edited: {', '.join(editable) or 'nothing'}")
    if len(text) > TEXT_MAX or not text.isprintable():
        raise ValueError(f"{path}: the value is longer than {TEXT_MAX:,} characters, or holds a control character")
    kind = _kind(record, steps)
    try:
        return msgspec.to_builtins(msgspec.convert(text, kind))
    except msgspec.ValidationError:
        return _from_json(text, kind, path)


def value(record: Any, path: str) -> Any:
    """What a field is, as JSON has it. Raises: ValueError when there is no such field."""
    found = record
    for step in _steps(record, path):
        found = found[step] if isinstance(step, int) else getattr(found, step)
    return msgspec.to_builtins(found)


def _from_json(text: str, kind: Any, path: str) -> Any:
    try:
        return msgspec.to_builtins(msgspec.json.decode(text, type=kind))
    except msgspec.DecodeError:
        shape = 'is no text; write it as JSON, such as [{"label": …, "reference": …}]'
        raise ValueError(f"{path} {shape}") from None


def _typed(given: Any, kind: Any, path: str) -> Any:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError:
        raise ValueError(f"{path} is of another type by now") from None


def _listed(steps: Sequence[Step], editable: Sequence[str]) -> bool:
    name = ".".join(step for step in steps if isinstance(step, str))
    return any(name == one or name.startswith(f"{one}.") for one in editable)


def _steps(record: Any, path: str) -> list[Step]:
    """The way to a field; it ends at a name. Raises: ValueError when it leads nowhere."""
    steps: list[Step] = []
    there = record
    for part in path.split("."):
        there = _into(there, part, path, steps)
    if isinstance(steps[-1], int):
        raise ValueError(f"{path}: name a field of it, such as {path}.{_names(there)[0] if _names(there) else '…'}")
    return steps


def _into(there: Any, part: str, path: str, steps: list[Step]) -> Any:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{path[:80]!r} names no field; fields look like category or lines[1].category")
    name, number = match[1], match[2]
    if name not in _names(there):
        raise ValueError(_unknown(there, name))
    steps.append(name)
    inner = getattr(there, name)
    return inner if number is None else _entry(inner, name, int(number), steps)


def _entry(several: Any, name: str, number: int, steps: list[Step]) -> Any:
    if not isinstance(several, tuple):
        raise ValueError(f"{name} is no list; leave the [{number}] out")
    listed = cast("tuple[Any, ...]", several)
    if not 1 <= number <= len(listed):
        raise ValueError(f"{name}[{number}]: there are {len(listed)}, counted from 1")
    steps.append(number - 1)
    return listed[number - 1]


def _names(there: Any) -> tuple[str, ...]:
    return there.__struct_fields__ if isinstance(there, msgspec.Struct) else ()


def _unknown(there: Any, name: str) -> str:
    known = _names(there)
    if isinstance(there, tuple):
        return f"there is a list before .{name}; say which entry, such as lines[1].{name}"
    if not known:
        return f"there is no {name}: what it would be part of is empty, or has no parts"
    near = get_close_matches(name, known)
    return (
        f"there is no field {name}; nearest: {', '.join(near)}"
        if near
        else (f"there is no field {name}; there are: {', '.join(known)}")
    )


def _kind(record: Any, steps: Sequence[Step]) -> Any:
    holder: Any = record
    for step in steps[:-1]:
        holder = holder[step] if isinstance(step, int) else getattr(holder, step)
    kinds = get_type_hints(cast("type[Any]", type(holder)))
    return kinds[str(steps[-1])]


def _replaced(there: Any, steps: Sequence[Step], new: Any) -> Any:
    if not steps:
        return new
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        return (*there[:first], _replaced(there[first], rest, new), *there[first + 1 :])
    return msgspec.structs.replace(there, **{first: _replaced(getattr(there, first), rest, new)})
