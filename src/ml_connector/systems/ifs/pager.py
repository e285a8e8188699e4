"""Reading a set page by page, so that no row is lost while rows move.

Rule: the next page starts after the last row's key; only an empty page ends a sweep, since a server may give less than
was asked for. Rows out of order, or a page without anything new, stop the reading rather than lose a row.
Must not know: sockets, threads, what the rows mean.
"""

from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.records import money
from ml_connector.systems.ifs.odata.literals import Timestamp, Value
from ml_connector.systems.ifs.odata.query import Query, after, both
from ml_connector.systems.ifs.page import Rows
from ml_connector.systems.ifs.places import Place, ascending, places

TOP_MIN = 100
OVERDUE_MAX = 3  # times that the smallest page may be overdue
_GROW_AFTER = 3  # good pages before a page may double again
_PATIENCE_MAX = 48

Position = tuple[Any, ...]


class OrderError(Exception):
    """The rows did not come in the order that was asked for."""


class Plan(msgspec.Struct, frozen=True):
    """What to read: `order` ascending, `times` those of its columns that are times.

    `end_short`: the end is a page shorter than what the server has given before, or than `given_min`, which it is known
    to give. `rows_max`: of a page, when that is less than the profile's.
    """

    select: tuple[str, ...]
    order: tuple[str, ...]
    filter: str = ""
    times: frozenset[str] = frozenset()
    skip: bool = False
    end_short: bool = False
    given_min: int = 0
    rows_max: int = 0


class Pager:
    """Says what to ask for next, and takes what came."""

    def __init__(self, plan: Plan, rows_max: int, given_max: int = 0) -> None:
        self._plan = plan
        self._rows_max = rows_max
        self.top = rows_max
        self.given_max = max(given_max, plan.given_min)  # the longest page that this set has given
        self.done = False
        self._good = 0
        self._patience = _GROW_AFTER
        self._grown = False
        self._overdue = 0
        self._anchor: list[tuple[str, Value]] = []
        self._next: list[tuple[str, Value]] = []  # the last row's, when it is not the anchor yet
        self.last: Position = ()  # of the last row that was taken
        self._tail: set[Position] = set()  # positions after the anchor, which come again
        self._read = 0

    def query(self) -> Query:
        """The next page."""
        begun = after(self._anchor) if self._anchor else ""
        skip = self._read if self._plan.skip else 0
        return Query(self._plan.select, both(self._plan.filter, begun), self._plan.order, self.top, skip)

    def take(self, page: Rows) -> Rows:
        """The page with those of its rows that are new.

        Raises: OrderError.
        """
        rows = page.rows
        self._overdue = 0
        full = min(self.top, self.given_max)
        self.given_max = max(self.given_max, len(rows))
        self.done = not page.next_link and (not rows or (self._plan.end_short and len(rows) < full))
        self._read += len(rows)
        new = self._not_again(page) if self._plan.skip else self._in_order(page)
        if rows and not new.rows and not self._move_on():
            raise OrderError("a page repeats the rows of the one before")
        self._grow()
        return new

    def following(self, skip: int, top: int) -> Query | None:
        """The page that begins so many rows after the last one; None when that one can't be asked for by its key."""
        if not self.last or self._anchor != self._next:
            return None
        return msgspec.structs.replace(self.query(), top=top, skip=skip)

    def beyond(self, rows: list[dict[str, Any]], after: Position | None) -> list[dict[str, Any]] | None:
        """The rows of a page that come after the last one; None when there may be others before them.

        `after`: what the page was asked to begin after; None for one that was asked for by its number. Of such a page
        only what follows the last row itself is taken: a set in another order might hide rows among those before it.
        Raises: OrderError.
        """
        if after == self.last:
            return rows
        for number, row in enumerate(rows):
            at = self.position(row)
            if at == self.last:
                return rows[number + 1 :]
            if _before(self.last, at):
                return [] if number else None
        return []

    def overdue(self) -> bool:
        """The page took too long: ask for less; False when there is no less."""
        self._good = 0
        if self.top > TOP_MIN:
            self.top = max(TOP_MIN, self.top // 2)
            if self._grown:
                self._patience = min(self._patience * 2, _PATIENCE_MAX)  # it was too soon to ask for more
            self._grown = False
            return True
        self._overdue += 1
        return self._overdue < OVERDUE_MAX

    def _grow(self) -> None:
        self._good += 1
        if self.top < self._rows_max and self._good >= self._patience:
            self.top = min(self._rows_max, self.top * 2)
            self._good = 0
            self._grown = True

    def _not_again(self, page: Rows) -> Rows:
        """No rows, when these are the very ones of the page before: the server does not skip."""
        positions = {self.position(row) for row in page.rows}
        same = positions == self._tail
        self._tail = positions
        return msgspec.structs.replace(page, rows=[]) if same else page

    def _in_order(self, page: Rows) -> Rows:
        if usual := self._as_usual(page.rows):
            self.last = usual[-1]
            self._advance(page.rows[-1], self.last)
            return msgspec.structs.replace(page, order=self._plan.order, places=usual)
        new: list[dict[str, Any]] = []
        for row in page.rows:
            at = self.position(row)
            if at in self._tail:
                continue
            if self.last and not _before(self.last, at):
                raise OrderError(f"rows are not in ascending order of {', '.join(self._plan.order)}")
            self.last = at
            self._advance(row, at)
            new.append(row)
        return msgspec.structs.replace(page, rows=new)

    def _as_usual(self, rows: list[dict[str, Any]]) -> list[Place] | None:
        """Where the rows stand when all are new, in order, and have keys that can be asked for, as nearly always."""
        found = None if self._plan.times else places(rows, self._plan.order)
        return found if found and _before(self.last, found[0]) and ascending(found) else None

    def position(self, row: dict[str, Any]) -> Position:
        """Where a row stands in the order.

        Raises: OrderError when it has no place there.
        """
        return tuple(self._placed(column, row.get(column)) for column in self._plan.order)

    def _placed(self, column: str, value: Any) -> Any:
        if column in self._plan.times and isinstance(value, str):
            return _time(column, value).order()
        if value and isinstance(value, str):
            return value
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and _can_be_asked_for(value):
            return value
        raise OrderError(f"a row has no usable {column}")

    def _advance(self, row: dict[str, Any], at: Position) -> None:
        """Start after this row next time, unless its key can hardly be asked for: then after the one before."""
        self._tail.add(at)
        self._next = [
            (column, _time(column, row[column]) if column in self._plan.times else row[column])
            for column in self._plan.order
        ]
        if all(not isinstance(value, str) or value.isprintable() for _, value in self._next):
            self._move_on()

    def _move_on(self) -> bool:
        """Start after the last row; False when that is where it started already."""
        moved = self._anchor != self._next
        self._anchor, self._tail = self._next, {self.last}
        return moved


def _can_be_asked_for(number: int | Decimal) -> bool:
    """Whether it has a length that can be written out."""
    try:
        money.exact(number)
    except ValueError:
        return False
    return True


def _before(left: Position, right: Position) -> bool:
    try:
        return left < right
    except TypeError:
        raise OrderError("keys are of different types") from None


def _time(column: str, text: str) -> Timestamp:
    try:
        return Timestamp(text)
    except ValueError:
        raise OrderError(f"a row's {column} is no time") from None
