"""Two systems as one: a source of what both have of a record, and a target that sets either side.

Rule: a side is set only while it still is as it was when that was decided; what changed meanwhile is decided anew.
Must not know: which side is right, what a term of one side is called on the other.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from ml_connector.errors import RemoteError
from ml_connector.records.supplier import SupplierTerms
from ml_connector.records.terms import BothTerms, TermsOnBoth, on_both, state
from ml_connector.sync.detect import Page
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Refused, Result, Sight, SightPage, Source, Unknown, Write

BATCH_MAX = 20

Combine = Callable[[Any, Any], Any]


class IfsTerms(Protocol):
    """The agreements of suppliers. Raises: RemoteError."""

    def read(self, keys: Sequence[str], /) -> Mapping[str, tuple[SupplierTerms, ...]]:
        """The agreements by supplier, ordered by company; a supplier without any is left out."""
        ...

    def set(self, supplier_id: str, terms: Mapping[str, str], /) -> Result:
        """Set payment terms by company; raises only when nothing was delivered."""
        ...


class AirbaseTerms(Protocol):
    """The payment terms of vendors. Raises: RemoteError."""

    def read(self, keys: Sequence[str], /) -> Mapping[str, str | None]:
        """The terms by the supplier that a vendor stands for; a supplier without a vendor is left out."""
        ...

    def set(self, reference: str, terms: str, /) -> Result:
        """Set the terms of a vendor; raises only when nothing was delivered."""
        ...


class PairSource:
    """Records made of one of each side, under the same key; implements `sync.ports.Source`.

    A record is there when either side has it. `combine` is given both sides, None for one that is not there.
    """

    def __init__(self, left: Source, right: Source, combine: Combine = BothTerms) -> None:
        if left.depth != right.depth or set(left.parts) & set(right.parts):
            raise ValueError("the two sides of a pair need keys of the same depth, and parts of different names")
        self._left, self._right, self._combine = left, right, combine
        self.latest: dict[str, Any] = {}  # the records of the page that was read last

    @property
    def parts(self) -> tuple[str, ...]:
        """The sets of both sides."""
        return (*self._left.parts, *self._right.parts)

    @property
    def heads(self) -> tuple[str, ...]:
        """Those of the left side, by which records are counted."""
        return self._left.heads

    @property
    def depth(self) -> int:
        """How many parts of a row's key are the key of its record."""
        return self._left.depth

    @property
    def keys_per_request(self) -> int:
        """How many records `read` asks for in one request."""
        return min(self._left.keys_per_request, self._right.keys_per_request)

    @property
    def rows_per_request(self) -> int:
        """How many rows a page holds."""
        return min(self._left.rows_per_request, self._right.rows_per_request)

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """Rows of a part of either side. Raises: RemoteError."""
        return (self._left if part in self._left.parts else self._right).sweep(part, cursor)

    def read_all(self) -> Iterator[SightPage]:
        """Every record of either side, in key order; a page reaches as far as both sides do. Raises: RemoteError."""
        left, right = _Stream(self._left.read_all()), _Stream(self._right.read_all())
        while True:
            upto = min((edge for edge in (left.upto, right.upto) if edge is not None), default=None)
            yield SightPage(self._joined(left.take(upto), right.take(upto)), upto)
            if upto is None:
                return

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records, each exactly once, those that are not there included. Raises: RemoteError."""
        for at in range(0, len(keys), self.keys_per_request):
            asked = sorted(set(keys[at : at + self.keys_per_request]))
            left = chain.from_iterable(self._left.read(asked))
            right = chain.from_iterable(self._right.read(asked))
            yield self._joined(left, right)

    def _joined(self, left: Iterable[Sight], right: Iterable[Sight]) -> tuple[Sight, ...]:
        ours, theirs = ({sight.key: sight for sight in side} for side in (left, right))
        sights = tuple(
            self._sight(key, ours.get(key, Sight(key)), theirs.get(key, Sight(key)))
            for key in sorted(ours.keys() | theirs.keys())
        )
        self.latest = {sight.key: sight.record for sight in sights if sight.record is not None}
        return sights

    def _sight(self, key: str, left: Sight, right: Sight) -> Sight:
        rows = (*left.rows, *right.rows)
        unreadable = left.unreadable or right.unreadable
        if unreadable or not (left.there or right.there):
            return Sight(key, rows=rows, unreadable=unreadable)
        return Sight(key, self._combine(left.record, right.record), rows)


class _Stream:
    """The pages of one side, of which as much is taken as the other side has come to."""

    def __init__(self, pages: Iterator[SightPage]) -> None:
        self._pages = pages
        self._sights: list[Sight] = []
        self.upto: str | None = ""
        self._fill()

    def take(self, upto: str | None) -> list[Sight]:
        """What there is up to a key (None: all); then a page more, if that was all of it."""
        taken = [sight for sight in self._sights if upto is None or sight.key <= upto]
        self._sights = [sight for sight in self._sights if upto is not None and sight.key > upto]
        if upto is not None and self.upto == upto:
            self._fill()
        return taken

    def _fill(self) -> None:
        page = next(self._pages)
        self._sights.extend(page.sights)
        self.upto = page.upto


class PairTarget:
    """Payment terms on both sides; implements `sync.ports.Target` for `TermsOnBoth`.

    There is always something to be found: a side without a record is empty. Given the source, what it read last is
    what is found, once: so a change is decided on one and the same reading, and not carried out on a later one.
    """

    def __init__(self, ifs: IfsTerms, airbase: AirbaseTerms, source: PairSource | None = None) -> None:
        self._ifs, self._airbase, self._source = ifs, airbase, source

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Any number: what was read last need not be looked for."""
        return sys.maxsize

    def trim(self, record: TermsOnBoth) -> TermsOnBoth:
        """The record as it is: both sides have all of it."""
        return record

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Every record that both sides have. Raises: RemoteError."""
        for page in self._source.read_all() if self._source else ():
            self._forget()
            there = [one for one in page.sights if one.record and one.record.supplier and one.record.vendor]
            yield tuple(Found(one.key, one.key, state(one.record)) for one in there)

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """Both sides of each of these. Raises: RemoteError."""
        latest = self._source.latest if self._source else {}
        known = {key: state(latest.pop(key)) for key in keys if key in latest}
        there = known | self._now([key for key in keys if key not in known])
        return tuple(Found(key, key, there[key]) for key in keys)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Set the side, or sides, of each that should be otherwise.

        Raises: RemoteError when nothing was delivered.
        """
        self._forget()
        now = self._now([write.key for write in writes])
        results: list[Result] = []
        for place, write in enumerate(writes):
            try:
                results.append(self._one(write, now[write.key]))
            except RemoteError as error:
                if all(isinstance(result, Refused) for result in results):
                    raise
                return (*results, *(Unknown(left.key, f"not sent: {error.detail}") for left in writes[place:]))
        return tuple(results)

    def _forget(self) -> None:
        if self._source:
            self._source.latest = {}

    def _now(self, keys: Sequence[str]) -> dict[str, TermsOnBoth]:
        if not keys:
            return {}
        agreements, vendors = self._ifs.read(keys), self._airbase.read(keys)
        return {key: on_both(agreements.get(key, ()), vendors.get(key) or "") for key in keys}

    def _one(self, write: Write, now: TermsOnBoth) -> Result:
        if not write.target_id or not isinstance(write.before, TermsOnBoth):
            return Refused(write.key, _changed_meanwhile(write.key))  # it was on neither side when that was decided
        after: TermsOnBoth = write.after
        before = write.before
        there, wanted, was = dict(now.ifs or ()), dict(after.ifs or ()), dict(before.ifs or ())
        ifs = {company: term for company, term in wanted.items() if was.get(company) != term != there.get(company)}
        airbase = after.airbase not in (None, before.airbase, now.airbase)
        moved = [company for company in ifs if there.get(company) != was.get(company)]
        if moved or (airbase and now.airbase != before.airbase):
            return Refused(write.key, _changed_meanwhile(write.key))
        return self._set(write.key, ifs, after.airbase if airbase else None)

    def _set(self, key: str, ifs: Mapping[str, str], airbase: str | None) -> Result:
        """Set a side, or both; what is linked is the pair, whatever either side calls its record."""
        first = self._ifs.set(key, ifs) if ifs else Done(key, key)
        if isinstance(first, Done) and airbase is not None:
            first = self._set_airbase(key, airbase, alone=not ifs)
        return Done(key, key) if isinstance(first, Done) else first

    def _set_airbase(self, key: str, terms: str, *, alone: bool) -> Result:
        try:
            return self._airbase.set(key, terms)
        except RemoteError as error:
            if alone:
                raise
            return Unknown(key, f"set in IFS only: {error.detail}")


def _changed_meanwhile(key: str) -> Held:
    return Held(
        "changed_meanwhile",
        f"The payment terms of supplier {key} were changed while the connector was about to set them.",
        "Nothing: the next run looks at them again.",
    )
