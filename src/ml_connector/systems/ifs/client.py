"""Reads and writes of one IFS tenant.

Rule: what is read is kept to the profile's fixed filter and the allowed companies. A write is sent once; only what
certainly was not delivered is sent again.
Must not know: records, flows.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec

from ml_connector.errors import MalformedError
from ml_connector.systems.http import Wire
from ml_connector.systems.ifs import csdl
from ml_connector.systems.ifs.ahead import ahead, at_once
from ml_connector.systems.ifs.auth import ClientCredentials
from ml_connector.systems.ifs.early import Distance, Early
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.odata.batch import Reply, pack, unpack
from ml_connector.systems.ifs.odata.literals import key, literal
from ml_connector.systems.ifs.odata.query import Query, any_of, both, equal
from ml_connector.systems.ifs.odata.writes import Write
from ml_connector.systems.ifs.page import Rows
from ml_connector.systems.ifs.pager import Pager, Plan
from ml_connector.systems.ifs.profile import UTC_AWARE, Part, Profile
from ml_connector.systems.ifs.sweeping import Asking, Sweep

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
        self._distance = Distance()
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
        if plan.skip or plan.times or not prefetch:
            pages = self._pages(name, part, plan, 0)
            # Of what changed the first page is mostly all of it: its end is asked for with it, while `Early` would ask
            # once that page is taken, a round trip later for each part.
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
        return self._asking(name, part).by_query(query).page()

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
        asking = self._asking(name, part)
        early = Early(self._pool, asking.by_query, most, self._distance)
        return Sweep(asking, plan, pager, early, partial(self._remember, name)).pages()

    def _asking(self, name: str, part: Part) -> Asking:
        return Asking(self.wire, name, f"{part.place}/{part.set}", utc=self.profile.zone == UTC_AWARE)

    def _remember(self, name: str, given_max: int) -> None:
        with self._lock:
            self._given_max[name] = max(given_max, self._given_max.get(name, 0))
