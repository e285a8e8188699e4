"""The first tables.

Rule: a migration never changes once it has been released; it does not use the tables of `store.schema`.
Must not know: what comes after it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    _seals()
    _connections()
    _runs()
    _records()
    _changes()
    _exceptions()
    _journal()
    _limits()


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement="auto" if name == "id" else False)


def _maybe(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _to_connection() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["connection_id"], ["connections.id"])


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _seals() -> None:
    op.create_table(
        "data_keys",
        _column("id", sa.Integer()),
        _column("wrapped", sa.LargeBinary()),
        _column("wrapped_by", sa.Text()),
        _column("created_at", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _connections() -> None:
    op.create_table(
        "connections",
        _column("id", sa.Integer()),
        _column("name", KEY),
        _column("settings", sa.Text()),
        _column("created_at", sa.Text()),
        _column("changed_at", sa.Text()),
        _maybe("removed_at", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("connections_by_name", "connections", ["name"], unique=True, **_where("removed_at IS NULL"))
    op.create_table(
        "secrets",
        _column("connection_id", sa.Integer()),
        _column("field", KEY),
        _column("sealed", sa.LargeBinary()),
        _column("changed_at", sa.Text()),
        _to_connection(),
        sa.PrimaryKeyConstraint("connection_id", "field"),
    )
    op.create_table(
        "tokens",
        _column("connection_id", sa.Integer()),
        _column("name", KEY),
        _column("sealed", sa.LargeBinary()),
        _to_connection(),
        sa.PrimaryKeyConstraint("connection_id", "name"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        _column("id", KEY),
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("kind", sa.Text()),
        _column("state", sa.Text()),
        _column("process", sa.Text()),
        _column("started_at", sa.Text()),
        _maybe("finished_at", sa.Text()),
        _maybe("report", sa.LargeBinary()),
        _to_connection(),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("runs_by_start", "runs", ["connection_id", "flow", "started_at"])
    op.create_table(
        "cursors",
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("name", KEY),
        _column("content", sa.Text()),
        sa.PrimaryKeyConstraint("connection_id", "flow", "name"),
    )


def _records() -> None:
    op.create_table(
        "links",
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("key", KEY),
        _column("target_id", KEY),
        _column("digest", sa.Text()),
        _column("active", sa.Boolean()),
        _maybe("wake_on", sa.Text()),
        _column("changed_at", sa.Text()),
        _column("agreed", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("connection_id", "flow", "key"),
    )
    op.create_index("links_by_active", "links", ["connection_id", "flow", "active"])
    op.create_index("links_to_wake", "links", ["connection_id", "flow", "wake_on"], **_where("wake_on IS NOT NULL"))
    op.create_index("links_in_doubt", "links", ["connection_id", "flow"], **_where("digest = ''"))
    op.create_table(
        "marks",
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("row_key", KEY),
        _column("part", KEY),
        _column("mark", sa.Text()),
        sa.PrimaryKeyConstraint("connection_id", "flow", "row_key", "part"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "finds",
        _column("id", SERIAL),
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("run_id", KEY),
        _column("key", KEY),
        _column("target_id", KEY),
        _column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("finds_by_key", "finds", ["run_id", "key"])


def _changes() -> None:
    op.create_table(
        "changes",
        _column("id", SERIAL),
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("run_id", KEY),
        _column("key", KEY),
        _column("action", sa.Text()),
        _column("list_no", sa.Integer()),
        _column("state", sa.Text()),
        _column("target_id", KEY),
        _column("active", sa.Boolean()),
        _maybe("wake_on", sa.Text()),
        _column("attempts", sa.Integer()),
        _column("changed_at", sa.Text()),
        _maybe("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("changes_next", "changes", ["run_id", "list_no", "key"], **_where("state = 'planned'"))
    op.create_index(
        "changes_open",
        "changes",
        ["connection_id", "flow", "key"],
        unique=True,
        **_where("state IN ('intended', 'uncertain')"),
    )
    op.create_index("changes_planned", "changes", ["run_id", "key"], unique=True, **_where("state = 'planned'"))


def _exceptions() -> None:
    op.create_table(
        "exceptions",
        _column("id", SERIAL),
        _column("connection_id", sa.Integer()),
        _column("flow", KEY),
        _column("key", KEY),
        _column("cause", KEY),
        _column("sentence", sa.Text()),
        _column("remedy", sa.Text()),
        _column("owner", sa.Text()),
        _maybe("stake_amount", sa.Text()),
        _maybe("stake_currency", sa.Text()),
        _column("opened_at", sa.Text()),
        _column("last_at", sa.Text()),
        _maybe("resolved_at", sa.Text()),
        _column("times", sa.Integer()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "exceptions_open", "exceptions", ["connection_id", "flow", "key"], unique=True, **_where("resolved_at IS NULL")
    )


def _journal() -> None:
    op.create_table(
        "journal",
        _column("connection_id", sa.Integer()),
        _column("seq", sa.BigInteger()),
        _column("at", sa.Text()),
        _column("run_id", sa.Text()),
        _column("flow", KEY),
        _column("key", KEY),
        _column("kind", sa.Text()),
        _column("facts", sa.Text()),
        _column("prev", sa.LargeBinary()),
        _column("hash", sa.LargeBinary()),
        _maybe("body_digest", sa.LargeBinary()),
        _maybe("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("connection_id", "seq"),
    )
    op.create_index("journal_by_key", "journal", ["connection_id", "key", "seq"])
    op.create_table(
        "chains",
        _column("connection_id", sa.Integer()),
        _column("seq", sa.BigInteger()),
        _column("head", sa.LargeBinary()),
        _column("sealed", sa.LargeBinary()),
        _to_connection(),
        sa.PrimaryKeyConstraint("connection_id"),
    )


def _limits() -> None:
    op.create_table(
        "reservations",
        _column("name", KEY),
        _column("due_at", sa.Double()),
        _column("resume_at", sa.Double()),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
