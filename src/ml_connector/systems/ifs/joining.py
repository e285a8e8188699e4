"""Rows of several parts put together by the record that they belong to.

Rule: a record is given once all parts have been read beyond it, and of no part is more held than that takes.
Must not know: requests, what the rows mean.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ml_connector.systems.ifs.rows import Seen

At = tuple[Any, ...]
Pages = Iterator[list[Seen]]
Groups = dict[str, list[Seen]]


def joined(streams: Mapping[str, Pages], depth: int) -> Iterator[list[tuple[At, Groups]]]:
    """The rows of each record by part; records in key order, in stretches.

    `streams`: by part, pages in key order; `depth`: how many parts of a row's key are its record's.
    Raises: ValueError when keys are text in one part and numbers in another.
    """
    left, held = dict(streams), {part: list[Seen]() for part in streams}
    while left:
        edge = _read_on(left, held, depth)
        if stretch := _before(held, edge, depth):
            yield stretch


def _read_on(left: dict[str, Pages], held: Groups, depth: int) -> At | None:
    """Read of each part that is not ahead of the others; up to which record all are known then, None: to the end."""
    edge = min((rows[-1].at[:depth] for part, rows in held.items() if part in left and rows), default=None)
    for part in list(left):
        if held[part] and held[part][-1].at[:depth] != edge:
            continue
        if page := next(left[part], None):
            held[part].extend(page)
        else:
            del left[part]
    _check_kinds(rows[-1].at[:depth] for rows in held.values() if rows)
    return min((held[part][-1].at[:depth] for part in left), default=None)


def _check_kinds(ats: Iterable[At]) -> None:
    if len({tuple(isinstance(value, str) for value in at) for at in ats}) > 1:
        raise ValueError("a key is text in one set and a number in another")


def _before(held: Groups, edge: At | None, depth: int) -> list[tuple[At, Groups]]:
    """Take out the rows of all records before the edge."""
    records: dict[At, Groups] = {}
    for part, rows in held.items():
        cut = len(rows) if edge is None else bisect_left(rows, edge, key=lambda seen: seen.at[:depth])
        for seen in rows[:cut]:
            groups = records.setdefault(seen.at[:depth], {})
            groups.setdefault(part, []).append(seen)
        held[part] = rows[cut:]
    return [(at, records[at]) for at in sorted(records)]
