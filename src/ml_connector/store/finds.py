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


def remember(connection: Connection, scope: Scope, run_id: str, found: Sequence[Found]) -> None:
    """Keep what was found."""
    owned = scope.owned() | {"run_id": run_id}
    rows = [owned | _row(scope, one) for one in found]
    add(connection, finds, rows)


def of(connection: Connection, scope: Scope, run_id: str, keys: Sequence[str]) -> list[Found]:
    """What was found of these keys, in key order."""
    query = select(finds).where(finds.c.run_id == run_id, among(connection, finds.c.key, keys), scope.mine(finds))
    rows = connection.execute(query.order_by(finds.c.key, finds.c.id)).all()
    return [_found(scope, row) for row in rows]


def forget(connection: Connection, scope: Scope) -> None:
    """Forget what any run of this flow found; only one runs at a time."""
    connection.execute(delete(finds).where(scope.mine(finds)))


def _row(scope: Scope, one: Found) -> dict[str, Any]:
    body = scope.seal(finds, one.key, one.record)
    return {"key": one.key, "target_id": clean(one.target_id), "pending": one.pending, "body": body}


def _found(scope: Scope, row: Any) -> Found:
    return Found(row.key, row.target_id, scope.unseal(finds, row.key, row.body, scope.target_kind), row.pending)
