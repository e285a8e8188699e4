"""The tables of unattended work: orders and their workers, schedules, webhooks, edits, API tokens, alerts, counts.

Rule: as in `store.schema`, whose metadata these tables belong to.
Must not know: what the rows mean.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from ml_connector.store.schema import IS_STOPPED, KEY, SERIAL, index_where, metadata, owner

IS_QUEUED_OR_RUNNING = text("state IN ('queued', 'running')")
IS_RUNNING = text("state = 'running'")
IS_WAITING = text("state = 'waiting'")
IS_PLACED = text("state = 'placed'")
IS_AMISS = text("state IN ('failed', 'unknown', 'off', 'stale')")
IS_IN_FORCE = text("ended_at IS NULL")

orders = Table(
    "orders",
    metadata,
    Column("id", KEY, primary_key=True),
    owner(),
    Column("flow", KEY, nullable=False),
    Column("what", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("not_before", Double, nullable=False),
    Column("started_at", Text),
    Column("finished_at", Text),
    Column("worker", KEY),
    Column("attempts", Integer, nullable=False),
    Column("run_id", KEY, nullable=False),
    Column("figures", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("progress", Text, nullable=False, server_default=""),
)
index_where(IS_RUNNING, "orders_running", orders.c.connection_id, orders.c.flow, unique=True)
index_where(IS_QUEUED_OR_RUNNING, "orders_open", orders.c.rank, orders.c.placed_at)
Index("orders_by_flow", orders.c.connection_id, orders.c.flow, orders.c.placed_at)
Index("orders_by_end", orders.c.finished_at)
index_where(IS_STOPPED, "orders_stopped", orders.c.connection_id, orders.c.placed_at)

workers = Table(
    "workers",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("lease_until", Double, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("flow", KEY, nullable=False),
    Column("census", Boolean, nullable=False),
    Column("spec", Text, nullable=False),
    Column("catch_up", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("last_slot", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("schedules_by_flow", schedules.c.connection_id, schedules.c.flow, schedules.c.census, unique=True)

blackouts = Table(
    "blackouts",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("flow", KEY, nullable=False),
    Column("spec", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    sqlite_autoincrement=True,
)

hooks = Table(
    "hooks",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("system", KEY, nullable=False),
    Column("path_digest", KEY, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("last_at", Text),
    sqlite_autoincrement=True,
)
Index("hooks_by_path", hooks.c.path_digest, unique=True)
Index("hooks_by_system", hooks.c.connection_id, hooks.c.system, unique=True)

inbox = Table(
    "inbox",
    metadata,
    Column("id", SERIAL, primary_key=True),
    owner(),
    Column("system", KEY, nullable=False),
    Column("event_id", KEY, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("flow", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("order_id", KEY, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("not_before", Double, nullable=False, server_default=text("0")),
    Column("note", Text, nullable=False),
    Column("done_at", Text),
    Column("sealed", LargeBinary),
    sqlite_autoincrement=True,
)
Index("inbox_by_event", inbox.c.connection_id, inbox.c.system, inbox.c.event_id, unique=True)
index_where(IS_WAITING, "inbox_waiting", inbox.c.connection_id, inbox.c.flow, inbox.c.not_before)
Index("inbox_by_key", inbox.c.connection_id, inbox.c.flow, inbox.c.key)
index_where(IS_PLACED, "inbox_placed", inbox.c.order_id)
Index("inbox_by_time", inbox.c.received_at)
Index("inbox_by_number", inbox.c.connection_id, inbox.c.id)
index_where(IS_AMISS, "inbox_amiss", inbox.c.connection_id, inbox.c.id)

edits = Table(
    "edits",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("flow", KEY, nullable=False),
    Column("key", KEY, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Text),
    Column("ended_at", Text),
    Column("ended_why", Text, nullable=False),
    sqlite_autoincrement=True,
)
index_where(IS_IN_FORCE, "edits_in_force", edits.c.connection_id, edits.c.flow, edits.c.key)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", KEY, nullable=False),
    Column("scope", Text, nullable=False),
    Column("digest", KEY, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Text),
    Column("revoked_at", Text),
    Column("last_at", Text),
    sqlite_autoincrement=True,
)
Index("api_tokens_by_digest", api_tokens.c.digest, unique=True)

alerts = Table(
    "alerts",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("name", KEY, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("turning_at", Text),
    Column("sentence", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Text),
    Column("silenced_until", Text),
)

tallies = Table(
    "tallies",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("labels", KEY, primary_key=True),
    Column("value", Double, nullable=False),
)
