"""One reading of a set, from its first page to its last.

Rule: the next page is asked for by the last row's key, by a server's own link only where that shows no rows; what is
not exactly a page is refused, and so is a page that is said to be elsewhere.
Must not know: what the rows mean, writes.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from urllib.parse import SplitResult, urljoin, urlsplit

from ml_connector.errors import MalformedError
from ml_connector.systems.address import clean_target
from ml_connector.systems.http import OverdueError, Wire
from ml_connector.systems.ifs.early import Early
from ml_connector.systems.ifs.odata.query import Query
from ml_connector.systems.ifs.page import Came, Rows
from ml_connector.systems.ifs.pager import TOP_MIN, OrderError, Pager, Plan


class Asking:
    """Asks for pages of one set; `utc`: in a way that makes its times those of UTC."""

    def __init__(self, wire: Wire, name: str, path: str, *, utc: bool) -> None:
        self._wire, self._utc = wire, utc
        self.name, self.path, self.origin = name, path, wire.origin

    def by_query(self, query: Query) -> Came:
        """The page of a query. Raises: RemoteError."""
        return self.at(self.path, query.text(), query.top)

    def at(self, path: str, query: str, top: int) -> Came:
        """The page at an address, of up to `top` rows. Raises: RemoteError."""
        started = time.monotonic()
        answer = self._wire.call(
            f"read {self.name}",
            "GET",
            path,
            query=query,
            headers=self._headers(top),
            repeatable=True,
            overdue_once=top > TOP_MIN,
        )
        return Came(answer, time.monotonic() - started, self._wire.system, f"read {self.name}")

    def malformed(self, detail: str) -> MalformedError:
        """That what came is no page."""
        return MalformedError(self._wire.system, f"read {self.name}", detail)

    def _headers(self, top: int) -> dict[str, str]:
        headers = {"Accept": "application/json;odata.metadata=minimal", "Prefer": f"odata.maxpagesize={top}"}
        return headers | ({"X-Ifs-Time-Zone-Aware-Request": "true"} if self._utc else {})


class Sweep:
    """One reading; its first page is asked for at once. `given`: is told the longest page that the set has given."""

    def __init__(self, asking: Asking, plan: Plan, pager: Pager, early: Early, given: Callable[[int], None]) -> None:
        self._asking, self._plan, self._pager, self._early, self._given = asking, plan, pager, early, given
        self._links: set[str] = set()  # that were followed
        self._link = ""  # to the next page; "": it is asked for by key
        early.ask(pager)

    def pages(self) -> Generator[Rows, None, None]:
        """The pages with their new rows. Raises: RemoteError."""
        with closing(self._early):
            while not self._pager.done:
                page = self._timely()
                if page is None:
                    self._link = ""
                    continue
                self._link = self._next_link(page)
                new = self._new(page)
                self._given(self._pager.given_max)
                if not (self._pager.done or self._link):
                    self._early.ask(self._pager)
                if new.rows:
                    yield new

    def _timely(self) -> Rows | None:
        """The next page; None when it took too long and less should be asked for."""
        try:
            return self._early.take(self._pager) or self._in_turn()
        except OverdueError:
            self._early.close()
            if not self._pager.overdue():
                raise
            return None

    def _in_turn(self) -> Rows:
        """The page that was not under way yet."""
        where, _, query = self._link.partition("?")
        top = self._pager.top
        page = self._asking.at(where or self._asking.path, query or self._pager.query().text(), top).page()
        self._early.learn(page, top)
        return page

    def _new(self, page: Rows) -> Rows:
        try:
            return self._pager.take(page)
        except OrderError as error:
            cure = f'if the tenant sorts this set in its own way, set paging = "skip" for {self._asking.name}'
            raise self._asking.malformed(f"{error}; {cure} in the profile") from None

    def _next_link(self, page: Rows) -> str:
        """Where the server says that the next page is; "" to ask by key, which is safer than a server's row count."""
        if not page.next_link:
            return ""
        link = self._place_of(page.next_link)
        if f"{link.scheme}://{link.netloc}" != self._asking.origin or link.path != self._asking.path:
            raise self._asking.malformed("the next page is said to be elsewhere; not followed")
        if page.rows and not self._plan.skip:
            return ""
        if page.next_link in self._links:
            raise self._asking.malformed("the pages go round in a circle")
        self._links.add(page.next_link)
        return self._followed(link)

    def _followed(self, link: SplitResult) -> str:
        """A link that is needed; how one is written that is not does not matter, as some servers encode nothing."""
        try:
            return clean_target(link.path, link.query.replace(" ", "%20"))
        except ValueError:
            raise self._no_address() from None

    def _place_of(self, link: str) -> SplitResult:
        try:
            return urlsplit(urljoin(self._asking.origin + self._asking.path, link))
        except ValueError:
            raise self._no_address() from None

    def _no_address(self) -> MalformedError:
        return self._asking.malformed("the next page is said to be at what is no address")
