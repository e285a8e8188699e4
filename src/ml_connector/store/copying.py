"""Copying a store's tables from one database to another, and what their rows add up to.

Rule: rows go page by page in the order of their keys; the same rows have the same digest in every database.
Must not know: why a store is copied.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, MetaData, Table, func, insert, inspect, select, text

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
    found = inspect(connection)
    if not found.has_table(name):
        return Sum()
    table = Table(name, MetaData(), autoload_with=connection)
    kinds = sorted(column.name for column in table.columns)
    # Without types: what lies there counts, not what it is read as.
    columns = ", ".join(f'"{one}"' for one in kinds)
    order = ", ".join(f'"{one.name}"' for one in table.primary_key.columns)
    made = Sum()
    with connection.execute(
        text(f'SELECT {columns} FROM "{name}" ORDER BY {order}'),  # noqa: S608 names from the file's own catalogue
        execution_options={"yield_per": PAGE},
    ) as rows:
        for page in rows.partitions():
            made.add(page)
    return made


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
