"""Edits of the world given as JSON, for the sandbox's control door.

Rule: whatever is wrong with an operation is a ValueError that says so; nothing is changed then.
It must not know HTTP.
"""

from collections.abc import Callable
from typing import Any

from ml_connector.sandbox.world.values import instant, plain
from ml_connector.sandbox.world.world import World

Op = dict[str, Any]


def edit(world: World, op: Op) -> dict[str, Any]:
    """Do one operation and answer with what came of it."""
    act = _ACTS.get(str(op.get("op")))
    if act is None:
        raise ValueError(f"unknown op {op.get('op')!r}; known: {', '.join(sorted(_ACTS))}")
    unknown = sorted(set(op) - _FIELDS[str(op["op"])] - {"op"})
    if unknown:
        raise ValueError(f"unknown fields for {op['op']}: {', '.join(unknown)}")
    try:
        return act(world, op)
    except (KeyError, TypeError, OverflowError) as problem:
        raise ValueError(f"{op['op']}: missing or unfit: {problem}") from problem


def _rows(world: World, op: Op) -> dict[str, Any]:
    where: dict[str, Any] = op.get("where") or {}
    found = [_jsonable(row) for row in world.rows(op["set"])]
    kept = [row for row in found if all(row.get(name) == value for name, value in where.items())]
    return {"count": len(kept), "rows": kept[: op.get("limit")]}


def _get(world: World, op: Op) -> dict[str, Any]:
    row = world.get(op["set"], op["key"])
    return {"row": None if row is None else _jsonable(row)}


def _insert(world: World, op: Op) -> dict[str, Any]:
    return {"row": _jsonable(world.insert(op["set"], op["values"], _stamp(op)))}


def _update(world: World, op: Op) -> dict[str, Any]:
    return {"row": _jsonable(world.update(op["set"], op["key"], op["values"], _stamp(op)))}


def _delete(world: World, op: Op) -> dict[str, Any]:
    return {"deleted": world.delete(op["set"], op["key"])}


def _count(world: World, op: Op) -> dict[str, Any]:
    return {"count": world.count(op["set"])}


def _digest(world: World, _: Op) -> dict[str, Any]:
    return {"digest": world.digest()}


def _clock(world: World, op: Op) -> dict[str, Any]:
    with world.lock:
        if "at" in op:
            world.clock.move_to(instant(op["at"]))
        if "advance_s" in op:
            world.clock.advance(op["advance_s"])
        if "freeze" in op:
            world.clock.freeze(bool(op["freeze"]))
        return {"now": plain(world.clock.now()), "frozen": world.clock.frozen_at is not None}


def _stamp(op: Op) -> Any:
    return None if op.get("stamp") is None else instant(op["stamp"])


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.items()}


_ACTS: dict[str, Callable[[World, Op], dict[str, Any]]] = {
    "rows": _rows,
    "get": _get,
    "count": _count,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "digest": _digest,
    "clock": _clock,
}
_FIELDS = {
    "rows": {"set", "where", "limit"},
    "get": {"set", "key"},
    "count": {"set"},
    "insert": {"set", "values", "stamp"},
    "update": {"set", "key", "values", "stamp"},
    "delete": {"set", "key"},
    "digest": set[str](),
    "clock": {"advance_s", "at", "freeze"},
}
