"""Folds or-ed tests of one property into one test, so that fifty of them cost a row as much as one.

Rule: a folded tree is true for the same rows as the one it came from.
It must not know properties or rows.
"""

from collections import defaultdict
from collections.abc import Iterable

from ml_connector.sandbox.ifs.syntax import Call, Literal, Name, Node

STARTS = "startswith_any"  # startswith with any of several texts
_FOLDED = {"eq": "in", "startswith": STARTS}


def folded(node: Node) -> Node:
    """The tree with its or-ed tests folded."""
    if not isinstance(node, Call):
        return node
    parts = tuple(folded(part) for part in node.parts)
    return _fold(_flat(parts)) if node.name == "or" else Call(node.name, parts)


def _flat(parts: Iterable[Node]) -> list[Node]:
    inner = (part.parts if isinstance(part, Call) and part.name == "or" else (part,) for part in parts)
    return [each for group in inner for each in group]


def _fold(parts: list[Node]) -> Node:
    tests: dict[tuple[str, Node], list[Node]] = defaultdict(list)
    others: list[Node] = []
    for part in parts:
        if isinstance(part, Call) and _is_foldable(part):
            tests[_FOLDED.get(part.name, part.name), part.parts[0]].extend(part.parts[1:])
        else:
            others.append(part)
    made = [Call(name, (column, *constants)) for (name, column), constants in tests.items()]
    return Call("or", (*made, *others)) if len(made) + len(others) > 1 else made[0]


def _is_foldable(test: Call) -> bool:
    known = test.name in _FOLDED or test.name in _FOLDED.values()
    return known and isinstance(test.parts[0], Name) and all(_has_value(part) for part in test.parts[1:])


def _has_value(node: Node) -> bool:
    return isinstance(node, Literal) and node.value not in (None, "")
