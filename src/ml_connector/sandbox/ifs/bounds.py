"""Where in a sorted order the rows that pass a filter can begin, so that a keyset page need not read from the start.

Rule: a bound may be too low, never too high; a filter that says nothing about the order gives none.
It must not know rows.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ml_connector.sandbox.ifs.syntax import Call, Literal, Name, Node
from ml_connector.sandbox.world.rows import TOP

Bound = tuple[Any, ...]


class Sorted(NamedTuple):
    """One ascending column of an order."""

    name: str
    nullable: bool


def lowest(node: Node, order: Sequence[Sorted], value: Callable[[Literal], Any]) -> Bound | None:
    """The smallest sort key that a row passing the filter can have."""
    if not order or not isinstance(node, Call):
        return None
    if node.name == "or":
        return _of_any([lowest(part, order, value) for part in node.parts])
    if node.name == "and":
        return _of_all(node.parts, order, value)
    return _of_comparison(node, order[0], value)


def _of_any(bounds: list[Bound | None]) -> Bound | None:
    known = [bound for bound in bounds if bound is not None]
    return min(known) if len(known) == len(bounds) else None


def _of_all(parts: tuple[Node, ...], order: Sequence[Sorted], value: Callable[[Literal], Any]) -> Bound | None:
    bounds = [bound for part in parts if (bound := lowest(part, order, value)) is not None]
    fixed = next((part for part in parts if _fixes(part, order[0])), None)
    if isinstance(fixed, Call):
        first = _of_comparison(fixed, order[0], value)
        rest = tuple(part for part in parts if part is not fixed)
        further = _of_all(rest, order[1:], value) if len(order) > 1 else None
        bounds.append((first or ()) + (further or ()))
    return max(bounds, default=None)


def _fixes(node: Node, column: Sorted) -> bool:
    return isinstance(node, Call) and node.name == "eq" and node.parts[0] == Name(column.name)


def _of_comparison(node: Call, column: Sorted, value: Callable[[Literal], Any]) -> Bound | None:
    if node.name not in ("eq", "gt", "ge") or node.parts[0] != Name(column.name):
        return None
    other = node.parts[1]
    known = value(other) if isinstance(other, Literal) else None
    if known is None:
        return None
    part = (0, known) if column.nullable else known
    return (part, TOP) if node.name == "gt" else (part,)
