"""Finds the few rows that a filter can be true for by an index on a text property.

Rule: no row that passes the filter is left out; rows that do not pass may be among those found.
It must not know HTTP or query options other than the filter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ml_connector.sandbox.ifs.folding import STARTS
from ml_connector.sandbox.ifs.syntax import Call, Literal, Name, Node
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import By, Row, World

_LAST = "\U0010ffff"
_TESTS = {"eq", "in", "startswith", STARTS}


class Range(NamedTuple):
    """Texts from one to another."""

    name: str
    first: str
    last: str


def looked_up(world: World, view: View, tree: Node) -> list[Row] | None:
    """The rows that can pass a folded filter, as they lie; none when no index helps."""
    ranges = next((found for part in _all_of(tree) if (found := _ranges(view, part))), None)
    if ranges is None:
        return None
    rows = {row[view.table.rowid_at]: row for each in ranges for row in _within(world, view, each)}
    return sorted(rows.values(), key=lambda row: row[view.table.place_at])


def _all_of(node: Node) -> Iterator[Node]:
    if isinstance(node, Call) and node.name == "and":
        for part in node.parts:
            yield from _all_of(part)
    else:
        yield node


def _ranges(view: View, node: Node) -> list[Range] | None:
    """The ranges of an indexed property that a test is only true within."""
    if isinstance(node, Call) and node.name == "or":
        found = [_ranges(view, part) for part in node.parts]
        return None if None in found else [each for group in found if group for each in group]
    if not isinstance(node, Call) or node.name not in _TESTS or not _is_indexed(view, node.parts[0]):
        return None
    return _of_test(node)


def _is_indexed(view: View, node: Node) -> bool:
    column = view.columns.get(node.name) if isinstance(node, Name) else None
    return column is not None and column.item.name in view.table.indexed


def _of_test(test: Call) -> list[Range] | None:
    column, *constants = test.parts
    texts = [node.value for node in constants if isinstance(node, Literal) and isinstance(node.value, str)]
    if len(texts) != len(constants) or not isinstance(column, Name):
        return None
    end = _LAST if test.name in ("startswith", STARTS) else ""
    return [Range(column.name, text, text + end) for text in texts]


def _within(world: World, view: View, each: Range) -> list[Row]:
    order = (By(view.table.index[view.columns[each.name].item.name]),)
    return world.ordered(view.table.name, order, ((0, each.first),), ((0, each.last),))
