"""Resource paths: ``Set(Key='x')/Nested(…)/IfsApp.Service.Action`` to what they lead to.

Rule: every key is given by name and complete, at every level.
It must not know query options or methods.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ml_connector.sandbox.ifs.errors import Refusal, not_found, unsupported_url
from ml_connector.sandbox.ifs.filter import Compiler
from ml_connector.sandbox.ifs.lexer import Token, tokens
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.services import Service
from ml_connector.sandbox.ifs.syntax import Literal
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import Key, Kind, Link, Row, World
from ml_connector.sandbox.world.values import exact

UTC_MOMENTS = Moments("UTC")


@dataclass(frozen=True)
class Resource:
    """What a path leads to."""

    service: Service
    view: View
    key: Key | None = None  # none for a whole collection
    within: tuple[tuple[str, Any], ...] = ()  # what every row of a nested collection has
    action: str | None = None


class Paths:
    """Finds what paths lead to in one world."""

    def __init__(self, world: World, companies: tuple[str, ...]) -> None:
        self._world = world
        self._companies = companies

    def find(self, service: Service, path: str) -> Resource:
        """The resource of a path below a service."""
        segments = [unquote(part) for part in path.strip("/").split("/")]
        name, key_text = split_key(segments[0])
        view = service.sets.get(name)
        if view is None:
            raise unknown_segment(name)
        found = Resource(service, view, read_key(view, key_text))
        for segment in segments[1:]:
            found = self._next(found, segment)
        return found

    def row(self, resource: Resource) -> Row:
        """The stored row of a resource with a key, or a refusal."""
        table = resource.view.table
        row = self._world.stored(table.name, resource.key or ())
        if row is None or not visible(row[table.company_at], self._companies) or not _is_within(resource, row):
            raise not_found(table.lu)
        return row

    def _next(self, at: Resource, segment: str) -> Resource:
        name, key_text = split_key(segment)
        prefix = at.service.namespace + "."
        if at.action is not None or at.key is None:
            raise unsupported_url(f"The segment '{segment}' cannot follow.")
        if name.startswith(prefix) and name.removeprefix(prefix) in at.view.table.actions:
            return Resource(at.service, at.view, at.key, at.within, name.removeprefix(prefix))
        table = at.view.table
        for link in table.children:
            if link.name == name:
                return self._nested(at, link, key_text)
        for link in table.references:
            if link.name == name and key_text is None:
                return self._referred(at, link)
        raise unknown_segment(name)

    def _nested(self, at: Resource, link: Link, key_text: str | None) -> Resource:
        view, row = at.service.behind(link), self.row(at)
        if view is None:
            raise unknown_segment(link.name)
        own = at.view.table.index
        within = tuple((theirs, row[own[ours]]) for ours, theirs in link.pairs)
        return Resource(at.service, view, read_key(view, key_text), within)

    def _referred(self, at: Resource, link: Link) -> Resource:
        view = at.service.behind(link)
        key = reference_key(self._world, link, at.view, self.row(at))
        if view is None or key is None:
            raise not_found(link.name)
        return Resource(at.service, view, key)


def reference_key(world: World, link: Link, view: View, row: Row) -> Key | None:
    """The key of the row that a reference of a row points at."""
    target = world.tables[link.target]
    values = {theirs: row[view.table.index[ours]] for ours, theirs in link.pairs}
    key = tuple(values[name] for name in target.keys)
    return None if None in key else key


def visible(company: str | None, companies: tuple[str, ...]) -> bool:
    """Whether rows of a company are seen; rows of no company are."""
    return company is None or company in companies


def unknown_segment(name: str) -> Refusal:
    """A path segment that leads nowhere."""
    return Refusal(
        404,
        "ODP_UNSUPPORTED_URL",
        f"Cannot find EntitySet, Singleton, ActionImport or FunctionImport with name '{name}'.",
    )


def split_key(segment: str) -> tuple[str, str | None]:
    """The name of a segment and what is in its parentheses."""
    name, opened, rest = segment.partition("(")
    if not opened:
        return name, None
    if not rest.endswith(")"):
        raise unsupported_url(f"The segment '{segment}' is not closed.")
    return name, rest[:-1]


def read_key(view: View, text: str | None) -> Key | None:
    """The key in a segment's parentheses."""
    if text is None:
        return None
    found = tokens(text)[:-1]
    pairs = _pairs(view, found)
    if sorted(pairs) != sorted(view.keys):
        raise unsupported_url(f"The key of '{view.table.name}' is {', '.join(view.keys)}.")
    return tuple(_key_value(view, view.names[name], pairs[view.names[name]]) for name in view.table.keys)


def _pairs(view: View, found: list[Token]) -> dict[str, Token]:
    if len(found) == 1 and len(view.keys) == 1:
        return {view.keys[0]: found[0]}
    groups = [found[at : at + 4] for at in range(0, len(found), 4)]
    for at, group in enumerate(groups):
        shape = [token.text if token.kind == "mark" else "" for token in group]
        if shape != ["", "=", "", ","][: 3 if at == len(groups) - 1 else 4]:
            raise unsupported_url("The key is not well-formed.")
    return {group[0].text: group[2] for group in groups}


def _key_value(view: View, name: str, token: Token) -> Any:
    column = view.columns[name]
    term = Compiler(view, UTC_MOMENTS).literal(Literal(token.kind, token.value))
    wanted = view.enum_type(column) if column.item.enum else column.kind
    if term.kind != wanted:
        raise unsupported_url(f"The value of the key '{name}' is not valid.")
    return exact(term.value) if column.kind is Kind.NUMBER else term.value


def _is_within(resource: Resource, row: Row) -> bool:
    index = resource.view.table.index
    return all(row[index[name]] == value for name, value in resource.within)
