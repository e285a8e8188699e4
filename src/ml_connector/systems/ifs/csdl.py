"""What a tenant's `$metadata` says, and where the profile disagrees with it.

Rule: a disagreement is a sentence that names the tenant's nearest name.
Must not know: requests, rows. `$metadata` does not say which fields are mandatory.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ml_connector.systems.ifs.nearest import nearest
from ml_connector.systems.ifs.profile import Part

SIZE_MAX = 32 * 2**20
TAGS_MAX, ATTRIBUTES_MAX = 500_000, 1_000_000  # each takes many times the memory that its text does
_TIMES = ("Edm.DateTimeOffset", "Edm.Date")
_COMPARED = re.compile(r"\b([A-Za-z_]\w*)\s+(?:eq|ne|gt|ge|lt|le)\b")
_MEMBER = re.compile(r"([A-Za-z_][\w.]*)'([^']*)'")


class EntitySet(msgspec.Struct, frozen=True):
    """A set: its key, its properties with their types, and how long texts may be.

    `links`: sets and single rows below a row. `actions`: what can be called on a row, without namespace.
    """

    key: tuple[str, ...]
    properties: dict[str, str]
    lengths: dict[str, int] = {}
    links: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """A service: its sets, and its enumerations by qualified name."""

    sets: dict[str, EntitySet]
    enums: dict[str, tuple[str, ...]]


def parse(data: bytes) -> Metadata:
    """The metadata in an EDMX document.

    Raises: ValueError when it is none, too large, or uses entities.
    """
    if len(data) > SIZE_MAX or data.count(b"<") > TAGS_MAX or data.count(b"=") > ATTRIBUTES_MAX:
        raise ValueError("$metadata is too large")
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise ValueError(f"$metadata is not usable XML: {type(error).__name__}") from None
    schemas = list(_all(root, "Schema"))
    types = {
        f"{schema.get('Namespace')}.{item.get('Name')}": item
        for schema in schemas
        for item in _all(schema, "EntityType")
    }
    bound = _bound(schemas)
    sets = {
        item.get("Name", ""): _entity_set(types, bound, item.get("EntityType", ""))
        for schema in schemas
        for item in _all(schema, "EntitySet")
    }
    enums = {
        f"{schema.get('Namespace')}.{item.get('Name')}": tuple(
            member.get("Name", "") for member in _all(item, "Member")
        )
        for schema in schemas
        for item in _all(schema, "EnumType")
    }
    return Metadata(sets, enums)


def _all(element: Any, name: str) -> Iterator[Any]:
    """The descendants with this name, whatever namespace."""
    return (item for item in element.iter() if isinstance(item.tag, str) and item.tag.rpartition("}")[2] == name)


def _bound(schemas: Iterable[Any]) -> dict[str, list[str]]:
    """The bound actions by the type of row that they are called on."""
    found: dict[str, list[str]] = {}
    for action in (item for schema in schemas for item in _all(schema, "Action") if item.get("IsBound") == "true"):
        kind = next((parameter.get("Type", "") for parameter in _all(action, "Parameter")), "")
        found.setdefault(kind, []).append(action.get("Name", ""))
    return found


def _entity_set(types: Mapping[str, Any], bound: Mapping[str, list[str]], kind: str) -> EntitySet:
    key: tuple[str, ...] = ()
    properties: dict[str, Any] = {}
    links: list[str] = []
    actions: list[str] = []
    passed: set[str] = set()
    while kind in types and kind not in passed:
        passed.add(kind)
        key = tuple(item.get("Name", "") for item in _all(types[kind], "PropertyRef")) or key
        properties = {**{item.get("Name", ""): item for item in _all(types[kind], "Property")}, **properties}
        links += [item.get("Name", "") for item in _all(types[kind], "NavigationProperty")]
        actions += bound.get(kind, [])
        kind = types[kind].get("BaseType", "")
    lengths = {name: item.get("MaxLength", "") for name, item in properties.items()}
    return EntitySet(
        key,
        {name: item.get("Type", "") for name, item in properties.items()},
        {name: int(length) for name, length in lengths.items() if length.isascii() and length.isdigit()},
        tuple(links),
        tuple(actions),
    )


def part_problems(name: str, part: Part, metadata: Metadata) -> list[str]:
    """Where a part of a profile names what the tenant does not have."""
    found = metadata.sets.get(part.set)
    if found is None:
        return [
            f"{part.service} has no set {part.set} in this tenant{_nearest(part.set, metadata.sets)} (profile: {name})"
        ]
    wanted = [*part.properties, part.company, *_COMPARED.findall(part.where)]
    missing = [item for item in dict.fromkeys(wanted) if item and item not in found.properties]
    return [
        *(
            f"{part.service} has no property {item} on {part.set} in this tenant{_nearest(item, found.properties)}"
            f" (profile: {name})"
            for item in missing
        ),
        *_modified_problems(part, found),
        *_key_problems(part, found),
        *_enum_problems(part, metadata),
        *_action_problems(part, found),
    ]


def _modified_problems(part: Part, found: EntitySet) -> Iterator[str]:
    kind = found.properties.get(part.modified, "")
    if kind and kind not in _TIMES:
        yield f"{part.modified} on {part.set} is {kind}, so it can't tell when a row was changed"


def _key_problems(part: Part, found: EntitySet) -> Iterator[str]:
    fixed = {*part.key, *_COMPARED.findall(part.where)}
    more = [item for item in found.key if item not in fixed]
    if more:
        yield f"{part.set} is keyed by {', '.join(found.key)}; the profile's key leaves out {', '.join(more)}"


def _action_problems(part: Part, found: EntitySet) -> Iterator[str]:
    known = (*found.actions, *found.links)
    for action in part.actions.values():
        if action and action not in known:
            yield f"{part.set} has neither action nor rows called {action} in this tenant{_nearest(action, known)}"


def _enum_problems(part: Part, metadata: Metadata) -> Iterator[str]:
    for kind, member in _MEMBER.findall(part.where):
        if kind not in metadata.enums:
            yield f"{part.service} has no enumeration {kind} in this tenant{_nearest(kind, metadata.enums)}"
        elif member not in metadata.enums[kind]:
            yield f"{kind} has no member {member} in this tenant{_nearest(member, metadata.enums[kind])}"


def _nearest(name: str, known: Iterable[str]) -> str:
    found = nearest(name, known)
    return f"; nearest: {found}" if found else ""
