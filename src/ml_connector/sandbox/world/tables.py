"""What an IFS set is made of: its properties, keys, links to other sets and what may be done to it.

Rule: a table says what the database holds; how a projection shows it is decided elsewhere.
It must not know HTTP, OData or the seeded data.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """The kinds of value that a property can hold."""

    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    BOOLEAN = "boolean"
    ENUM = "enum"


@dataclass(frozen=True)
class Property:
    """One property of a table, with what the server demands of it."""

    name: str
    kind: Kind
    length: int | None = None
    enum: str | None = None
    required: bool = False
    insertable: bool = True
    updatable: bool = True


@dataclass(frozen=True)
class Link:
    """How the rows of one set point at the rows of another: pairs of (own property, other property)."""

    name: str
    target: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """One entity set as the database holds it."""

    name: str
    entity: str
    service: str
    lu: str
    keys: tuple[str, ...]
    properties: tuple[Property, ...]
    entity_api: bool = False
    company: str | None = None
    parent: Link | None = None
    references: tuple[Link, ...] = ()
    children: tuple[Link, ...] = ()
    verbs: str = ""  # of "i", "u", "d": insert, update, delete
    stamped: bool = False
    allots: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()  # properties that a new row needs beside the required ones
    actions: tuple[str, ...] = ()
    defaults: dict[str, object] = field(default_factory=dict[str, object])
    indexed: tuple[str, ...] = ()  # text properties that rows are looked up by
    served: bool = True  # whether a projection shows it

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each property in a stored row."""
        return {item.name: at for at, item in enumerate(self.properties)}

    @cached_property
    def by_name(self) -> dict[str, Property]:
        """The properties by name."""
        return {item.name: item for item in self.properties}

    @cached_property
    def demanding(self) -> tuple[tuple[int, Property], ...]:
        """The properties whose values are more than a matter of kind, with their positions."""
        return tuple((at, item) for at, item in enumerate(self.properties) if item.required or item.enum)

    @cached_property
    def key_at(self) -> tuple[int, ...]:
        """The positions of the key properties in a stored row."""
        return tuple(self.index[name] for name in self.keys)

    @cached_property
    def stamp_at(self) -> int:
        """Where a stored row keeps the instant of its last change."""
        return len(self.properties)

    @cached_property
    def rowid_at(self) -> int:
        """Where a stored row keeps its row id."""
        return len(self.properties) + 1

    @cached_property
    def place_at(self) -> int:
        """Where a stored row keeps its place in the heap."""
        return len(self.properties) + 2

    @cached_property
    def company_at(self) -> int:
        """Where a stored row keeps the company that decides who sees it."""
        return len(self.properties) + 3


_KINDS = {"n": Kind.NUMBER, "d": Kind.DATE, "b": Kind.BOOLEAN}


def properties_of(text: str) -> tuple[Property, ...]:
    """Read a list like ``OrderNo* s12; Name! s100; Company~ s20; Objstate- eState``.

    ``*`` key, ``!`` mandatory, ``~`` set at creation only, ``-`` set by the server only.
    """
    return tuple(_property(*item.split()) for item in text.split(";") if item.strip())


def _property(marked: str, kind: str) -> Property:
    name = marked.rstrip("*!~-")
    marks = marked[len(name) :]
    return Property(
        name=name,
        kind=_KINDS.get(kind, Kind.ENUM if kind[0] == "e" else Kind.STRING),
        length=int(kind[1:]) if kind[0] == "s" else None,
        enum=kind[1:] if kind[0] == "e" else None,
        required="*" in marks or "!" in marks,
        insertable="-" not in marks,
        updatable=not set(marks) & set("*~-"),
    )


def keys_of(text: str) -> tuple[str, ...]:
    """The key properties of a property list."""
    names = (item.split()[0] for item in text.split(";") if item.strip())
    return tuple(name.rstrip("*!~-") for name in names if "*" in name)


def by_name(tables: Iterable[Table]) -> dict[str, Table]:
    """The tables by the name of their set."""
    return {table.name: table for table in tables}
