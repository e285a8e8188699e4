"""The calls that Airbase's API has: pages, one record, create, update, bulk.

Rule: an answer is checked for its shape before anything in it is used; a list ends with an empty page, nothing else. A
row of a list whose id can be no key gets a stand-in, by which that record alone is held.
Must not know: what the records mean, or which of them are ours.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, urlencode

import msgspec

from ml_connector.errors import MalformedError, RefusedError
from ml_connector.systems.airbase.profile import DEFAULT, Profile
from ml_connector.systems.airbase.refusals import Refusals
from ml_connector.systems.airbase.resource import Resource
from ml_connector.systems.http import Answer, Wire, json_object
from ml_connector.systems.limits import Limiter

SYSTEM = "airbase"
PAGES_MAX = 40_000
LOW_SHARE = 0.1  # of the rate limit; below it every request waits the longer the less is left
ODD = "unusable id "  # what stands for an id that can be no key begins so; no request is made with it
NO_ID = "its id in Airbase has characters that can't be printed"
PAUSE_MAX_S = 2.0  # the window is not known: slow enough to stretch the last tenth over a minute or so

Raw = dict[str, Any]


class Bulk(msgspec.Struct, frozen=True):
    """What a bulk write says it did."""

    created: tuple[Raw, ...]
    updated: tuple[Raw, ...]


class Rejection(msgspec.Struct, frozen=True):
    """A batch that was refused because of single entities: what was said, by place."""

    reasons: Mapping[int, str]


class Rate(msgspec.Struct, frozen=True):
    """What the last answer said about how much may be asked."""

    limit: int
    remaining: int


class AirbaseClient:
    """One tenant's API.

    `refusals`: the object whose `explain` was given to the wire; without it a refused batch can't be told apart.
    `limiter`: the wire's; without it a rate limit that runs low is only met when it is reached.
    """

    def __init__(
        self, wire: Wire, profile: Profile = DEFAULT, refusals: Refusals | None = None, limiter: Limiter | None = None
    ) -> None:
        self.wire = wire
        self.profile = profile
        self.rate: Rate | None = None
        self._refusals = refusals or Refusals()
        self._limiter = limiter

    def page(self, resource: Resource, query: Mapping[str, str], number: int = 1, size: int = 0) -> list[Raw]:
        """One page of a list; past the end it is empty.

        Raises: RemoteError; MalformedError when it is not a list of objects with an id.
        """
        asked = {**query, "page": str(number), "page_size": str(size or self.profile.page_size)}
        operation = _operation("list", resource)
        answer = self._call(operation, "GET", resource.path, asked)
        return self._rows(_stood_in(answer.get("data")), operation)

    def pages(self, resource: Resource, query: Mapping[str, str] | None = None) -> Iterator[list[Raw]]:
        """All pages of a list, up to the first empty one.

        Raises: RemoteError; MalformedError also when a page comes twice or there is no end of pages.
        """
        before: list[str] = []
        for number in range(1, PAGES_MAX + 1):
            rows = self.page(resource, query or {}, number)
            if not rows:
                return
            ids = [id_of(row) for row in rows]
            if ids == before:
                raise self._malformed(_operation("list", resource), f"page {number} is the one before it again")
            before = ids
            yield rows
        raise self._malformed(_operation("list", resource), f"no end after {PAGES_MAX} pages")

    def get(self, resource: Resource, target_id: str) -> Raw:
        """One record.

        Raises: RemoteError; NotFoundError when it is not there.
        """
        operation = _operation("read", resource)
        return self._row(self._call(operation, "GET", _row_path(resource, target_id)), operation)

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Raw:
        """Create one record and give back what Airbase then shows; never done twice.

        Raises: RemoteError; UnconfirmedError when it may have happened.
        """
        operation = _operation("create", resource)
        return self._row(self._call(operation, "POST", resource.path, body=body, repeatable=False), operation)

    def update(self, resource: Resource, target_id: str, body: Mapping[str, Any], *, repeatable: bool) -> Raw:
        """Set fields of one record and give back what Airbase then shows.

        Raises: RemoteError; UnconfirmedError when it may have happened and is not `repeatable`.
        """
        operation = _operation("update", resource)
        path = _row_path(resource, target_id)
        return self._row(self._call(operation, "PATCH", path, body=body, repeatable=repeatable), operation)

    def bulk_upsert(
        self, resource: Resource, entities: Sequence[Mapping[str, Any]], *, repeatable: bool
    ) -> Bulk | Rejection:
        """Create the entities without `airbase_id`, update the others.

        Raises: RemoteError; RefusedError when the refusal was not about single entities.
        """
        operation = _operation("bulk write", resource)
        body = {"entities": list(entities)}
        try:
            answer = self._call(operation, "POST", resource.bulk_path, body=body, repeatable=repeatable)
        except RefusedError as error:
            reasons = self._refusals.by_index() if error.status == 400 else None
            if reasons is None:
                raise
            return Rejection(reasons)
        if not {"created", "updated"} & answer.keys():
            raise self._malformed(operation, "the answer says neither what was created nor what was updated")
        return Bulk(*(tuple(self._rows(answer.get(name, []), operation)) for name in ("created", "updated")))

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = True,
    ) -> Raw:
        self._refusals.clear()
        answer = self.wire.call(
            operation,
            method,
            path,
            query=urlencode(query or {}, quote_via=quote, safe=""),
            headers={} if body is None else {"Content-Type": "application/json"},
            body=b"" if body is None else msgspec.json.encode(body),
            repeatable=repeatable,
        )
        self._slow_down(answer)
        return json_object(answer, self.wire.system, operation)

    def _slow_down(self, answer: Answer) -> None:
        self.rate = rate_of(answer.headers) or self.rate
        if self._limiter and self.rate:
            self._limiter.defer(pause_s(self.rate))

    def _rows(self, listed: Any, operation: str) -> list[Raw]:
        if not isinstance(listed, list):
            raise self._malformed(operation, "no list where one was promised")
        return [self._row(row, operation) for row in cast("list[Any]", listed)]

    def _row(self, row: Any, operation: str) -> Raw:
        if not isinstance(row, dict) or not id_of(cast("Raw", row)):
            raise self._malformed(operation, "a record is not an object with an id")
        return cast("Raw", row)

    def _malformed(self, operation: str, detail: str) -> MalformedError:
        return MalformedError(self.wire.system, operation, detail)


def id_of(row: Mapping[str, Any]) -> str:
    """A record's id; "" when it has none that can be a key."""
    given = _given(row)
    return given if isinstance(given, str) and given.isprintable() else ""


def is_odd(row_id: str) -> bool:
    """Whether an id only stands for one that can be no key."""
    return row_id.startswith(ODD)


def _given(row: Mapping[str, Any]) -> Any:
    return row.get("airbase_id") or row.get("id")


def _stood_in(listed: Any) -> Any:
    """The rows, those with an id of text that can be no key under a stand-in that is theirs alone."""
    return [_with_id(row) for row in cast("list[Any]", listed)] if isinstance(listed, list) else listed


def _with_id(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    given = _given(raw := cast("Raw", row))
    if id_of(raw) or not given or not isinstance(given, str):
        return raw
    digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()
    return {**raw, "airbase_id": f"{ODD}{digest[:16]}"}


def rate_of(headers: Mapping[str, str]) -> Rate | None:
    """The rate limit that an answer tells of."""
    limit, remaining = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    usable = all(text.isascii() and text.isdigit() and len(text) < 10 for text in (limit, remaining))
    return Rate(int(limit), int(remaining)) if usable and int(limit) else None


def pause_s(rate: Rate) -> float:
    """How long everybody waits before the next request. Units: seconds."""
    low = rate.limit * LOW_SHARE
    return PAUSE_MAX_S * (1 - rate.remaining / low) if rate.remaining < low else 0.0


def _row_path(resource: Resource, target_id: str) -> str:
    return f"{resource.path}{quote(target_id, safe='')}/"


def _operation(verb: str, resource: Resource) -> str:
    return f"{verb} {resource.called}"
