"""Proof: tie-outs with their documents and sign-off, and the keys that sign evidence. Speed: dropped changes are found.

Rule: a migration never changes once it has been released; it does not use the tables of `store.schema`.
Must not know: what comes after it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables, and an index."""
    left = sa.text("state = 'dropped' AND body IS NOT NULL")
    columns = ["connection_id", "flow"]
    op.create_index("changes_dropped", "changes", columns, sqlite_where=left, postgresql_where=left)
    op.create_table(
        "tie_outs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("connection_id", sa.Integer(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("period", KEY, nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ties", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.Text()),
        sa.Column("signed_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("tie_outs_by_period", "tie_outs", ["connection_id", "period", "id"])
    op.create_table(
        "tie_out_lines",
        sa.Column("tie_out_id", sa.Integer(), sa.ForeignKey("tie_outs.id"), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sqlite_autoincrement=True,
    )
