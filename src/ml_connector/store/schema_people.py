"""The tables of people and what they decide: users and their sessions, versions of settings, findings, search
terms, tie-outs and their signatures, keys that sign evidence.

Rule: as in `store.schema`, whose metadata these tables belong to.
Must not know: what the rows mean.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from ml_connector.store.schema import KEY, index_where, metadata, owner

HAS_SUBJECT = text("subject <> ''")

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", KEY, nullable=False),
    Column("roles", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("subject", KEY, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("last_at", Text),
    Column("disabled_at", Text),
    Column("wrong", Integer, nullable=False),
    Column("locked_until", Text),
    Column("wanted", Text, nullable=False, server_default=""),
    Column("wanted_by", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
Index("users_by_name", users.c.name, unique=True)
index_where(HAS_SUBJECT, "users_by_subject", users.c.subject, unique=True)

invitations = Table(
    "invitations",
    metadata,
    Column("digest", KEY, primary_key=True),
    Column("user_id", Integer),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", KEY, primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
)
Index("sessions_by_user", sessions.c.user_id)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("number", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("effective_at", Text),
    Column("base", Integer, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Text),
    Column("in_force_at", Text),
    Column("ended_by", Text, nullable=False),
    Column("ended_at", Text),
    sqlite_autoincrement=True,
)
Index("versions_by_number", versions.c.connection_id, versions.c.number, unique=True)

findings = Table(
    "findings",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", KEY, primary_key=True),
    Column("at", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

terms = Table(
    "terms",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("flow", KEY, primary_key=True),
    Column("key", KEY, primary_key=True),
    sqlite_with_rowid=False,
)

tie_outs = Table(
    "tie_outs",
    metadata,
    Column("id", Integer, primary_key=True),
    owner(),
    Column("period", KEY, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ties", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signed_at", Text),
    Column("signed_by", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
Index("tie_outs_by_period", tie_outs.c.connection_id, tie_outs.c.period, tie_outs.c.id)

tie_out_lines = Table(
    "tie_out_lines",
    metadata,
    Column("tie_out_id", Integer, ForeignKey("tie_outs.id"), primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("made_at", Text, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
