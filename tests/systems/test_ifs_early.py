"""Several pages under way: whatever moves between any two answers, nothing that stays is lost or comes twice."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.errors import RefusedError, UnreachableError
from ml_connector.systems.http import Answer
from ml_connector.systems.ifs.early import Distance, Early
from ml_connector.systems.ifs.odata.query import Query
from ml_connector.systems.ifs.page import Came, Rows
from ml_connector.systems.ifs.pager import OrderError, Pager, Plan

ROWS = 10  # a page
MOVES = st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=12)  # put or take out which row


class Pool(Executor):
    """Work that is done when the test says so, in whatever order."""

    def __init__(self, pick: Callable[[int], int]) -> None:
        self._pick = pick
        self._waiting: list[Callable[[], None]] = []
        self.done = self.asked = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        pool, future = self, Awaited()
        future.work = lambda: pool.some_until(future)

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except (RefusedError, UnreachableError) as error:
                    future.set_exception(error)

        self._waiting.append(work)
        self.asked += 1
        return future

    def some_until(self, future: "Future[Any]") -> None:
        while not future.done():
            self._waiting.pop(self._pick(len(self._waiting)))()
            self.done += 1


class Awaited(Future[Any]):
    """A future that has its work done when it is waited for."""

    work: Callable[[], None]

    def result(self, timeout: float | None = None) -> Any:
        self.work()
        return super().result(timeout)


class Set:
    """A set of rows that moves a little with every answer."""

    def __init__(self, rows: set[int], moves: list[list[tuple[bool, int]]], habit: str) -> None:
        self.rows, self.stay = rows, set(rows)
        self._moves, self._habit = moves, habit
        self.answers = 0

    def answer(self, query: Query) -> Came:
        after = re.search(r"gt '(\d+)'", query.filter)
        rows = [row for row in sorted(self.rows) if not after or row > int(after[1])]
        if self._habit == "refuses" and query.skip:
            raise RefusedError("IFS", "read", "no skip", 400)
        if self._habit == "breaks" and self.answers % 3 == 2 and query.skip:
            raise UnreachableError("IFS", "read", "broke off")
        skip = 0 if self._habit == "deaf" else query.skip
        cap = 1 + self.answers * 7 % ROWS if self._habit == "short" else ROWS
        body = {"value": [{"No": f"{row:05}"} for row in rows[skip:][: min(query.top, cap)]]}
        self._move()
        return Came(Answer(200, {}, msgspec.json.encode(body), 0.0), 0.0, "IFS", "read")

    def _move(self) -> None:
        for put, row in self._moves[self.answers % len(self._moves)] if self._moves else ():
            (self.rows.add if put else self.rows.discard)(row)
            self.stay.discard(row)
        self.answers += 1


def read(feed: Set, pool: Executor, most: int, distance: Distance) -> Iterator[int]:
    """As the client does."""
    pager = Pager(Plan(("No",), ("No",)), ROWS)
    early = Early(pool, feed.answer, most, distance, wait_s=0.0)
    early.ask(pager)
    while not pager.done:
        page = early.take(pager) or _by_key(feed, pager, early)
        new = pager.take(page)
        early.ask(pager)
        yield from (int(row["No"]) for row in new.rows)


def _by_key(feed: Set, pager: Pager, early: Early) -> Rows:
    page = feed.answer(pager.query()).page()
    early.learn(page, pager.top)
    return page


@given(
    st.integers(0, 300),
    st.lists(MOVES, max_size=8),
    st.sampled_from(["", "deaf", "refuses", "breaks", "short"]),
    st.integers(0, 8),
    st.data(),
)
@settings(deadline=None, max_examples=150)
def test_what_stays_comes_once(
    count: int, moves: list[list[tuple[bool, int]]], habit: str, most: int, data: st.DataObject
) -> None:
    feed = Set(set(range(0, count, 2)), moves, habit)
    distance = Distance(data.draw(st.integers(1, 9)))
    found = list(read(feed, Pool(lambda count: data.draw(st.integers(0, count - 1))), most, distance))
    assert found == sorted(set(found))
    assert feed.stay <= set(found)


def test_a_still_set_takes_hardly_more_requests_and_most_are_early() -> None:
    feed, pool = Set(set(range(300)), [], ""), Pool(lambda _: 0)
    assert list(read(feed, pool, 7, Distance())) == list(range(300))
    assert feed.answers <= 300 // (ROWS - 1) + 10
    assert pool.done > 20


def test_what_one_reading_learned_of_the_distance_the_next_begins_with() -> None:
    distance, asked = Distance(), list[int]()
    for _ in range(2):
        pool = Pool(lambda _: 0)
        reading = read(Set(set(range(300)), [], ""), pool, 7, distance)
        list(islice(reading, 2 * ROWS))
        asked.append(pool.asked)
        list(reading)
    assert distance.pages == 7
    assert asked[0] < asked[1]


def test_a_server_that_does_not_skip_is_read_one_page_after_the_other() -> None:
    feed, pool = Set(set(range(300)), [], "deaf"), Pool(lambda _: 0)
    assert list(read(feed, pool, 7, Distance())) == list(range(300))
    assert feed.answers <= 300 // ROWS + 16


def test_a_set_in_another_order_is_told_rather_than_read_with_gaps() -> None:
    pager = Pager(Plan(("No",), ("No",)), ROWS)
    pager.take(Rows(_named("a1", "a2", "a3"), None, 0.0))
    early = pager.beyond(_named("a3", "B1", "c1"), None)  # as a database sorts that does not tell a from A
    assert early == _named("B1", "c1")
    assert pager.beyond(_named("B1", "c1"), None) == []  # of no use
    assert pager.beyond(_named("b1", "c1"), None) is None  # its turn may come
    with pytest.raises(OrderError):
        pager.take(Rows(early or [], None, 0.0))


def _named(*names: str) -> list[dict[str, str]]:
    return [{"No": name} for name in names]
