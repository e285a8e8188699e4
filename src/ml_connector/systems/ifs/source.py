"""IFS as a source of records: what changed, everything, or these.

Rule: rows come in key order, and a stretch says exactly how far it reaches, so that what is missing in it is gone.
Must not know: flows, the store.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from itertools import chain, pairwise
from typing import Any

from ml_connector.errors import MalformedError, SettingsError
from ml_connector.sync.detect import Page
from ml_connector.sync.ports import Sight, SightPage
from ml_connector.systems.ifs import rows
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.joining import Groups, Pages, joined
from ml_connector.systems.ifs.odata.literals import Timestamp, literal, name
from ml_connector.systems.ifs.odata.query import chunks, one_of
from ml_connector.systems.ifs.page import Rows
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.rows import Seen
from ml_connector.systems.ifs.translate import RESOURCES, sight

ROWS_AT_ONCE, PART_ROWS_MIN = 7500, 2500  # of all parts, and of each, in the pages that are read at once
BATCH_ROWS = 2000  # of records that are given out at once: what is made of them takes more memory than they do
FILTER_BYTES_MAX = 5000  # of a URL of about 6000 that servers and proxies on the way can be trusted to take


class IfsSource:
    """Records of one kind of one tenant; implements `sync.ports.Source`."""

    def __init__(self, client: IfsClient, resource: str) -> None:
        if resource not in RESOURCES:
            raise SettingsError(f"IFS has no resource {resource!r}; there are: {', '.join(RESOURCES)}")
        self._client = client
        self._resource = RESOURCES[resource]
        self._parts = {part: client.profile.parts[part] for part in self._resource.parts}

    @property
    def parts(self) -> tuple[str, ...]:
        """The sets that a record is made of."""
        return self._resource.parts

    @property
    def heads(self) -> tuple[str, ...]:
        """The parts of which each record has a row, or rows, in exactly one."""
        return self._resource.heads

    @property
    def depth(self) -> int:
        """How many parts of a row's key are the key of its record."""
        return self._parts[self.parts[0]].depth

    @property
    def keys_per_request(self) -> int:
        """How many records `read` asks for in one request."""
        return self._client.profile.keys_per_request

    @property
    def rows_per_request(self) -> int:
        """How many rows a page holds: of a record of several parts a page of each is in memory."""
        return min(self._client.profile.page_rows, max(PART_ROWS_MIN, ROWS_AT_ONCE // len(self.parts)))

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """Rows of a part: those modified since the cursor where the part has a modified time, else all.

        Pages of modified rows are in the order of their time; the first is asked for at once. Raises: RemoteError.
        """
        known = self._parts[part]
        if known.modified and rows.plausible(cursor, datetime.fromtimestamp(time.time(), UTC)):
            return self._since(part, known, Timestamp(cursor))
        return self._stretches(part, self._pages(part, keys_only=True))

    def read_all(self) -> Iterator[SightPage]:
        """Every record, in key order. Raises: RemoteError."""
        with ExitStack() as stack:
            streams = {part: stack.enter_context(closing(self._pages(part, keys_only=False))) for part in self.parts}
            batch: list[Sight] = []
            held, last = 0, ""
            for at, groups in self._joined(streams):
                if held >= min(self.rows_per_request, BATCH_ROWS) and not rows.odd(batch[-1].key):
                    self._check_text_order(self.parts[0], [last, *(one.key for one in batch)])
                    last = batch[-1].key
                    yield SightPage(tuple(batch), last)
                    batch, held = [], 0
                made = sight(self._resource, self._parts, rows.key(at), groups)
                batch.append(made)
                held += sum(map(len, groups.values()))
            if last:
                self._check_text_order(self.parts[0], [last, *(one.key for one in batch)])
            yield SightPage(tuple(batch), None)

    def _joined(self, streams: Mapping[str, Pages]) -> Iterator[tuple[tuple[Any, ...], Groups]]:
        try:
            yield from chain.from_iterable(joined(streams, self.depth))
        except ValueError as error:
            operation = f"read {' and '.join(self.parts)}"
            raise MalformedError(self._client.wire.system, operation, str(error)) from None

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records, each exactly once, those that are not there included. Raises: RemoteError."""
        asked = {rows.values(key): key for key in keys}
        stretches = (
            (parts, {values: asked[values] for values in stretch})
            for parts, group in self._by_parts(asked).items()
            for stretch in self._chunks(parts, group)
        )
        yield from self._client.at_once(partial(self._stretch, *one) for one in stretches)

    def _stretch(self, parts: Sequence[str], asked: dict[tuple[str, ...], str]) -> tuple[Sight, ...]:
        found: dict[str, list[Seen]] = {key: [] for key in asked.values()}
        for part in parts:
            self._gather(part, list(asked), found)
        return tuple(self._sight(key, group) for key, group in found.items())

    def _by_parts(self, asked: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
        """The keys by the parts that may have rows of them."""
        groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for values in asked:
            groups.setdefault(self._resource.parts_of(values), []).append(values)
        return groups

    def _chunks(self, parts: Sequence[str], group: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
        columns = (self._parts[part].key[: self.depth] for part in parts or self.parts)
        longest = max(columns, key=lambda names: len("".join(names)))
        return chunks(longest, group, count_max=self.keys_per_request, bytes_max=FILTER_BYTES_MAX)

    def _gather(self, part: str, stretch: list[tuple[str, ...]], found: dict[str, list[Seen]]) -> None:
        known = self._parts[part]
        plan = Plan(
            known.properties,
            known.key,
            one_of(known.key[: self.depth], stretch),
            skip=known.paging == "skip",
            end_short=True,
        )
        missing = len(stretch) if len(known.key) == self.depth else -1
        with closing(self._client.pages(part, plan, prefetch=False)) as pages:
            for page in pages:
                for seen in rows.seen(part, known, page):
                    self._put(part, seen, found)
                    missing -= 1
                if missing == 0:
                    return  # a row a key, and all are here

    def _put(self, part: str, seen: Seen, found: dict[str, list[Seen]]) -> None:
        key = rows.key(self._record_at(seen))
        if key not in found:
            raise MalformedError(self._client.wire.system, f"read {part}", "rows came that were not asked for")
        if seen.row.key not in {other.row.key for other in found[key] if other.row.part == part}:
            found[key].append(seen)

    def _sight(self, key: str, found: Sequence[Seen]) -> Sight:
        groups: dict[str, list[Seen]] = {}
        for seen in found:
            groups.setdefault(seen.row.part, []).append(seen)
        return sight(self._resource, self._parts, key, groups)

    def _record_at(self, seen: Seen) -> tuple[Any, ...]:
        return seen.at[: self.depth]

    def _since(self, part: str, known: Part, cursor: Timestamp) -> Generator[Page, None, None]:
        since = cursor.minus(self._client.profile.overlap_s)
        plan = Plan(
            (*known.key, known.modified),
            (known.modified, *known.key),
            f"{name(known.modified)} ge {literal(since)}",
            times=frozenset({known.modified}),
            skip=known.paging == "skip",
        )
        return self._modified(part, known, self._client.pages(part, plan))

    def _modified(self, part: str, known: Part, pages: Generator[Rows, None, None]) -> Generator[Page, None, None]:
        with closing(pages):
            for page in pages:
                yield Page(part, tuple(seen.row for seen in rows.seen(part, known, page)), None, complete=False)

    def _stretches(self, part: str, pages: Generator[list[Seen], None, None]) -> Generator[Page, None, None]:
        """All rows, a page behind the reading, so that the last page is known to be the last."""
        pending: list[Seen] = []
        last = ""
        with closing(pages):
            for page in pages:
                edge = next((seen.row.key for seen in reversed(pending) if not seen.odd), "")
                if edge:
                    self._check_text_order(part, [last, edge])
                    yield Page(part, tuple(seen.row for seen in pending), edge, complete=True)
                    pending, last = [], edge
                pending = [*pending, *page]
        yield Page(part, tuple(seen.row for seen in pending), None, complete=True)

    def _check_text_order(self, part: str, keys: Iterable[str]) -> None:
        if any(after <= before for before, after in pairwise(key for key in keys if not rows.odd(key))):
            raise MalformedError(
                self._client.wire.system, f"read {part}", "its key is not text, so its rows can't be put in order"
            )

    def _pages(self, part: str, *, keys_only: bool) -> Generator[list[Seen], None, None]:
        """The pages of a part in key order; the first is asked for at once."""
        known = self._parts[part]
        select = (*known.key, *([known.modified] if known.modified else [])) if keys_only else known.properties
        rows_max = 0 if keys_only else self.rows_per_request
        plan = Plan(select, known.key, skip=known.paging == "skip", rows_max=rows_max)
        return self._read(part, known, self._client.pages(part, plan))

    def _read(self, part: str, known: Part, pages: Generator[Rows, None, None]) -> Generator[list[Seen], None, None]:
        with closing(pages):
            found = (rows.seen(part, known, page) for page in pages)
            yield from self._sorted(found) if known.paging == "skip" else found

    def _sorted(self, pages: Iterator[list[Seen]]) -> Iterator[list[Seen]]:
        """All pages at once, in code point order: a set that IFS sorts in its own way can't be joined as it comes."""
        whole = {seen.at: seen for page in pages for seen in page}
        ordered = [whole[at] for at in sorted(whole)]
        for start in range(0, len(ordered), self.rows_per_request):
            yield ordered[start : start + self.rows_per_request]
