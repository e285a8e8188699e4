"""Bringing a database's tables up to date.

Rule: runs inside the caller's transaction and under its lock: another process sees all of a migration or nothing.
Must not know: which database it is.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ml_connector.errors import StoreError

HEAD = "0005"
FOLDER = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Run the migrations that are missing, up to a revision.

    Raises: StoreError when the database is newer than this code.
    """
    version = current(connection)
    if version != revision:
        _run(connection, version, revision)


def current(connection: Connection) -> str:
    """The database's version; "" when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def _run(connection: Connection, version: str, revision: str) -> None:
    # Imported here: alembic costs a third of a second, and a database is nearly always up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version and version not in known:
        raise StoreError(f"the database has version {version}, this program knows up to {HEAD}; install a newer one")
    command.upgrade(config, revision)
