"""Reservations: slots in time, shared by all processes that call the same system.

Rule: a slot is taken at once and for good; whoever took it sleeps until then. Nobody polls.
Units: an interval is the time between two calls; a burst is how much of the past may be made up for.
Must not know: what is called.
"""

from typing import Any

from sqlalchemy import Connection, case
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store.db import Database, epoch
from ml_connector.store.schema import reservations

AHEAD_MAX_S = 900.0  # further ahead nobody reserves, and no system makes wait


class Reservations:
    """The slots of a store's database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def reserve(self, name: str, interval_s: float, burst_s: float) -> float:
        """Take the next slot; how many seconds away it is.

        The generic cell rate algorithm: `due_at` is when the next call would be due at an even pace.
        """
        with self._db.write() as connection:
            now = epoch(connection)
            first = {"name": name, "due_at": now + interval_s, "resume_at": 0.0}
            changed = {"due_at": _later(_near(reservations.c.due_at, now), now) + interval_s}
            row = _upsert(connection, first, changed | {"resume_at": _near(reservations.c.resume_at, now)}, now)
        return max(0.0, row.due_s - interval_s - burst_s, row.resume_s)

    def defer(self, name: str, wait_s: float) -> None:
        """Let nobody take a slot within the next `wait_s` seconds."""
        with self._db.write() as connection:
            until = epoch(connection) + wait_s
            first = {"name": name, "due_at": until, "resume_at": until}
            changed = {column: _later(reservations.c[column], until) for column in ("due_at", "resume_at")}
            _upsert(connection, first, changed, until)


def _near(at: Any, now: Any) -> Any:
    """A time as it was kept; now, when it is so far ahead that the clock must have gone back."""
    return case((at > now + AHEAD_MAX_S, now), else_=at)


def _later(left: Any, right: Any) -> Any:
    return case((left > right, left), else_=right)


def _upsert(connection: Connection, first: dict[str, Any], changed: dict[str, Any], now: Any) -> Any:
    kind = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    due_s, resume_s = reservations.c.due_at - now, reservations.c.resume_at - now
    statement: Any = kind(reservations).values(first).on_conflict_do_update(index_elements=["name"], set_=changed)
    row: Any = connection.execute(statement.returning(due_s.label("due_s"), resume_s.label("resume_s"))).one()
    return row
