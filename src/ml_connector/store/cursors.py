"""Cursors: texts that a flow remembers from run to run.

Rule: kept as given; only the flow's own names.
Must not know: what a cursor says.
"""

from sqlalchemy import Connection, select

from ml_connector.store.db import upsert
from ml_connector.store.schema import cursors
from ml_connector.store.scope import Scope


def read(connection: Connection, scope: Scope, name: str) -> str:
    """A remembered text; "" when there is none."""
    query = select(cursors.c.content).where(scope.mine(cursors), cursors.c.name == name)
    return connection.execute(query).scalar() or ""


def keep(connection: Connection, scope: Scope, texts: dict[str, str]) -> None:
    """Remember texts by name."""
    owned = scope.owned()
    upsert(connection, cursors, [owned | {"name": name, "content": text} for name, text in texts.items()])
