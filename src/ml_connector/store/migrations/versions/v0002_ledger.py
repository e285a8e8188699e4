"""Documents: what links remember of their source, and approvals by a person.

Rule: a migration never changes once it has been released; it does not use the tables of `store.schema`.
Must not know: what comes after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IS_HANDED = sa.text("state = 'handed'")
IS_ALIKE = sa.text("alike <> ''")


def upgrade() -> None:
    """Add columns and a table."""
    op.add_column("links", sa.Column("origin", sa.Text(), nullable=False, server_default=""))
    op.add_column("links", sa.Column("story", KEY, nullable=False, server_default=""))
    op.add_column("links", sa.Column("alike", KEY, nullable=False, server_default=""))
    op.add_column("finds", sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "links_alike",
        "links",
        ["connection_id", "flow", "alike"],
        sqlite_where=IS_ALIKE,
        postgresql_where=IS_ALIKE,
    )
    op.create_index(
        "changes_handed",
        "changes",
        ["connection_id", "flow", "key"],
        sqlite_where=IS_HANDED,
        postgresql_where=IS_HANDED,
    )
    op.create_table(
        "approvals",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("approvals_by_plan", "approvals", ["connection_id", "plan_id", "person"])
