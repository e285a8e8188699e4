"""The store: links, changes, journal, exceptions and secrets, in SQLite or PostgreSQL.

Rule: what a transaction commits is true together; record bodies and secrets lie sealed.
Must not know: HTTP, IFS, Airbase, how a run is started, settings.
"""

from ml_connector.store import schema_people, schema_work

__all__ = ["schema_people", "schema_work"]  # known to the metadata before anybody looks at it
