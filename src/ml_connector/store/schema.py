"""The tables as they are now.

Rule: a key sorts bytewise on every database, as it does in Python; times are UTC text with microseconds; bodies and
secrets are sealed bytes. Every change of this file comes with a migration.
Must not know: what the rows mean to a flow.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TextClause,
    false,
    text,
)

KEY = Text().with_variant(Text(collation="C"), "postgresql")
SERIAL = BigInteger().with_variant(Integer(), "sqlite")

# Conditions of partial indexes; an upsert that relies on one has to repeat it.
IS_PLANNED = text("state = 'planned'")
IS_OPEN = text("state IN ('intended', 'uncertain')")
IS_UNRESOLVED = text("resolved_at IS NULL")
IS_RESOLVED = text("resolved_at IS NOT NULL")
IS_HANDED = text("state = 'handed'")
IS_DROPPED = text("state = 'dropped' AND body IS NOT NULL")
IS_THERE = text("removed_at IS NULL")
TO_WAKE = text("wake_on IS NOT NULL")
IS_STOPPED = text("state = 'blocked'")
IS_WHOLE = text("kind = 'run'")
IS_DONE = text("kind = 'run' AND state = 'done'")

INSTALLATION = 0  # whose the journal is that belongs to no connection

metadata = MetaData()


def stamp(at: datetime) -> str:
    """An instant as stored."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(stored: str) -> datetime:
    """The instant that `stamp` was given."""
    return datetime.fromisoformat(stored)


def owner() -> Column[int]:
    """The column that says whose a row is."""
    return Column("connection_id", Integer, ForeignKey("connections.id"), nullable=False)


def index_where(condition: TextClause, name: str, *columns: Column[Any], unique: bool = False) -> Index:
    """An index of those rows only that meet a condition."""
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


data_keys = Table(
    "data_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("wrapped_by", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    sqlite_autoincrement=True,
)

connections = Table(
    "connections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", KEY, nullable=False),
    Column("settings", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("removed_at", Text),
    sqlite_autoincrement=True,
)
index_where(IS_THERE, "connections_by_name", connections.c.name, unique=True)

secrets = Table(
    "secrets",
    metadata,
    Column("connection_id", Integer, ForeignKey("connections.id"), primary_key=True),
    Column("field", KEY, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("connection_id", Integer, ForeignKey("connections.id"), primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", KEY, primary_key=True),
    owner(),
    Column("flow", KEY, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("process", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("report", LargeBinary),
)
Index("runs_by_start", runs.c.connection_id, runs.c.flow, runs.c.started_at)
index_where(IS_WHOLE, "runs_whole", runs.c.connection_id, runs.c.flow, runs.c.started_at)
index_where(IS_DONE, "runs_done", runs.c.connection_id, runs.c.flow, runs.c.finished_at)

index_where(IS_STOPPED, "runs_stopped", runs.c.connection_id, runs.c.started_at)

cursors = Table(
    "cursors",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("flow", KEY, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("content", Text, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("flow", KEY, primary_key=True),
    Column("row_key", KEY, primary_key=True),
    Column("part", KEY, primary_key=True),
    Column("mark", Text, nullable=False),
    sqlite_with_rowid=False,
)

links = Table(
    "links",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("flow", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("target_id", KEY, nullable=False),
    Column("digest", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("wake_on", Text),
    Column("changed_at", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default=""),
    Column("story", KEY, nullable=False, server_default=""),
    Column("alike", KEY, nullable=False, server_default=""),
    Column("agreed", LargeBinary, nullable=False),
)
index_where(text("alike <> ''"), "links_alike", links.c.connection_id, links.c.flow, links.c.alike)
Index(
    "links_by_story",
    links.c.connection_id,
    links.c.story,
    links.c.flow,
    links.c.key,  # in this order they are told, and else SQLite would rather read all links
    sqlite_where=text("story <> ''"),
    postgresql_where=text("story <> ''"),
)
Index("links_by_active", links.c.connection_id, links.c.flow, links.c.active)
index_where(text("digest = ''"), "links_in_doubt", links.c.connection_id, links.c.flow)
index_where(TO_WAKE, "links_to_wake", links.c.connection_id, links.c.flow, links.c.wake_on)

changes = Table(
    "changes",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("connection_id", Integer, nullable=False),
    Column("flow", KEY, nullable=False),
    Column("run_id", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("action", Text, nullable=False),
    Column("list_no", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("target_id", KEY, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("wake_on", Text),
    Column("attempts", Integer, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("body", LargeBinary),
    sqlite_autoincrement=True,
)
index_where(IS_PLANNED, "changes_planned", changes.c.run_id, changes.c.key, unique=True)
index_where(IS_PLANNED, "changes_next", changes.c.run_id, changes.c.list_no, changes.c.key)
index_where(IS_OPEN, "changes_open", changes.c.connection_id, changes.c.flow, changes.c.key, unique=True)

index_where(IS_HANDED, "changes_handed", changes.c.connection_id, changes.c.flow, changes.c.key)

index_where(IS_DROPPED, "changes_dropped", changes.c.connection_id, changes.c.flow)

finds = Table(
    "finds",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("connection_id", Integer, nullable=False),
    Column("flow", KEY, nullable=False),
    Column("run_id", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("target_id", KEY, nullable=False),
    Column("pending", Boolean, nullable=False, server_default=false()),
    Column("body", LargeBinary, nullable=False),
)
Index("finds_by_key", finds.c.run_id, finds.c.key)

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("connection_id", Integer, nullable=False),
    Column("flow", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("cause", KEY, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("stake_amount", Text),
    Column("stake_currency", Text),
    Column("opened_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("resolved_at", Text),
    Column("times", Integer, nullable=False),
    Column("assignee", Text, nullable=False, server_default=""),
    Column("snoozed_until", Text),
    Column("lacks", KEY, nullable=False, server_default=""),
    Column("resolved_run", KEY, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
index_where(
    IS_UNRESOLVED, "exceptions_open", exceptions.c.connection_id, exceptions.c.flow, exceptions.c.key, unique=True
)

index_where(
    IS_UNRESOLVED,
    "exceptions_by_cause",
    exceptions.c.connection_id,
    exceptions.c.flow,
    exceptions.c.cause,
    exceptions.c.opened_at,
    exceptions.c.id,
    exceptions.c.lacks,
)
index_where(
    IS_UNRESOLVED,
    "exceptions_summed",  # in the order in which they are summed, with all that it takes
    exceptions.c.connection_id,
    exceptions.c.flow,
    exceptions.c.cause,
    exceptions.c.stake_currency,
    exceptions.c.assignee,
    exceptions.c.snoozed_until,
    exceptions.c.stake_amount,
    exceptions.c.opened_at,
    exceptions.c.id,
    exceptions.c.resolved_at,
)
index_where(IS_UNRESOLVED, "exceptions_by_age", exceptions.c.connection_id, exceptions.c.opened_at, exceptions.c.id)
index_where(IS_RESOLVED, "exceptions_over", exceptions.c.connection_id, exceptions.c.resolved_at, exceptions.c.id)

approvals = Table(
    "approvals",
    metadata,
    Column("id", SERIAL, primary_key=True),
    owner(),
    Column("plan_id", KEY, nullable=False),
    Column("person", KEY, nullable=False),
    Column("at", Text, nullable=False),
    Column("used_at", Text),
    sqlite_autoincrement=True,
)
Index("approvals_by_plan", approvals.c.connection_id, approvals.c.plan_id, approvals.c.person)

chains = Table(
    "chains",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("flow", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("kind", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body_digest", LargeBinary),
    Column("body", LargeBinary),
)
Index("journal_by_key", journal.c.connection_id, journal.c.key, journal.c.seq)

reservations = Table(
    "reservations",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("due_at", Double, nullable=False),
    Column("resume_at", Double, nullable=False),
    sqlite_with_rowid=False,
)
