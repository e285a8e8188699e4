"""Finds: what a walk of the target found, kept for the length of the run.

Rule: a key that was found twice is kept twice.
Must not know: what is made of it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from ml_connector.store.db import add, among
from ml_connector.store.schema import finds
from ml_connector.store.scope import Scope, clean
from ml_connector.sync.plan import Found

_COLUMNS = ("connection_id", "flow", "run_id", "key", "target_id", "pending", "body")


def remember(connection: Connection, scope: Scope, run_id: str, found: Sequence[Found]) -> None:
    """Keep what was found."""
    add(connection, finds, _COLUMNS, [_row(scope, run_id, one) for one in found])


def of(connection: Connection, scope: Scope, run_id: str, keys: Sequence[str]) -> list[Found]:
    """What was found of these keys, in key order."""
    query = select(finds).where(finds.c.run_id == run_id, among(connection, finds.c.key, keys), scope.mine(finds))
    rows = connection.execute(query.order_by(finds.c.key, finds.c.id)).all()
    return [_found(scope, row) for row in rows]


def forget(connection: Connection, scope: Scope) -> None:
    """Forget what any run of this flow found; only one runs at a time."""
    connection.execute(delete(finds).where(scope.mine(finds)))


def _row(scope: Scope, run_id: str, one: Found) -> tuple[Any, ...]:
    body = scope.seal(finds, one.key, one.record)
    return scope.connection_id, scope.flow, run_id, one.key, clean(one.target_id), one.pending, body


def _found(scope: Scope, row: Any) -> Found:
    return Found(row.key, row.target_id, scope.unseal(finds, row.key, row.body, scope.target_kind), row.pending)
