"""Service documents and ``$metadata`` (EDMX 4.0).

Rule: no Nullable attribute anywhere, as in the one recorded: what is mandatory only shows when it is missing.
It must not know rows.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from ml_connector.sandbox.ifs.services import Service
from ml_connector.sandbox.ifs.view import Column, View
from ml_connector.sandbox.world import Kind, Link, World

_EDM = {
    Kind.STRING: "Edm.String",
    Kind.NUMBER: "Edm.Decimal",
    Kind.DATE: "Edm.Date",
    Kind.INSTANT: "Edm.DateTimeOffset",
    Kind.BOOLEAN: "Edm.Boolean",
}


def service_document(service: Service, root: str) -> dict[str, Any]:
    """The list of a service's sets."""
    return {
        "@odata.context": f"{root}$metadata",
        "value": [{"name": name, "kind": "EntitySet", "url": name} for name in service.sets],
    }


def metadata(service: Service, world: World) -> bytes:
    """The ``$metadata`` of a service."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
        "<edmx:DataServices>",
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace={quoteattr(service.namespace)}>',
        *_enums(service, world),
        *(line for view in _views(service) for line in _entity(service, view)),
        *(line for view in _views(service) for line in _actions(view)),
        '<EntityContainer Name="DefaultContainer">',
        *(line for view in service.sets.values() for line in _set(service, view)),
        "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>",
    ]
    return "\n".join(lines).encode()


def _views(service: Service) -> Iterator[View]:
    yield from service.sets.values()
    yield from (view for name, view in service.contained.items() if name not in service.sets)


def _enums(service: Service, world: World) -> Iterator[str]:
    names = {column.item.enum for view in _views(service) for column in view.columns.values()}
    for name in sorted(filter(None, names)):
        yield f'<EnumType Name="{name}" UnderlyingType="Edm.Int32" IsFlags="false">'
        yield from (f'<Member Name="{member}" Value="{at}"/>' for at, member in enumerate(world.enums[name]))
        yield "</EnumType>"


def _entity(service: Service, view: View) -> Iterator[str]:
    yield f'<EntityType Name="{view.table.entity}"><Key>'
    yield from (f'<PropertyRef Name="{name}"/>' for name in view.keys)
    yield "</Key>"
    yield from (_property(view, column) for column in view.columns.values())
    for link in view.table.references:
        yield from _reference(service, view, link)
    for link in view.table.children:
        child = service.behind(link)
        if child is not None:
            yield f'<NavigationProperty Name="{link.name}" Type="Collection({child.type_name})" ContainsTarget="true"/>'
    yield "</EntityType>"


def _property(view: View, column: Column) -> str:
    type_name = view.enum_type(column) if column.kind is Kind.ENUM else _EDM[column.kind]
    facets = f' MaxLength="{column.item.length}"' if column.item.length else ""
    if column.kind is Kind.NUMBER:
        facets = ' Precision="130" Scale="65"'
    return f'<Property Name={quoteattr(column.name)} Type="{type_name}"{facets}/>'


def _reference(service: Service, view: View, link: Link) -> Iterable[str]:
    target = service.behind(link)
    pairs = [(view.names.get(ours), target.names.get(theirs)) for ours, theirs in link.pairs] if target else []
    if target is None or any(None in pair for pair in pairs):
        return
    yield f'<NavigationProperty Name="{link.name}" Type="{target.type_name}">'
    for ours, theirs in pairs:
        yield f'<ReferentialConstraint Property="{ours}" ReferencedProperty="{theirs}"/>'
    yield "</NavigationProperty>"


def _actions(view: View) -> Iterator[str]:
    for action in view.table.actions:
        yield f'<Action Name="{action}" IsBound="true">'
        yield f'<Parameter Name="Entity" Type="{view.type_name}"/><ReturnType Type="{view.type_name}"/></Action>'


def _set(service: Service, view: View) -> Iterator[str]:
    yield f'<EntitySet Name="{view.table.name}" EntityType="{view.type_name}">'
    for link in view.table.references:
        if service.behind(link) is not None:
            yield f'<NavigationPropertyBinding Path="{link.name}" Target="{link.target}"/>'
    yield "</EntitySet>"
