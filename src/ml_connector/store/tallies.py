"""Tallies: what all processes have counted together, since the store was made.

Rule: a count is added in the transaction that makes it true.
Must not know: what is counted.
"""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store.schema_work import tallies

Key = tuple[str, tuple[tuple[str, str], ...]]  # a name and its labels


def add(connection: Connection, counted: Mapping[Key, float]) -> None:
    """Add to counts, in one order, so that two transactions can't lock each other out."""
    rows = [
        {"name": name, "labels": msgspec.json.encode(labels).decode(), "value": value}
        for (name, labels), value in sorted(counted.items())
        if value
    ]
    if not rows:
        return
    kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = kind(tallies)
    summed = {"value": tallies.c.value + statement.excluded.value}
    connection.execute(statement.on_conflict_do_update(index_elements=["name", "labels"], set_=summed), rows)


def read(connection: Connection) -> dict[Key, float]:
    """All counts."""
    rows = connection.execute(select(tallies).order_by(tallies.c.name, tallies.c.labels)).all()
    return {(row.name, msgspec.json.decode(row.labels, type=tuple[tuple[str, str], ...])): row.value for row in rows}
