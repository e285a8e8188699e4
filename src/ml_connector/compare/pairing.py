"""One-to-one pairing of two lists, by ever weaker likeness.

Rule: what is equal by an earlier measure is paired before a later one is asked; order of the lists decides the rest.
Must not know: what is paired.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import msgspec

A = TypeVar("A")
B = TypeVar("B")


class Measure(msgspec.Struct, Generic[A, B], frozen=True):
    """By what two things are alike: equal values; None is alike to nothing."""

    left: Callable[[A], Hashable | None]
    right: Callable[[B], Hashable | None]


def paired(
    left: Sequence[A], right: Sequence[B], measures: Sequence[Measure[A, B]]
) -> tuple[list[tuple[A, B]], list[A], list[B]]:
    """Pairs, and what is left over on either side, in the order given."""
    pairs: list[tuple[A, B]] = []
    for measure in measures:
        found, left, right = _by(measure, left, right)
        pairs.extend(found)
    return pairs, list(left), list(right)


def _by(
    measure: Measure[A, B], left: Sequence[A], right: Sequence[B]
) -> tuple[list[tuple[A, B]], Sequence[A], Sequence[B]]:
    waiting: dict[Hashable, deque[int]] = {}
    for place, one in enumerate(left):
        if (value := measure.left(one)) is not None:
            waiting.setdefault(value, deque()).append(place)
    pairs: list[tuple[A, B]] = []
    taken: set[int] = set()
    alone: list[B] = []
    for one in right:
        alike = waiting.get(measure.right(one))
        if not alike:
            alone.append(one)
            continue
        place = alike.popleft()
        taken.add(place)
        pairs.append((left[place], one))
    return pairs, [one for place, one in enumerate(left) if place not in taken], alone
