"""Pages of a set that are asked for before it is their turn, several at once.

Rule: they are asked for by row number but taken by key: one that does not begin within what was read already waits
until what lies between has been read by key. So no row is lost while rows move, and the reading needs none of them.
Must not know: sockets, what the rows mean.
"""

import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future

import msgspec

from ml_connector.errors import RemoteError
from ml_connector.systems.ifs.odata.query import Query
from ml_connector.systems.ifs.page import Came, Rows
from ml_connector.systems.ifs.pager import OrderError, Pager, Position

BYTES_MAX = 8 * 2**20  # of answers that wait for their turn, by the length of the last one
MISSED_MAX = 2  # pages that brought nothing, after which the set is read one page after the other
_WAITED_S = 0.005  # whoever comes back for a page as soon as this had been waiting for it
_OVERLAP = 50  # one row of so many is asked for twice, so that a few that vanish leave no gap


class _Asked(msgspec.Struct, frozen=True):
    """A page that is under way; `gives`: how many new rows it should have, `after`: what it begins after, () unsure."""

    came: Future[Came]
    gives: int
    after: Position


class Early:
    """The pages that are under way for one reading of a set.

    `fetch`: asks for a page; `most`: how many may be under way at once.
    """

    def __init__(self, pool: Executor, fetch: Callable[[Query], Came], most: int) -> None:
        self._pool = pool
        self._fetch = fetch
        self._most = most
        self._width = 0
        self._missed = 0
        self._rows = 0  # of a page of this set
        self._size = 0  # bytes of such a page
        self._under_way: deque[_Asked] = deque()

    def take(self, pager: Pager) -> Rows | None:
        """The next page with its new rows; None: ask for it by key."""
        if not self._under_way:
            return None
        asked = self._under_way[0]
        try:
            page = asked.came.result().page()
            new = pager.beyond(page.rows, asked.after)
        except (RemoteError, OrderError):
            self._miss()  # if it matters, the page that is asked for by key will say so
            return None
        if new is None:
            return None
        self._under_way.popleft()
        if len(page.rows) < self._rows:
            self.close()
        if not new:
            self._miss()
            return None
        return msgspec.structs.replace(page, rows=new)

    def ask(self, pager: Pager) -> None:
        """Have as many pages under way as pays."""
        while len(self._under_way) < min(self._width, self._most, BYTES_MAX // max(self._size, 1)):
            ahead = sum(asked.gives for asked in self._under_way)
            overlap = self._rows // _OVERLAP + 1 if ahead else 0
            query = pager.following(max(0, ahead - overlap), self._rows)
            if query is None:
                return
            came = self._pool.submit(contextvars.copy_context().run, self._fetch, query)
            self._under_way.append(_Asked(came, self._rows - overlap, () if ahead else pager.last))

    def learn(self, rows: int, size: int, *, full: bool) -> None:
        """Take note of a page that was read by key; one that is not full may be the last."""
        self._rows, self._size = rows, size
        if not full:
            self._width = 0

    def away(self, away_s: float) -> None:
        """Have more under way when the reader had to wait for the page."""
        if away_s < _WAITED_S:
            self._width = min(self._most, max(2, 2 * self._width))

    def close(self) -> None:
        """Forget what is under way."""
        for asked in self._under_way:
            asked.came.cancel()
        self._under_way.clear()
        self._width = 0

    def _miss(self) -> None:
        self.close()
        self._missed += 1
        if self._missed >= MISSED_MAX:
            self._most = 0
