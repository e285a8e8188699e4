"""Reading everything: what is gone is told, and what is just as it was, wherever the pages are cut."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.records import keys
from ml_connector.run.detecting import everything
from ml_connector.run.job import Pass
from ml_connector.sync import causes
from ml_connector.sync.detect import Row
from ml_connector.sync.ports import Sight, SightPage

PARTS = ("heads", "lines")
# Of each record, by part, the marks of its rows: several heads too, as accounts have one a company.
WORLD = st.dictionaries(
    st.sampled_from(["A", "A ", "A!", "A B", "AA", "B", "é", "\U00010000"]),
    st.tuples(*(st.dictionaries(st.sampled_from("12"), st.sampled_from(["x", "y", ""]), min_size=n) for n in (1, 0))),
)


def rows_of(key: str, parts: Sequence[dict[str, str]]) -> tuple[Row, ...]:
    return tuple(
        Row(part, keys.join((key, child)), mark)
        for part, marks in zip(PARTS, parts, strict=True)
        for child, mark in sorted(marks.items())
    )


class Source:
    parts, heads, depth = PARTS, PARTS[:1], 1

    def __init__(self, world: dict[str, Any], size: int) -> None:
        self.sights = [Sight(key, "record", rows_of(key, world[key])) for key in sorted(world)]
        self._size = size

    def read_all(self) -> Iterator[SightPage]:
        left = self.sights
        while len(left) > self._size:
            yield SightPage(tuple(left[: self._size]), left[self._size - 1].key)
            left = left[self._size :]
        yield SightPage(tuple(left), None)


class Marks:
    def __init__(self, world: dict[str, Any]) -> None:
        self._rows = [row for key, parts in world.items() for row in rows_of(key, parts)]

    def marks(self, part: str, after: str, upto: str | None) -> dict[str, str]:
        within = [row for row in self._rows if row.part == part and row.key > after]
        return {row.key: row.mark for row in within if upto is None or row.key <= upto}


@given(WORLD, WORLD, st.integers(1, 4))
@settings(deadline=None)
def test_what_is_gone_and_what_is_as_it_was(before: dict[str, Any], after: dict[str, Any], size: int) -> None:
    job = SimpleNamespace(source=Source(after, size), store=Marks(before))
    sights = [sight for page in everything(cast("Pass", SimpleNamespace(job=job, cursors={}))) for sight in page]
    assert sorted(sight.key for sight in sights) == sorted(before.keys() | after.keys())
    assert {sight.key for sight in sights if not sight.there} == before.keys() - after.keys()
    marked = {key: all(row.mark for row in rows_of(key, parts)) for key, parts in after.items()}
    same = {key for key, parts in after.items() if before.get(key) == parts and marked[key]}
    assert {sight.key for sight in sights if sight.known} == same


def test_of_a_record_without_rows_nothing_is_known() -> None:
    world: dict[str, Any] = {"A": ({"1": "x"}, {})}
    source = Source(world, 9)
    source.sights.append(Sight("B", unreadable=causes.unmappable("B", ValueError())))  # its rows have odd keys
    job = SimpleNamespace(source=source, store=Marks(world))
    (page,) = everything(cast("Pass", SimpleNamespace(job=job, cursors={})))
    assert {sight.key: sight.known for sight in page} == {"A": True, "B": False}
