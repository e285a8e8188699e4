"""Vouchers of ours that are in IFS, in the hold table or in the ledger.

Rule: the hold table is read before the ledger, so that a voucher that moves meanwhile is seen; the ledger's word goes.
Must not know: what is wanted, files.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from itertools import groupby
from typing import Any

import msgspec

from ml_connector.errors import AuthError, MalformedError, NotFoundError, SettingsError
from ml_connector.records.voucher import Voucher
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata.literals import literal, name
from ml_connector.systems.ifs.odata.query import any_of, both, equal, stretches
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.vouchers.compose import voucher_of
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.references import Reference, read
from ml_connector.systems.ifs.vouchers.standing import Posted

LONG = 16  # characters; a key that is so long is the beginning of no other, so that it is asked for shortly
HOLD, HOLD_ROWS, LEDGER = "hold_vouchers", "hold_rows", "voucher_rows"

APPROVED = "Confirmed"  # assumed; a manual voucher is so from the start, which says nothing

_NEEDED = ("reference_serie", "reference", "text", "dated_on")

Raw = dict[str, Any]
Place = tuple[str, ...]


class Lookup:
    """Reads vouchers by the reference that marks them, and where they may have come by file also by their text."""

    def __init__(self, client: IfsClient, landing: Landing) -> None:
        self._client = client
        self._landing = landing
        self._parts = client.profile.parts
        self._by_text = bool(landing.folder)
        for part in (HOLD, HOLD_ROWS, LEDGER):
            _check(part, self._parts[part])

    def posted(self, keys: Sequence[str], *, marked: bool = True) -> dict[str, list[Posted]]:
        """All vouchers of these documents, by key; those that have none are left out.

        `marked`: also those that carry our serie, as `each` gives them. Raises: RemoteError.
        """
        names = (HOLD, LEDGER)
        filters = {name: list(self._filters(self._parts[name], keys, marked=marked)) for name in names}
        grouped: dict[str, list[Posted]] = {}
        for one in self._vouchers(filters, frozenset(keys)):
            grouped.setdefault(one.reference.key, []).append(one)
        return grouped

    def everything(self) -> dict[str, list[bytes]]:
        """All vouchers that carry our serie, by key, packed: there may be many. Raises: RemoteError."""
        packed: dict[str, list[bytes]] = {}
        for one in self.each():
            packed.setdefault(one.reference.key, []).append(pack(one))
        return packed

    def each(self) -> Iterator[Posted]:
        """All vouchers that carry our serie, one by one. Raises: RemoteError."""
        return self._vouchers({part: [self._marked(self._parts[part])] for part in (HOLD, HOLD_ROWS, LEDGER)})

    def in_hold(self, references: Sequence[str]) -> dict[str, str]:
        """The target ids of vouchers that have just come into the hold table, by reference. Raises: RemoteError."""
        part = self._parts[HOLD]
        column = part.fields["reference"]
        tests = [equal([(column, text)]) for text in references]
        found: dict[str, str] = {}
        for some in stretches(tests, self._client.profile.keys_per_request):
            wanted = both(self._marked(part), any_of(some))
            rows = self._rows(HOLD, [wanted], most=len(some))
            found |= {str(row[column]): "/".join(_place(part, row)) for row in rows}
        return found

    def _marked(self, part: Part) -> str:
        return equal([(part.fields["reference_serie"], self._landing.serie)])

    def _filters(self, part: Part, keys: Sequence[str], *, marked: bool) -> Iterator[str]:
        """The filters that take the vouchers of these documents and few others, each short enough for a URL."""
        count = self._client.profile.keys_per_request
        referring = [_referring(part.fields["reference"], key) for key in (keys if marked else ())]
        yield from (both(self._marked(part), any_of(some)) for some in stretches(referring, count))
        if self._by_text:
            beginning = [_beginning(part.fields["text"], key) for key in keys]
            yield from (any_of(some) for some in stretches(beginning, count))

    def _vouchers(
        self, filters: Mapping[str, Sequence[str]], wanted: Collection[str] | None = None
    ) -> Iterator[Posted]:
        """The vouchers that the filters take; `wanted`: only those of these documents."""
        rows = (row for row in self._in_hold(HOLD, filters[HOLD]) if self._is_wanted(HOLD, row, wanted))
        heads = {_place(self._parts[HOLD], row): row for row in rows}
        held = self._rows_of(list(heads.values()), filters.get(HOLD_ROWS)) if heads else {}
        seen: set[str] = set()
        for one in self._in_ledger(filters[LEDGER], wanted):
            if one.target_id not in seen:
                seen.add(one.target_id)
                yield one
        for place, head in heads.items():
            if "/".join(place) not in seen:
                yield self._held(place, head, held.get(place, []))

    def _rows_of(self, heads: Sequence[Raw], filters: Sequence[str] | None) -> dict[Place, list[Raw]]:
        """The rows of vouchers in the hold table, by voucher; where no filter takes them, they are asked for by key."""
        head, part = self._parts[HOLD], self._parts[HOLD_ROWS]
        columns = list(zip(part.key[: part.depth], head.key[: head.depth], strict=True))
        tests = [equal([(own, row[given]) for own, given in columns]) for row in heads]
        by_key = (any_of(some) for some in stretches(tests, self._client.profile.keys_per_request))
        return _grouped(part, self._in_hold(HOLD_ROWS, list(by_key) if filters is None else filters))

    def _is_wanted(self, name: str, row: Raw, wanted: Collection[str] | None) -> bool:
        return wanted is None or self._reference(_named(self._parts[name], row))[0].key in wanted

    def _in_hold(self, name: str, filters: Sequence[str]) -> list[Raw]:
        """Rows of the hold table; none where vouchers go by file because the tenant shows no such table."""
        try:
            return list(self._rows(name, filters))
        except (AuthError, NotFoundError) as error:
            if self._landing.kind != "file" or error.status == 401:
                raise
            return []

    def _in_ledger(self, filters: Sequence[str], wanted: Collection[str] | None) -> Iterator[Posted]:
        part = self._parts[LEDGER]
        for one in filters:
            for place, rows in _by_voucher(part, self._rows(LEDGER, [one])):
                if self._is_wanted(LEDGER, rows[0], wanted):
                    yield self._read(place, rows)

    def _rows(self, name: str, filters: Sequence[str], most: int = 0) -> Iterator[Raw]:
        """The rows that the filters take; `most`: with this many, each filter has no more."""
        part = self._parts[name]
        for one in filters:
            plan = Plan(part.properties, part.key, one, skip=part.paging == "skip", end_short=True)
            came = 0
            with closing(self._client.pages(name, plan, prefetch=False)) as pages:
                for page in pages:
                    yield from page.rows
                    came += len(page.rows)
                    if most and came >= most:
                        break

    def _read(self, place: Place, rows: Sequence[Raw]) -> Posted:
        first = _named(self._parts[LEDGER], rows[0])
        reference, prefix = self._reference(first)
        on = self._day(LEDGER, first)
        voucher = self._voucher(LEDGER, place, on, rows, prefix)
        return Posted(reference, "ledger", "/".join(place), voucher, on, period=_period(place, first))

    def _held(self, place: Place, head: Raw, rows: Sequence[Raw]) -> Posted:
        fields = _named(self._parts[HOLD], head)
        reference, prefix = self._reference(fields)
        on = self._day(HOLD, fields)
        voucher = self._voucher(HOLD_ROWS, place, on, rows, prefix)
        approved = self._landing.kind != "manual" and fields.get("status") == APPROVED
        period = _period(place, fields)
        return Posted(reference, "hold", "/".join(place), voucher, on, approved, head, tuple(rows), period)

    def _voucher(self, part: str, place: Place, on: date, rows: Sequence[Raw], prefix: str) -> Voucher:
        named = [_named(self._parts[part], row) for row in rows]
        try:
            return voucher_of(place[0], on, named, prefix=prefix)
        except ValueError as error:
            raise self._malformed(part, str(error)) from None

    def _reference(self, fields: Raw) -> tuple[Reference, str]:
        """Which voucher of which document it is, and what its texts begin with."""
        if fields.get("reference_serie") == self._landing.serie and fields.get("reference"):
            return read(str(fields["reference"])), ""
        reference = read(str(fields.get("text") or "").partition(" ")[0])
        return reference, f"{reference.text} "

    def _day(self, part: str, fields: Raw) -> date:
        try:
            return date.fromisoformat(str(fields.get("dated_on"))[:10])
        except ValueError:
            raise self._malformed(part, "a voucher has no date") from None

    def _malformed(self, part: str, detail: str) -> MalformedError:
        return MalformedError(self._client.wire.system, f"read {part}", detail)


def pack(posted: Posted) -> bytes:
    """A voucher as few bytes, without what only an amendment needs."""
    return msgspec.msgpack.encode(msgspec.structs.replace(posted, head={}, rows=()))


def unpack(packed: bytes) -> Posted:
    """The voucher that was packed."""
    return msgspec.msgpack.decode(packed, type=Posted)


def _check(name: str, part: Part) -> None:
    for field in _NEEDED:
        if field in part.fields and not part.fields[field]:
            raise SettingsError(f"profile.{name}.fields.{field} can't be left out: vouchers are found again by it")


def _referring(column: str, key: str) -> str:
    if len(key) >= LONG:
        return _startswith(column, key)
    return f"{name(column)} eq {literal(key)} or {_startswith(column, key + '/')}"


def _beginning(column: str, key: str) -> str:
    if len(key) >= LONG:
        return _startswith(column, key)
    return " or ".join(_startswith(column, key + ending) for ending in " /")


def _startswith(column: str, text: str) -> str:
    return f"startswith({name(column)},{literal(text)})"


def _place(part: Part, row: Raw) -> Place:
    values = (row[column] for column in part.key[: part.depth])
    return tuple(value if isinstance(value, str) else literal(value) for value in values)


def _period(place: Place, fields: Raw) -> str:
    """The period that a voucher is in, as IFS says: its year is part of its key."""
    number = str(fields.get("period") or "")
    return f"{place[2]}-{number:0>2}" if number.isdecimal() else ""


def _by_voucher(part: Part, rows: Iterable[Raw]) -> Iterator[tuple[Place, list[Raw]]]:
    """Rows by voucher, as they come in order; all at once where the tenant has its own order."""
    if part.paging == "skip":
        yield from _grouped(part, rows).items()
    else:
        yield from ((place, list(group)) for place, group in groupby(rows, lambda row: _place(part, row)))


def _grouped(part: Part, rows: Iterable[Raw]) -> dict[Place, list[Raw]]:
    """Rows by voucher, in order, each once."""
    groups: dict[Place, dict[Any, Raw]] = {}
    for row in rows:
        groups.setdefault(_place(part, row), {})[row[part.key[-1]]] = row
    return {place: [group[number] for number in sorted(group)] for place, group in groups.items()}


def _named(part: Part, row: Raw) -> Raw:
    """A row by our names."""
    return {field: row.get(column) for field, column in part.fields.items() if column}
