"""What a first look at a connection needs beyond `store.state`: what is open, and the latest runs of each flow.

Rule: a fixed number of statements, each by an index and bounded, however many records, runs or exceptions there are.
Must not know: how it is shown.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, literal, or_, select, union_all

from ml_connector.store import schema
from ml_connector.store.db import Database, among, epoch
from ml_connector.store.schema import IS_UNRESOLVED, IS_WHOLE, connections, exceptions, runs
from ml_connector.store.scope import unpack
from ml_connector.store.vault import Vault

COUNTED_MAX = 1000  # where a number beside a word ends


class Past(msgspec.Struct, frozen=True):
    """A run of the past; `report` None: it died."""

    id: str
    flow: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    report: dict[str, Any] | None


def open_count(db: Database, name: str, now: datetime) -> int:
    """How many records of a connection need a person now, at most COUNTED_MAX."""
    awake = or_(exceptions.c.snoozed_until.is_(None), exceptions.c.snoozed_until <= schema.stamp(now))
    number = select(connections.c.id).where(connections.c.name == name, connections.c.removed_at.is_(None))
    mine = exceptions.c.connection_id == number.scalar_subquery()
    some = select(literal(1)).select_from(exceptions).where(mine, IS_UNRESOLVED, awake).limit(COUNTED_MAX).subquery()
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(some)).scalar_one()


def latest(db: Database, vault: Vault, connection_id: int, flows: Collection[str], each: int) -> dict[str, list[Past]]:
    """Of each flow its latest whole runs, the oldest of them first."""
    if not flows:
        return {}
    chosen = [
        select(runs)
        .where(runs.c.connection_id == connection_id, runs.c.flow == flow, IS_WHOLE)
        .order_by(runs.c.started_at.desc())
        .limit(each)
        .subquery()
        for flow in flows
    ]
    with db.read() as connection:
        rows: Sequence[Any] = connection.execute(union_all(*(select(one) for one in chosen))).all()
    found: dict[str, list[Past]] = {}
    for row in sorted(rows, key=lambda row: row.started_at):
        found.setdefault(row.flow, []).append(_past(vault, row))
    return found


def held_back(db: Database, names: Collection[str]) -> dict[str, float]:
    """Of each system by its name here, for how many seconds it lets nobody ask, as it said itself."""
    table = schema.reservations
    with db.read() as connection:
        left = (table.c.resume_at - epoch(connection)).label("left")
        rows = connection.execute(select(table.c.name, left).where(among(connection, table.c.name, sorted(names))))
        return {row.name: row.left for row in rows if row.left > 0}


def _past(vault: Vault, row: Any) -> Past:
    place = (str(row.connection_id), "runs", row.flow, row.id)
    report = None if row.report is None else msgspec.json.decode(unpack(vault.unseal(row.report, *place)))
    finished_at = schema.instant(row.finished_at) if row.finished_at else None
    return Past(row.id, row.flow, row.state, schema.instant(row.started_at), finished_at, report)
