"""Entity sets over HTTP: one request for a resource to its answer.

Rule: what a method means for a resource is decided here and nowhere else.
It must not know tokens, limits or batches.
"""

import re
from typing import Any, NamedTuple

from ml_connector.sandbox.ifs.errors import not_implemented, wrong_method
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.query import Query, names_of, options_of, query_of
from ml_connector.sandbox.ifs.reading import Page, Reader, next_query
from ml_connector.sandbox.ifs.resource import Paths, Resource
from ml_connector.sandbox.ifs.services import Service
from ml_connector.sandbox.ifs.wire import content_type, encode, wants_text_decimals
from ml_connector.sandbox.ifs.writing import Writer
from ml_connector.sandbox.web import Request, Response
from ml_connector.sandbox.world import Row, World

AWARE = "x-ifs-time-zone-aware-request"
_PAGE_SIZE = re.compile(r"(?:odata\.)?maxpagesize\s*=\s*(\d+)")


class Call(NamedTuple):
    """One request for something below a service."""

    request: Request
    service: Service
    rest: str  # the path below the service

    @property
    def root(self) -> str:
        """The address of the service."""
        path = self.request.path
        return f"http://{self.request.host}{path[: len(path) - len(self.rest)]}/"


class DataDoor:
    """Answers requests for resources, one at a time."""

    def __init__(self, world: World, options: IfsOptions) -> None:
        self._world = world
        self._options = options

    def answer(self, call: Call) -> Response:
        """Answer one request, or refuse it."""
        resource = Paths(self._world, self._options.companies).find(call.service, call.rest)
        method = call.request.method
        if resource.action is not None:
            return self._act(call, resource) if method == "POST" else _refuse(method)
        if method == "GET":
            return self._one(call, resource) if resource.key is not None else self._many(call, resource)
        if resource.key is None:
            return self._create(call, resource) if method == "POST" else _refuse(method)
        if method == "PATCH":
            return self._change(call, resource)
        return self._delete(call, resource) if method == "DELETE" else _refuse(method)

    # Reading

    def _many(self, call: Call, resource: Resource) -> Response:
        query, size = query_of(call.request.query), page_size(call.request.headers.get("prefer", ""))
        page = self._reader(call).page(resource, query, size)
        applied = {} if size is None else {"Preference-Applied": f"odata.maxpagesize={size}"}
        return _answer(call, 200, self._body(call, resource, query, page), applied)

    def _body(self, call: Call, resource: Resource, query: Query, page: Page) -> dict[str, Any]:
        body: dict[str, Any] = {"@odata.context": _context(call, resource, query.select)}
        if page.count is not None:
            body["@odata.count"] = page.count
        body["value"] = page.rows
        if page.next_token is not None:
            address = f"http://{call.request.host}{call.request.path}"
            body["@odata.nextLink"] = f"{address}?{next_query(call.request.query, page.next_token)}"
        return body

    def _one(self, call: Call, resource: Resource) -> Response:
        query = query_of(call.request.query)
        if query.filter or query.orderby or query.top is not None or query.skip or query.count:
            raise not_implemented("A collection's query option on a single record")
        row = Paths(self._world, self._options.companies).row(resource)
        show = self._reader(call).shower(resource, query.select, query.expand)
        return _answer(call, 200, {"@odata.context": _context(call, resource, query.select), **show(row)})

    # Writing

    def _create(self, call: Call, resource: Resource) -> Response:
        row = self._writer(call).create(resource, call.request)
        return self._written(call, resource, row, 201)

    def _change(self, call: Call, resource: Resource) -> Response:
        row, created = self._writer(call).change(resource, call.request)
        return self._written(call, resource, row, 201 if created else 200)

    def _act(self, call: Call, resource: Resource) -> Response:
        return self._written(call, resource, self._writer(call).act(resource, call.request), 200)

    def _delete(self, call: Call, resource: Resource) -> Response:
        self._writer(call).delete(resource, call.request)
        return Response(204, {"OData-Version": "4.0"}, b"")

    def _written(self, call: Call, resource: Resource, row: Row, status: int) -> Response:
        fields = options_of(call.request.query).get("select-fields")
        select = None if fields is None else names_of(fields)
        shown = self._reader(call).shower(resource, select)(row)
        location = {"Location": call.root + resource.view.url(row)} if status == 201 else {}
        single = Resource(resource.service, resource.view, ())
        return _answer(call, status, {"@odata.context": _context(call, single, select), **shown}, location)

    def _reader(self, call: Call) -> Reader:
        return Reader(self._world, self._options, moments(call.request, self._options))

    def _writer(self, call: Call) -> Writer:
        return Writer(self._world, self._options, moments(call.request, self._options))


def moments(request: Request, options: IfsOptions) -> Moments:
    """How a request reads and shows timestamps."""
    aware = request.headers.get(AWARE, "").lower() == "true"
    return Moments("UTC" if aware else options.zone)


def page_size(prefer: str) -> int | None:
    """The page size that a Prefer header asks for."""
    match = _PAGE_SIZE.search(prefer)
    return max(int(match[1]), 1) if match else None


def _answer(call: Call, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    as_text = wants_text_decimals(call.request.headers.get("accept", ""))
    full = {"Content-Type": content_type(as_text), "OData-Version": "4.0", **(headers or {})}
    return Response(status, full, encode(body, as_text))


def _context(call: Call, resource: Resource, select: list[str] | None) -> str:
    view = resource.view
    name = f"Collection({view.type_name})" if resource.within else view.table.name
    fields = "" if select is None else f"({','.join(select)})"
    return f"{call.root}$metadata#{name}{fields}{'' if resource.key is None else '/$entity'}"


def _refuse(method: str) -> Response:
    raise wrong_method(method)
