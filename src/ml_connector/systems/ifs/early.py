"""Pages of a set that are asked for before it is their turn, several at once.

Rule: they are asked for by row number but taken by key: one that does not begin within what was read already waits
until what lies between has been read by key. So no row is lost while rows move, and the reading needs none of them.
Must not know: sockets, what the rows mean.
"""

import contextvars
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import msgspec

from ml_connector.errors import RemoteError
from ml_connector.systems.ifs.odata.query import Query
from ml_connector.systems.ifs.page import Came, Rows
from ml_connector.systems.ifs.pager import OrderError, Pager, Position

BYTES_MAX = 3 * 2**20  # of answers that wait for their turn, by the length of the last one
WAIT_S = 0.1  # a shorter wait is not worth another page under way
MISSED_MAX = 2  # pages that were of no use, after which the set is read one page after the other
_OVERLAP = 50  # one row of so many is asked for twice, so that a few that vanish leave no gap


class _Asked(msgspec.Struct, frozen=True):
    """A page that is under way, of up to `top` rows; `gives`: how many new ones it should have, `after`: what it begins
    after, if it was asked for by key.
    """

    came: Future[Came]
    top: int
    gives: int
    after: Position | None

    @property
    def by_key(self) -> bool:
        """Whether nothing can lie before its rows."""
        return self.after is not None


class Distance(msgspec.Struct):
    """How far away a tenant is, which its readings learn together: with so many pages under way none waits long."""

    pages: int = 1


class Early:
    """The pages that are under way for one reading of a set.

    `fetch`: asks for a page; `most`: how many may be under way at once; it is one more whenever a page was
    waited for as long as `wait_s`.
    """

    def __init__(
        self,
        pool: Executor,
        fetch: Callable[[Query], Came],
        most: int,
        distance: Distance,
        wait_s: float = WAIT_S,
    ) -> None:
        self._pool = pool
        self._distance = distance
        self._wait_s = wait_s
        self._fetch = fetch
        self._most = most
        self._missed = 0
        self._full = False  # whether the last page was as long as was asked for, so that more may follow
        self._rows = 0  # of a page of this set
        self._size = 0  # bytes of such a page
        self._under_way: deque[_Asked] = deque()

    def take(self, pager: Pager) -> Rows | None:
        """The next page with its new rows; None: ask for it by key.

        Raises: RemoteError, OrderError of what was asked for by key.
        """
        if not self._under_way:
            return None
        asked = self._under_way[0]
        try:
            page = self._awaited(asked.came).page()
            new = pager.beyond(page.rows, asked.after)
        except (RemoteError, OrderError):
            self._miss()
            if asked.by_key:
                raise
            return None
        if new is None:
            return None
        self._under_way.popleft()
        return self._taken(asked, page, new)

    def _awaited(self, came: Future[Came]) -> Came:
        """What came; more is under way from now on when that took its time."""
        began = time.monotonic()
        arrived = came.result()
        if time.monotonic() - began >= self._wait_s:
            self._distance.pages = max(self._distance.pages, min(self._most, self._distance.pages + 1))
        return arrived

    def _taken(self, asked: _Asked, page: Rows, new: list[dict[str, Any]]) -> Rows | None:
        if asked.by_key:
            self.learn(page, asked.top)
        elif len(page.rows) < asked.top:
            self.close()
        if new or asked.by_key:
            return msgspec.structs.replace(page, rows=new)
        self._miss()
        return None

    def ask(self, pager: Pager) -> None:
        """Have as many pages under way as pays."""
        pays = min(self._distance.pages, BYTES_MAX // max(self._size, 1)) if self._full else 1
        while len(self._under_way) < min(self._most, max(1, pays)):
            ahead = sum(asked.gives for asked in self._under_way)
            overlap = self._rows // _OVERLAP + 1 if ahead else 0
            query = pager.following(ahead - overlap, self._rows) if ahead else pager.query()
            if query is None:
                return
            came = self._pool.submit(contextvars.copy_context().run, self._fetch, query)
            gives = min(query.top, self._rows or query.top) - overlap
            self._under_way.append(_Asked(came, query.top, gives, None if ahead else pager.last))

    def learn(self, page: Rows, top: int) -> None:
        """Take note of a page that was asked for by key; one that is not full may be the last."""
        rows = len(page.rows)
        self._full = rows > 0 and rows in (top, self._rows)  # a server may always give less than is asked for
        self._rows, self._size = rows, page.size

    def close(self) -> None:
        """Forget what is under way."""
        for asked in self._under_way:
            asked.came.cancel()
        self._under_way.clear()
        self._full = False

    def _miss(self) -> None:
        self.close()
        self._missed += 1
        if self._missed >= MISSED_MAX:
            self._most = min(self._most, 1)
