"""Where the rows of a page stand, seen of the whole page at once: that costs a fraction of looking at each row.

Rule: it tells only of usual pages, whose keys are printable texts; of any other whoever asks looks at each row.
Must not know: what the rows mean.
"""

from collections.abc import Sequence
from itertools import islice
from operator import lt
from typing import Any

Place = tuple[str, ...]


def places(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[Place] | None:
    """The values of these columns, row by row; None when one of them is not a printable text."""
    values = [[row.get(column) for row in rows] for column in columns]
    return list(zip(*values, strict=True)) if all(map(_plain, values)) else None


def ascending(found: Sequence[Place]) -> bool:
    """Whether each stands after the one before."""
    return all(map(lt, found, islice(found, 1, None)))


def _plain(values: list[Any]) -> bool:
    return set(map(type, values)) <= {str} and all(values) and all(map(str.isprintable, values))
