"""Reads and writes of one IFS tenant.

Rule: what is read is kept to the profile's fixed filter and the allowed companies; what is not exactly a page is
refused. A write is sent once; only what certainly was not delivered is sent again.
Must not know: records, flows.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from ml_connector.errors import MalformedError
from ml_connector.systems.http import OverdueError, Wire
from ml_connector.systems.ifs import csdl
from ml_connector.systems.ifs.ahead import ahead, at_once
from ml_connector.systems.ifs.auth import ClientCredentials
from ml_connector.systems.ifs.early import Early
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.odata.batch import Reply, pack, unpack
from ml_connector.systems.ifs.odata.literals import key, literal
from ml_connector.systems.ifs.odata.query import Query, any_of, both, equal
from ml_connector.systems.ifs.odata.writes import Write
from ml_connector.systems.ifs.page import Came, Rows
from ml_connector.systems.ifs.pager import TOP_MIN, OrderError, Pager, Plan
from ml_connector.systems.ifs.profile import UTC_AWARE, Part, Profile

T = TypeVar("T")
_GO_ON = "odata.continue-on-error"  # a refused changeset does not stop those after it


class IfsClient:
    """One tenant, as one profile sees it; `credentials` are those of the wire, for a check of them."""

    def __init__(
        self, wire: Wire, profile: Profile, companies: Sequence[str], credentials: ClientCredentials | None = None
    ) -> None:
        self.wire = wire
        self.profile = profile
        self.companies = tuple(companies)
        self.credentials = credentials
        self._given_max: dict[str, int] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(profile.parallel, thread_name_prefix="early")

    def close(self) -> None:
        """Close the connections for data and for tokens."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.wire.close()
        if self.credentials:
            self.credentials.wire.close()

    def pages(self, name: str, plan: Plan, *, prefetch: bool = True) -> Generator[Rows, None, None]:
        """The rows of a part in pages; with `prefetch`, the next one is fetched while one is worked on.

        Raises: RemoteError.
        """
        part = self.profile.parts[name]
        if plan.skip or plan.times or plan.end_short or not prefetch:
            pages = self._pages(name, part, plan, 0)
            # Of what changed the first page is mostly all of it: its end is asked for with it.
            return ahead(pages, 2 if plan.times else 1) if prefetch else pages
        return self._pages(name, part, plan, self.profile.parallel)

    def at_once(self, tasks: Iterable[Callable[[], T]]) -> Generator[T, None, None]:
        """What tasks give that ask this tenant, in their order, as many under way as the profile allows."""
        return at_once(self._pool, tasks, self.profile.parallel)

    def scope(self, part: Part) -> str:
        """The filter that every read of a part has: its fixed one, and the allowed companies."""
        if not part.company or not self.companies:
            return part.where
        return both(part.where, any_of([equal([(part.company, company)]) for company in self.companies]))

    def first(self, name: str, select: Sequence[str] = ()) -> Rows:
        """The first row of a part, if there is one."""
        part = self.profile.parts[name]
        query = Query(tuple(select) or part.properties, self.scope(part), part.key, 1)
        return self._ask(f"read {name}", f"{part.place}/{part.set}", query.text(), 1).page()

    def metadata(self, part: Part) -> csdl.Metadata:
        """What the tenant says about a part's service. Raises: RemoteError."""
        operation = f"read $metadata of {part.service}"
        answer = self.wire.call(
            operation,
            "GET",
            f"{part.place}/$metadata",
            headers={"Accept": "application/xml"},
            repeatable=True,
            expect_json=False,
        )
        try:
            return csdl.parse(answer.body)
        except ValueError as error:
            raise MalformedError(self.wire.system, operation, str(error)) from None

    def catalogue(self) -> tuple[str, ...]:
        """The names of all projections that the tenant lists. Raises: RemoteError."""
        part = Part("AllProjections", "Projections", ("ProjectionName",), {})
        pages = self._pages("catalogue", part, Plan(part.key, part.key), 0)
        return tuple(str(row["ProjectionName"]) for page in pages for row in page.rows)

    def path(self, part: Part, row: Mapping[str, Any]) -> str:
        """Where a row that was read is. Raises: ValueError when its key can't stand in a path."""
        return f"{part.place}/{part.set}{key({column: literal(row[column]) for column in part.key})}"

    def write(self, operation: str, write: Write) -> dict[str, Any]:
        """Make one change; the row that the answer shows, empty when it shows none.

        Raises: RemoteError, of which UnconfirmedError and MalformedError say that it may have been made.
        """
        made = write.request()
        answer = self.wire.call(
            operation, made.method, made.path, headers=made.headers, body=made.body, repeatable=False
        )
        try:
            return answers.row(answer.body) if answer.body else {}
        except ValueError as error:
            raise MalformedError(self.wire.system, operation, str(error)) from None

    def batch(self, operation: str, place: str, changesets: Sequence[Sequence[Write]]) -> list[list[Reply]]:
        """Make changesets of one service, each wholly or not at all; their answers, one a change.

        Raises: RemoteError, of which UnconfirmedError and MalformedError say that some may have been made.
        """
        packed = pack([[write.request() for write in changes] for changes in changesets])
        headers = {"Content-Type": packed.content_type, "Accept": "multipart/mixed", "Prefer": _GO_ON}
        answer = self.wire.call(
            operation, "POST", f"{place}/$batch", headers=headers, body=packed.body, repeatable=False, expect_json=False
        )
        try:
            sizes = [len(changes) for changes in changesets]
            return unpack(answer.headers.get("content-type", ""), answer.body, sizes)
        except ValueError as error:
            raise MalformedError(self.wire.system, operation, str(error)) from None

    def _pages(self, name: str, part: Part, plan: Plan, most: int) -> Generator[Rows, None, None]:
        """The pages of a part; `most`: how many may be under way before it is their turn, from now on."""
        plan = msgspec.structs.replace(plan, filter=both(self.scope(part), plan.filter))
        pager = Pager(plan, plan.rows_max or self.profile.page_rows, self._given_max.get(name, 0))
        path = f"{part.place}/{part.set}"
        early = Early(self._pool, lambda query: self._ask(f"read {name}", path, query.text(), query.top), most)
        early.ask(pager)
        return self._given(name, path, plan, pager, early)

    def _given(self, name: str, path: str, plan: Plan, pager: Pager, early: Early) -> Generator[Rows, None, None]:
        links: set[str] = set()
        target = ""
        with closing(early):
            while not pager.done:
                page = self._timely(name, path, target, pager, early)
                if page is None:
                    target = ""
                    continue
                target = self._next_target(name, path, page, links, plan)
                new = self._taken(name, pager, page)
                self._remember(name, pager.given_max)
                if not (pager.done or target):
                    early.ask(pager)
                if new:
                    yield msgspec.structs.replace(page, rows=new)

    def _timely(self, name: str, path: str, target: str, pager: Pager, early: Early) -> Rows | None:
        """The next page; None when it took too long and less should be asked for."""
        try:
            return early.take(pager) or self._by_key(f"read {name}", path, target, pager, early)
        except OverdueError:
            early.close()
            if not pager.overdue():
                raise
            return None

    def _by_key(self, operation: str, path: str, target: str, pager: Pager, early: Early) -> Rows:
        where, _, query = target.partition("?")
        page = self._ask(operation, where or path, query or pager.query().text(), pager.top).page()
        early.learn(page, pager.top)
        return page

    def _taken(self, name: str, pager: Pager, page: Rows) -> list[dict[str, Any]]:
        try:
            return pager.take(page.rows, more=bool(page.next_link))
        except OrderError as error:
            detail = (
                f'{error}; if the tenant sorts this set in its own way, set paging = "skip" for {name} in the profile'
            )
            raise MalformedError(self.wire.system, f"read {name}", detail) from None

    def _next_target(self, name: str, path: str, page: Rows, links: set[str], plan: Plan) -> str:
        """Where the server says that the next page is; "" to ask by key, which is safer than a server's row count."""
        if not page.next_link:
            return ""
        link = urlsplit(urljoin(self.wire.origin + path, page.next_link))
        if f"{link.scheme}://{link.netloc}" != self.wire.origin or link.path != path:
            raise MalformedError(
                self.wire.system, f"read {name}", "the next page is said to be elsewhere; not followed"
            )
        if page.rows and not plan.skip:
            return ""
        if page.next_link in links:
            raise MalformedError(self.wire.system, f"read {name}", "the pages go round in a circle")
        links.add(page.next_link)
        return f"{link.path}?{link.query}".replace(" ", "%20")

    def _ask(self, operation: str, path: str, query: str, top: int) -> Came:
        started = time.monotonic()
        answer = self.wire.call(
            operation,
            "GET",
            path,
            query=query,
            headers=self._headers(top),
            repeatable=True,
            overdue_once=top > TOP_MIN,
        )
        return Came(answer, time.monotonic() - started, self.wire.system, operation)

    def _headers(self, top: int) -> dict[str, str]:
        headers = {"Accept": "application/json;odata.metadata=minimal", "Prefer": f"odata.maxpagesize={top}"}
        if self.profile.zone == UTC_AWARE:
            headers["X-Ifs-Time-Zone-Aware-Request"] = "true"
        return headers

    def _remember(self, name: str, given_max: int) -> None:
        with self._lock:
            self._given_max[name] = max(given_max, self._given_max.get(name, 0))
