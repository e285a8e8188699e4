"""The console: users and sessions, versions of settings, findings, search terms, who is at which exception.

Rule: a migration never changes once it has been released; it does not use the tables of `store.schema`.
Must not know: what comes after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
HAS_SUBJECT = sa.text("subject <> ''")


def upgrade() -> None:
    """Add the tables and columns."""
    _people()
    _versions()
    _findings()
    _stories()
    _exceptions()
    _approvals_and_inbox()
    _installation_journal()
    op.add_column("orders", sa.Column("progress", sa.Text(), nullable=False, server_default=""))


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", KEY, nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text()),
        sa.Column("disabled_at", sa.Text()),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Text()),
        sa.Column("wanted", sa.Text(), nullable=False, server_default=""),
        sa.Column("wanted_by", sa.Text(), nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("users_by_name", "users", ["name"], unique=True)
    op.create_index(
        "users_by_subject", "users", ["subject"], unique=True, sqlite_where=HAS_SUBJECT, postgresql_where=HAS_SUBJECT
    )
    op.create_table(
        "invitations",
        sa.Column("digest", KEY, primary_key=True),
        sa.Column("user_id", sa.Integer()),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", KEY, primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"])


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.Text()),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.Text()),
        sa.Column("in_force_at", sa.Text()),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("versions_by_number", "versions", ["connection_id", "number"], unique=True)


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("connection_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("kind", KEY, primary_key=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "terms",
        sa.Column("connection_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("term", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("flow", KEY, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sqlite_with_rowid=False,
    )


def _stories() -> None:
    told = sa.text("story <> ''")
    columns = ["connection_id", "story", "flow", "key"]
    op.create_index("links_by_story", "links", columns, sqlite_where=told, postgresql_where=told)


def _exceptions() -> None:
    op.add_column("exceptions", sa.Column("assignee", sa.Text(), nullable=False, server_default=""))
    op.add_column("exceptions", sa.Column("snoozed_until", sa.Text()))
    op.add_column("exceptions", sa.Column("lacks", KEY, nullable=False, server_default=""))
    op.add_column("exceptions", sa.Column("resolved_run", KEY, nullable=False, server_default=""))
    is_open, is_over = sa.text("resolved_at IS NULL"), sa.text("resolved_at IS NOT NULL")
    summed = ["stake_currency", "assignee", "snoozed_until", "stake_amount", "opened_at", "id", "resolved_at"]
    for name, columns, where in (
        ("exceptions_by_cause", ["connection_id", "flow", "cause", "opened_at", "id", "lacks"], is_open),
        ("exceptions_summed", ["connection_id", "flow", "cause", *summed], is_open),
        ("exceptions_by_age", ["connection_id", "opened_at", "id"], is_open),
        ("exceptions_over", ["connection_id", "resolved_at", "id"], is_over),
    ):
        op.create_index(name, "exceptions", columns, sqlite_where=where, postgresql_where=where)


def _approvals_and_inbox() -> None:
    """Find what a gate stopped, the latest events, and those that a person has to look at."""
    is_stopped = sa.text("state = 'blocked'")
    for table, time in (("runs", "started_at"), ("orders", "placed_at")):
        columns = ["connection_id", time]
        op.create_index(f"{table}_stopped", table, columns, sqlite_where=is_stopped, postgresql_where=is_stopped)
    is_amiss = sa.text("state IN ('failed', 'unknown', 'off', 'stale')")
    op.create_index("inbox_by_number", "inbox", ["connection_id", "id"])
    op.create_index("inbox_amiss", "inbox", ["connection_id", "id"], sqlite_where=is_amiss, postgresql_where=is_amiss)


def _installation_journal() -> None:
    """Let there be a chain that belongs to no connection: what concerns the whole installation."""
    bare = sa.Table(
        "chains",
        sa.MetaData(),
        sa.Column("connection_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("chains_connection_id_fkey", "chains", type_="foreignkey")
    else:
        with op.batch_alter_table("chains", copy_from=bare, recreate="always"):
            pass
