"""Copying a store's tables from one database to another, and what their rows add up to.

Rule: rows go page by page in the order of their keys; the same rows have the same digest in every database.
Must not know: why a store is copied.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, insert, inspect, select, text

from ml_connector.store import schema
from ml_connector.sync.change import State

PAGE = 1000
# What lives no longer than a process or a token, and what a restored store must not believe.
LEFT_OUT = ("tokens", "reservations", "finds", "workers", "marks", "cursors", "sessions", "invitations")


class Sum:
    """The number of rows and their digest, whatever database they lie in."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take in rows, their values in the order of the columns' names."""
        for row in rows:
            self._hash.update(msgspec.msgpack.encode([int(one) if isinstance(one, bool) else one for one in row]))
            self.count += 1

    @property
    def digest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def copied(source: Connection, target: Connection) -> dict[str, Sum]:
    """Copy all tables, page by page in the order of their keys; what was copied of each."""
    sums: dict[str, Sum] = {}
    for table in schema.metadata.sorted_tables:
        if table.name in LEFT_OUT:
            continue
        sums[table.name] = Sum()
        names = sorted(column.name for column in table.columns)
        for rows in _pages(source, table, names):
            sums[table.name].add(rows)
            target.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
    return sums


def _pages(source: Connection, table: Table, names: Sequence[str]) -> Iterator[Sequence[Any]]:
    query = select(*(table.c[name] for name in names)).order_by(*table.primary_key.columns)
    if table is schema.changes:
        query = query.where(table.c.state != State.PLANNED)  # nothing was promised
    with source.execute(query, execution_options={"yield_per": PAGE}) as rows:
        yield from rows.partitions()


def raw_sum(connection: Connection, name: str) -> Sum:
    """The sum of a table as it lies in the file, with the columns that it has there."""
    made = Sum()
    for page in _raw_pages(connection, name):
        made.add(page)
    return made


def raw_copied(source: Connection, target: Connection, names: Iterable[str]) -> dict[str, Sum]:
    """Copy rows as they lie into tables of the same form; nothing else of the source comes along."""
    sums: dict[str, Sum] = {}
    for name in names:
        sums[name], columns = Sum(), _columns(target, name)
        marks = ", ".join("?" for _ in columns)
        into = f'INSERT INTO "{name}" ({", ".join(columns)}) VALUES ({marks})'  # noqa: S608 names of our own tables
        for page in _raw_pages(source, name):
            sums[name].add(page)
            target.exec_driver_sql(into, [tuple(row) for row in page])
    return sums


def _raw_pages(connection: Connection, name: str) -> Iterator[Sequence[Any]]:
    columns = ", ".join(_columns(connection, name))
    if not columns:
        return
    key = inspect(connection).get_pk_constraint(name)["constrained_columns"]
    order = ", ".join(f'"{one}"' for one in key)
    # Without types: what lies there counts, not what it is read as.
    with connection.execute(
        text(f'SELECT {columns} FROM "{name}" ORDER BY {order}'),  # noqa: S608 names from the file's own catalogue
        execution_options={"yield_per": PAGE},
    ) as rows:
        yield from rows.partitions()


def _columns(connection: Connection, name: str) -> list[str]:
    """The columns of a table in the order in which they are summed; none: it is not there."""
    found = inspect(connection)
    names = sorted(one["name"] for one in found.get_columns(name)) if found.has_table(name) else []
    return [f'"{one}"' for one in names]


def set_sequences(connection: Connection) -> None:
    """Let new rows get numbers after those that were copied; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in schema.metadata.sorted_tables:
        column = table.autoincrement_column
        name = None
        if column is not None:
            named = text("SELECT pg_get_serial_sequence(:table, :column)")
            name = connection.execute(named, {"table": table.name, "column": column.name}).scalar()
        if column is not None and name:
            highest = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(name, func.coalesce(highest, 1), highest.is_not(None))))


def counts(sums: dict[str, Sum]) -> dict[str, int]:
    """The numbers of rows by table."""
    return {name: one.count for name, one in sums.items()}


def digests(sums: dict[str, Sum]) -> dict[str, str]:
    """The digests by table."""
    return {name: one.digest for name, one in sums.items()}
