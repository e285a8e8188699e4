"""Alerts: what is remembered of conditions, so that each change is told once.

Rule: whoever tells never writes a silence, whoever silences writes nothing else: they do it at the same time.
Must not know: what the conditions are.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store import schema
from ml_connector.store.db import Database, among, upsert
from ml_connector.store.journal import Journal, Line
from ml_connector.store.schema_work import alerts
from ml_connector.store.scope import clean
from ml_connector.sync.alerts import Standing

FIRING, OVER = "firing", "over"


class Alerts:
    """The alerts of all connections of a store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def read(self) -> dict[int, dict[str, Standing]]:
        """How conditions stood, by connection and name."""
        with self._db.read() as connection:
            rows = connection.execute(select(alerts).order_by(alerts.c.connection_id, alerts.c.name)).all()
        stood: dict[int, dict[str, Standing]] = {}
        for row in rows:
            stood.setdefault(row.connection_id, {})[row.name] = _standing(row)
        return stood

    def keep(self, connection_id: int, standings: Sequence[Standing]) -> None:
        """Remember how these stand."""
        with self._db.write() as connection:
            upsert(connection, alerts, [{"connection_id": connection_id, **_row(one)} for one in standings])

    def drop(self, connection_id: int, names: Collection[str], now: datetime) -> None:
        """Forget these, unless somebody has silenced them meanwhile."""
        over = or_(alerts.c.silenced_until.is_(None), alerts.c.silenced_until <= schema.stamp(now))
        with self._db.write() as connection:
            mine = delete(alerts).where(alerts.c.connection_id == connection_id, over)
            connection.execute(mine.where(among(connection, alerts.c.name, sorted(names))))

    def silence(
        self, connection_id: int, names: Collection[str], until: datetime, now: datetime, note: tuple[Journal, Line]
    ) -> None:
        """Have nothing told of these until then; `note`: the journal, and what it tells of that."""
        unknown = [{"connection_id": connection_id, **_row(Standing(name, now))} for name in sorted(names)]
        rows = [row | {"silenced_until": schema.stamp(until)} for row in unknown]
        with self._db.write() as connection:
            kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement = kind(alerts)
            changed = {"silenced_until": statement.excluded.silenced_until}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["connection_id", "name"], set_=changed), rows
            )
            note[0].append(connection, [note[1]])


def _row(one: Standing) -> dict[str, Any]:
    return {
        "name": one.name,
        "state": FIRING if one.firing else OVER,
        "since": schema.stamp(one.since),
        "turning_at": schema.stamp(one.turning_at) if one.turning_at else None,
        "sentence": clean(one.sentence),
        "told": " ".join(sorted(one.told)),
        "tries": one.tries,
        "tried_at": schema.stamp(one.tried_at) if one.tried_at else None,
    }


def _standing(row: Any) -> Standing:
    def at(stored: str | None) -> datetime | None:
        return schema.instant(stored) if stored else None

    since, told = schema.instant(row.since), frozenset(row.told.split())
    turned = (row.state == FIRING, at(row.turning_at), row.sentence, told)
    return Standing(row.name, since, *turned, row.tries, at(row.tried_at), at(row.silenced_until))
