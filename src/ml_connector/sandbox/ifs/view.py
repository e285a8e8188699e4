"""A table as one projection shows it: which properties, under which names, in which row envelope.

Rule: what the tenant's options hide or rename is gone everywhere at once: rows, filters, writes, metadata.
It must not know the query language or HTTP.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from ml_connector.sandbox.ifs.etag import etag
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.world import STAMP, Kind, Property, Row, Table, World
from ml_connector.sandbox.world.values import plain

NAMESPACE = "IfsApp"


@dataclass(frozen=True)
class Column:
    """A property as a projection shows it."""

    name: str
    item: Property
    read: Callable[[Row], Any]
    at: int | None  # its place in a stored row; none for what is worked out

    @property
    def kind(self) -> Kind:
        """The kind of value it holds."""
        return self.item.kind


class View:
    """A table within one projection."""

    def __init__(self, table: Table, service: str, world: World, options: IfsOptions) -> None:
        self.table = table
        self.service = service
        self.namespace = f"{NAMESPACE}.{service}"
        self.type_name = f"{self.namespace}.{table.entity}"
        self.columns = {column.name: column for column in _columns(table, service, world, options)}
        self.names = {column.item.name: column.name for column in self.columns.values()}

    @property
    def keys(self) -> list[str]:
        """The key properties, by the names shown."""
        return [self.names[name] for name in self.table.keys if name in self.names]

    def enum_type(self, column: Column) -> str:
        """The qualified name of an enumeration property's type."""
        return f"{self.namespace}.{column.item.enum}"

    def etag(self, row: Row, zone: str) -> str:
        """The ETag of a row."""
        return etag(row[self.table.rowid_at], row[self.table.stamp_at], zone)

    def shower(self, select: list[str] | None, moments: Moments, zone: str) -> Callable[[Row], dict[str, Any]]:
        """How a row is shown: its ETag and the properties selected, or all."""
        columns = [self.columns[name] for name in (self.columns if select is None else select)]
        names = ["@odata.etag", *(column.name for column in columns)]
        reads: list[Callable[[Row], Any]] = [_etag_reader(self.table, zone)]
        reads += [_shown(column, moments) for column in columns]

        def show(row: Row) -> dict[str, Any]:
            return dict(zip(names, [read(row) for read in reads], strict=True))

        return show

    def url(self, row: Row) -> str:
        """The resource path of a row below its service, ready for a header."""
        parts = (f"{self.names[name]}={self._literal(name, row)}" for name in self.table.keys)
        return f"{self.table.name}({','.join(parts)})"

    def _literal(self, name: str, row: Row) -> str:
        item, value = self.table.by_name[name], row[self.table.index[name]]
        if item.kind in (Kind.STRING, Kind.ENUM):
            quoted = "'" + quote(str(value).replace("'", "''"), safe="'") + "'"
            return f"{self.namespace}.{item.enum}{quoted}" if item.enum else quoted
        return str(plain(value))


def _etag_reader(table: Table, zone: str) -> Callable[[Row], str]:
    rowid_at, stamp_at = table.rowid_at, table.stamp_at
    return lambda row: etag(row[rowid_at], row[stamp_at], zone)


def keyref(table: Table) -> Callable[[Row], str]:
    """How IFS names a row by its keys, as in ``CONTRACT=S1^``."""
    parts = [(column_name(name), table.index[name]) for name in sorted(table.keys)]
    return lambda row: "".join(f"{name}={plain(row[at])}^" for name, at in parts)


def column_name(name: str) -> str:
    """A property's column in the database."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def _shown(column: Column, moments: Moments) -> Callable[[Row], Any]:
    read = column.read
    if column.kind is Kind.INSTANT:
        return lambda row: None if (value := read(row)) is None else moments.show(value)
    return read


def _columns(table: Table, service: str, world: World, options: IfsOptions) -> list[Column]:
    hidden = {name.partition(".")[2] for name in options.missing_properties if name.startswith(f"{service}.")}
    new_names = dict(_renamed(service, options))
    return [
        Column(new_names.get(column.name, column.name), column.item, column.read, column.at)
        for column in _all_columns(table, world.modified and options.modified)
        if column.name not in hidden
    ]


def _renamed(service: str, options: IfsOptions) -> list[tuple[str, str]]:
    pairs = (entry.partition("=") for entry in options.renamed if entry.startswith(f"{service}."))
    return [(old.partition(".")[2], new) for old, _, new in pairs]


def _all_columns(table: Table, modified: bool) -> list[Column]:
    name = table.lu
    columns = [
        Column("luname", Property("luname", Kind.STRING, 80), lambda _: name, None),
        Column("keyref", Property("keyref", Kind.STRING, 4000), keyref(table), None),
        Column("Objgrants", Property("Objgrants", Kind.STRING, 2000), lambda _: None, None),
        *(Column(item.name, item, itemgetter(at), at) for at, item in enumerate(table.properties)),
    ]
    if table.stamped and modified:
        stamp = Property(STAMP, Kind.INSTANT, required=True, insertable=False, updatable=False)
        columns.append(Column(STAMP, stamp, itemgetter(table.stamp_at), table.stamp_at))
    return columns
