"""The stand-in Airbase: routes of the partner API as far as it is known or assumed.

One rule: a request is let in, routed and answered under one lock, so that it takes effect whole or not at all.
It must not know which faults may spoil its answers.
"""

import hashlib
import threading
from decimal import Decimal
from typing import Any, cast

import msgspec

from ml_connector.sandbox.airbase import replies, seed
from ml_connector.sandbox.airbase.books import Books, Refused
from ml_connector.sandbox.airbase.edits import edited
from ml_connector.sandbox.airbase.facts import Facts
from ml_connector.sandbox.airbase.gate import Gate
from ml_connector.sandbox.airbase.hooks import Hooks
from ml_connector.sandbox.airbase.kinds import KINDS, Kind
from ml_connector.sandbox.airbase.lists import NoSuchPage, page_of
from ml_connector.sandbox.airbase.options import AirbaseOptions
from ml_connector.sandbox.airbase.session import SESSION_PATH, EntitySession
from ml_connector.sandbox.web import Request, Response

_BODY = msgspec.json.Decoder(float_hook=Decimal)
_ID_FIELDS = {"id", "airbase_id", "url", "airbase_url", "bill_ids", "request_id"}


class AirbaseSite:
    """Answers as Airbase would; rows can be looked at and edited from outside."""

    name = "airbase"

    def __init__(self, options: AirbaseOptions | None = None, facts: Facts | None = None) -> None:
        self.options = options or AirbaseOptions()
        self.books = Books(self.options, facts)
        self._gate = Gate(self.options)
        self._session = EntitySession(self.options)
        self._lock = threading.RLock()
        self.hooks = Hooks(lambda: self.options.hooks, self.options.seed)
        seed.fill(self.books)

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        route = _route(request.path)
        if route is None:
            slashed = _route(request.path + "/") is not None
            return replies.moved(request.path, request.query) if slashed else replies.no_such_page()
        with self._lock:
            answer = self._gate.refusal(request) or self._allowed(route, request)
            return replies.with_headers(answer, self._gate.rate_headers())

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """List all rows of a kind as a client would see them, oldest first."""
        with self._lock:
            return [self.books.shown(KINDS[kind], row) for row in self.books.tables[kind]]

    def documents(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """List copies of the rows of a kind that have these values, oldest first, to be kept or changed at will."""
        rows = (row for row in self.rows(kind) if all(row.get(name) == value for name, value in fields.items()))
        return msgspec.json.decode(msgspec.json.encode(list(rows)))

    def document(self, kind: str, key: str) -> dict[str, Any]:
        """Give a copy of one row; a KeyError when there is none."""
        with self._lock:
            row = self.books.tables[kind].get(key)
            if row is None:
                raise KeyError(key)
            return msgspec.json.decode(msgspec.json.encode(self.books.shown(KINDS[kind], row)))

    def counts(self) -> dict[str, int]:
        """Count the rows of each kind."""
        with self._lock:
            return {name: len(table) for name, table in self.books.tables.items()}

    def edit(self, op: dict[str, Any]) -> dict[str, Any]:
        """Do what a person or Airbase itself would do, past the API's checks; see `edits`."""
        with self._lock:
            before = self._status(op)
            done = edited(self.books, op)
            self.hooks.noticed(str(op.get("kind")), before, done.get("row"))
            return done

    def close(self) -> None:
        """Send no more webhooks."""
        self.hooks.close()

    def digest(self, *kinds: str) -> str:
        """Digest what the rows say, whatever ids they got and in whatever order they came."""
        with self._lock:
            lines = sorted(
                msgspec.json.encode([name, _without_ids(row)], order="sorted")
                for name in kinds or KINDS
                for row in self.rows(name)
            )
        return hashlib.sha256(b"\n".join(lines)).hexdigest()

    def _status(self, op: dict[str, Any]) -> str | None:
        table = self.books.tables.get(str(op.get("kind")))
        row = table.get(str(op.get("id"))) if table else None
        return str(row.get("status")) if row else None

    def _allowed(self, route: "_Route", request: Request) -> Response:
        allowed = self._methods(route)
        if request.method == "OPTIONS":
            return replies.json_reply(200, {}, Allow=", ".join(allowed))
        if request.method not in allowed:
            return replies.not_allowed(request.method, ", ".join(allowed))
        try:
            return self._answered(route, request)
        except Refused as refused:
            return replies.json_reply(400, refused.body)
        except NoSuchPage:
            return replies.detail(404, "Invalid page.")

    def _methods(self, route: "_Route") -> list[str]:
        writes = () if route.kind and route.kind.name in self.options.readonly else ("POST", "PATCH")
        reads = ("GET", "HEAD") if "GET" in route.methods else ()
        return [*reads, *(method for method in route.methods if method in writes), "OPTIONS"]

    def _answered(self, route: "_Route", request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return self._read(route, request)
        if "json" not in request.headers.get("content-type", "application/json"):
            return replies.detail(415, f'Unsupported media type "{request.headers["content-type"]}" in request.')
        try:
            given = _BODY.decode(request.body or b"{}")
        except msgspec.DecodeError as error:
            return replies.detail(400, f"JSON parse error - {error}")
        return self._written(route, request.method, given)

    def _read(self, route: "_Route", request: Request) -> Response:
        assert route.kind is not None  # noqa: S101 - the session has no GET
        if not route.key:
            return replies.json_reply(200, page_of(self.books, route.kind, request))
        row = self.books.tables[route.kind.name].get(route.key)
        return replies.json_reply(200, self.books.shown(route.kind, row)) if row else replies.not_found()

    def _written(self, route: "_Route", method: str, given: Any) -> Response:
        if route.kind is None:
            return self._session.answer(method, given)
        if route.bulk:
            return replies.json_reply(200, self.books.bulk(route.kind, given))
        if not route.key:
            return replies.json_reply(201, self.books.create(route.kind, given))
        row = self.books.update(route.kind, route.key, given)
        return replies.json_reply(200, row) if row else replies.not_found()


class _Route(msgspec.Struct, frozen=True):
    kind: Kind | None  # None for the entity session
    methods: tuple[str, ...]
    key: str = ""
    bulk: bool = False


_SESSION = _Route(None, ("POST", "PATCH"))


def _route(path: str) -> _Route | None:
    if path == SESSION_PATH:
        return _SESSION
    return next((route for kind in KINDS.values() if (route := _route_to(kind, path))), None)


def _route_to(kind: Kind, path: str) -> _Route | None:
    if not path.startswith(kind.path):
        return None
    rest = path[len(kind.path) :]
    if not rest:
        return _Route(kind, kind.methods)
    if rest == "bulk_upsert/":
        return _Route(kind, ("POST",), bulk=True) if kind.bulk else None
    key = rest.removesuffix("/")
    return _Route(kind, kind.row_methods, key=key) if rest.endswith("/") and "/" not in key and key else None


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        row = cast(dict[str, Any], value)
        return {name: _without_ids(inner) for name, inner in row.items() if name not in _ID_FIELDS}
    if isinstance(value, list):
        return [_without_ids(inner) for inner in cast(list[Any], value)]
    return value
