"""Answers reads: pages of a collection, and single records.

Rule: a collection has no more than the page cap, and no nextLink unless the client asked for pages.
It must not know methods or status codes.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from ml_connector.sandbox.ifs.bounds import Sorted, lowest
from ml_connector.sandbox.ifs.errors import malformed, not_implemented, timed_out, unknown_property
from ml_connector.sandbox.ifs.filter import Compiler, row_test
from ml_connector.sandbox.ifs.folding import folded
from ml_connector.sandbox.ifs.lookup import looked_up
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.query import Query
from ml_connector.sandbox.ifs.resource import Resource, reference_key, visible
from ml_connector.sandbox.ifs.syntax import Literal, Node, parse
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import By, Link, Row, World
from ml_connector.sandbox.world.rows import sort_key

Show = Callable[[Row], dict[str, Any]]
Test = Callable[[Row], Any]


@dataclass(frozen=True)
class Page:
    """One page of a collection."""

    rows: list[dict[str, Any]]
    count: int | None = None
    next_token: str | None = None


class Reader:
    """Reads from one world, as one request may see it."""

    def __init__(self, world: World, options: IfsOptions, moments: Moments) -> None:
        self._world = world
        self._options = options
        self._moments = moments

    def page(self, resource: Resource, query: Query, page_size: int | None) -> Page:
        """The page of a collection that a query asks for."""
        size, done = self._size(query, page_size), _token_position(query.skiptoken)
        show = self.shower(resource, query.select, query.expand)
        passing, count = self._passing(resource, query)
        skip = query.skip + done
        left = None if query.top is None else max(query.top - done, 0)
        limit = size if left is None else min(size, left)
        found = list(islice(passing, skip, skip + limit + 1))
        more = page_size is not None and len(found) > limit and (left is None or left > limit)
        token = _token(done + limit) if more else None
        return Page([show(row) for row in found[:limit]], count, token)

    def shower(
        self,
        resource: Resource,
        select: list[str] | None = None,
        expand: tuple[tuple[str, list[str] | None], ...] = (),
    ) -> Show:
        """How rows of a resource are shown."""
        check_names(resource.view, select or ())
        show = resource.view.shower(select, self._moments, self._options.zone)
        for name, inner in expand:
            show = self._expanded(resource, name, inner, show)
        return show

    def _size(self, query: Query, page_size: int | None) -> int:
        asked = max(query.top or 0, page_size or 0)
        if self._options.timeout_top is not None and asked > self._options.timeout_top:
            raise timed_out()
        return min(page_size or self._options.page_cap, self._options.page_cap)

    def _passing(self, resource: Resource, query: Query) -> tuple[Iterable[Row], int | None]:
        tree = None if query.filter is None else parse(query.filter)
        tests = self._tests(resource, tree)
        rows = self._rows(resource, query, tree)
        if query.count:
            counted = _passed(rows, tests)
            return counted, len(counted)
        return _passing(rows, tests), None

    def _tests(self, resource: Resource, tree: Node | None) -> list[Test]:
        view = resource.view
        tests: list[Test] = []
        companies, at = self._options.companies, view.table.company_at
        if view.table.company is not None or view.table.parent is not None:
            tests.append(lambda row: visible(row[at], companies))
        if tree is not None:
            tests.append(row_test(tree, view, self._moments))
        return tests

    def _rows(self, resource: Resource, query: Query, tree: Node | None) -> list[Row]:
        view, name = resource.view, resource.view.table.name
        order = _order(view, query.orderby)
        if resource.within:
            rows = self._world.linked(name, *zip(*resource.within, strict=True))  # type: ignore[arg-type]
            return _resorted(rows, order, view)
        found = None if tree is None else looked_up(self._world, view, folded(tree))
        if found is not None:
            return _resorted(found, order, view)
        if not order:
            return self._world.heap(name)
        low = None if any(by.descending for by in order) else self._low(view, query, order, tree)
        return self._world.ordered(name, order, low or ())

    def _low(self, view: View, query: Query, order: tuple[By, ...], tree: Node | None) -> tuple[Any, ...] | None:
        if tree is None:
            return None
        compiler = Compiler(view, self._moments)
        columns = [Sorted(name, by.nullable) for (name, _), by in zip(query.orderby, order, strict=True)]

        def value(literal: Literal) -> Any:
            return compiler.literal(literal).value

        return lowest(tree, columns, value)

    def _expanded(self, resource: Resource, name: str, select: list[str] | None, show: Show) -> Show:
        table = resource.view.table
        link = next((each for each in table.references if each.name == name), None)
        if link is None:
            if any(each.name == name for each in table.children):
                raise not_implemented("$expand of a collection")
            raise unknown_property(name, resource.view.type_name)
        return self._with_reference(resource, link, select, show)

    def _with_reference(self, resource: Resource, link: Link, select: list[str] | None, show: Show) -> Show:
        target = resource.service.behind(link)
        if target is None:
            raise not_implemented("$expand across projections")
        check_names(target, select or ())
        inner = target.shower(select, self._moments, self._options.zone)

        def shown(row: Row) -> dict[str, Any]:
            key = reference_key(self._world, link, resource.view, row)
            other = None if key is None else self._world.stored(target.table.name, key)
            return {**show(row), link.name: None if other is None else inner(other)}

        return shown


def check_names(view: View, names: Iterable[str]) -> None:
    """Refuse names that the view does not have."""
    for name in names:
        if name not in view.columns:
            raise unknown_property(name, view.type_name)


def _order(view: View, orderby: tuple[tuple[str, bool], ...]) -> tuple[By, ...]:
    check_names(view, (name for name, _ in orderby))
    return tuple(_by(view, name, descending) for name, descending in orderby)


def _by(view: View, name: str, descending: bool) -> By:
    column = view.columns[name]
    if column.at is None:
        raise not_implemented(f"$orderby by '{name}'")
    return By(column.at, not column.item.required, descending)


def _resorted(rows: list[Row], order: tuple[By, ...], view: View) -> list[Row]:
    return sorted(rows, key=sort_key(order, view.table.place_at)) if order else rows


def _passing(rows: Iterable[Row], tests: list[Test]) -> Iterable[Row]:
    for test in tests:
        rows = filter(test, rows)
    return rows


def _passed(rows: Iterable[Row], tests: list[Test]) -> list[Row]:
    return list(_passing(rows, tests))


def _token(position: int) -> str:
    return urlsafe_b64encode(f"p:{position}".encode()).decode()


def _token_position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(urlsafe_b64decode(token.encode()).decode().removeprefix("p:"))
    except ValueError as problem:
        raise malformed("ODP_INVALID_SKIPTOKEN", "The skip token is not valid.") from problem


def next_query(raw: str, token: str) -> str:
    """The query string of the next page."""
    kept = [part for part in raw.split("&") if part and not re.match(r"(\$|%24)skiptoken=", part)]
    return "&".join([*kept, f"$skiptoken={quote(token)}"])
