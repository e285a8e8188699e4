"""Statements that a run has many of: made once from the tables, then given to the driver as they are.

Rule: values are texts, numbers, bytes or None, which no driver needs converted; what comes back is the driver's.
Must not know: what the tables mean.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, CursorResult, Table, Text, any_, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

POSTGRESQL = "postgresql"
Compiled = tuple[str, tuple[str, ...], dict[str, Any]]


class Prepared:
    """A statement; `make` is told of which dialect. SQLAlchemy's own way costs more than the database's work."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make
        self._made: dict[str, Compiled] = {}

    def on(self, connection: Connection, **values: Any) -> CursorResult[Any]:
        """Execute it once."""
        statement, order, fixed = self._of(connection.dialect.name)
        given = fixed | values
        return connection.exec_driver_sql(statement, tuple([given[name] for name in order]))

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """What it finds, as bare tuples."""
        found = self.on(connection, **values)
        rows: Any = found.cursor.fetchall() if found.cursor else []
        found.close()
        return rows

    def each(self, connection: Connection, rows: Sequence[dict[str, Any]], **values: Any) -> None:
        """Execute it for each of these."""
        if rows:
            statement, order, fixed = self._of(connection.dialect.name)
            given = [fixed | values | row for row in rows]
            connection.exec_driver_sql(statement, [tuple([row[name] for name in order]) for row in given])

    def _of(self, dialect: str) -> Compiled:
        made = self._made.get(dialect)
        if made is None:
            made = self._made[dialect] = compiled(dialect, self._make(dialect))
        return made


def compiled(dialect: str, statement: Any, columns: Sequence[str] | None = None) -> Compiled:
    """A statement as the driver takes it, the order of its values, and those that are always the same."""
    kind = psycopg.dialect(paramstyle="format") if dialect == POSTGRESQL else sqlite.dialect()
    made = statement.compile(dialect=kind, column_keys=columns)
    # A value that is to be given has none: left out it raises, rather than being NULL, which nothing equals.
    fixed = {name: value for name, value in made.params.items() if not made.binds[name].required}
    return str(made), tuple(made.positiontup or ()), fixed


def mine(table: Table) -> ColumnElement[bool]:
    """The condition for rows of one flow of one connection, which `Scope.owned` names."""
    return (table.c.connection_id == bindparam("connection_id")) & (table.c.flow == bindparam("flow"))


def listed(dialect: str, column: Column[Any]) -> ColumnElement[bool]:
    """The condition of `db.among`; the values are given as `listed`, by `as_list`."""
    if dialect == POSTGRESQL:
        return column == any_(bindparam("listed", type_=postgresql.ARRAY(column.type)))
    rows = func.json_each(bindparam("listed", type_=Text)).table_valued("value", name="listed")
    return column.in_(select(rows.c.value))


def as_list(connection: Connection, values: Sequence[str] | Sequence[int]) -> Any:
    """Values for `listed`."""
    return list(values) if connection.dialect.name == POSTGRESQL else msgspec.json.encode(values).decode()
