"""Unattended work: orders and their workers, schedules, webhooks, edits, API tokens, alerts, counts.

Rule: a migration never changes once it has been released; it does not use the tables of `store.schema`.
Must not know: what comes after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IS_QUEUED_OR_RUNNING = sa.text("state IN ('queued', 'running')")
IS_RUNNING = sa.text("state = 'running'")
IS_WAITING = sa.text("state = 'waiting'")
IS_PLACED = sa.text("state = 'placed'")
IS_IN_FORCE = sa.text("ended_at IS NULL")
IS_WHOLE = sa.text("kind = 'run'")
IS_DONE = sa.text("kind = 'run' AND state = 'done'")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "orders",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("flow", KEY, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Double, nullable=False),
        sa.Column("started_at", sa.Text()),
        sa.Column("finished_at", sa.Text()),
        sa.Column("worker", KEY),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
    )
    op.create_index(
        "orders_running",
        "orders",
        ["connection_id", "flow"],
        unique=True,
        sqlite_where=IS_RUNNING,
        postgresql_where=IS_RUNNING,
    )
    op.create_index(
        "orders_open",
        "orders",
        ["rank", "placed_at"],
        sqlite_where=IS_QUEUED_OR_RUNNING,
        postgresql_where=IS_QUEUED_OR_RUNNING,
    )
    op.create_index("orders_by_flow", "orders", ["connection_id", "flow", "placed_at"])
    op.create_index("orders_by_end", "orders", ["finished_at"])
    op.create_table(
        "workers",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("flow", KEY, nullable=False),
        sa.Column("census", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("catch_up", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_slot", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("schedules_by_flow", "schedules", ["connection_id", "flow", "census"], unique=True)
    op.create_table(
        "blackouts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("flow", KEY, nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hooks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("system", KEY, nullable=False),
        sa.Column("path_digest", KEY, nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("hooks_by_path", "hooks", ["path_digest"], unique=True)
    op.create_index("hooks_by_system", "hooks", ["connection_id", "system"], unique=True)
    op.create_table(
        "inbox",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("system", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("flow", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("not_before", sa.Double, nullable=False, server_default=sa.text("0")),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Text()),
        sa.Column("sealed", sa.LargeBinary()),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_by_event", "inbox", ["connection_id", "system", "event_id"], unique=True)
    waiting = ["connection_id", "flow", "not_before"]
    op.create_index("inbox_waiting", "inbox", waiting, sqlite_where=IS_WAITING, postgresql_where=IS_WAITING)
    op.create_index("inbox_by_key", "inbox", ["connection_id", "flow", "key"])
    op.create_index("inbox_placed", "inbox", ["order_id"], sqlite_where=IS_PLACED, postgresql_where=IS_PLACED)
    op.create_index("inbox_by_time", "inbox", ["received_at"])
    op.create_table(
        "edits",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("flow", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.Text()),
        sa.Column("ended_at", sa.Text()),
        sa.Column("ended_why", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "edits_in_force",
        "edits",
        ["connection_id", "flow", "key"],
        sqlite_where=IS_IN_FORCE,
        postgresql_where=IS_IN_FORCE,
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", KEY, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("digest", KEY, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text()),
        sa.Column("revoked_at", sa.Text()),
        sa.Column("last_at", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("api_tokens_by_digest", "api_tokens", ["digest"], unique=True)
    op.create_table(
        "alerts",
        sa.Column("connection_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", KEY, primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("turning_at", sa.Text()),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.Text()),
        sa.Column("silenced_until", sa.Text()),
    )
    for name, at, which in (("runs_whole", "started_at", IS_WHOLE), ("runs_done", "finished_at", IS_DONE)):
        op.create_index(name, "runs", ["connection_id", "flow", at], sqlite_where=which, postgresql_where=which)
    op.create_table(
        "tallies",
        sa.Column("name", KEY, primary_key=True),
        sa.Column("labels", KEY, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
    )
