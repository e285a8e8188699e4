"""What is told in the installation's journal about access, and about connections that are gone.

Rule: who did what to whom; never anything with which somebody could sign in.
Must not know: why.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema import INSTALLATION
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault


class AccessLog:
    """Entries about access."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._journal = Journal(db, vault, INSTALLATION, clock)

    def note(self, connection: Connection, event: str, person: str, about: str, **facts: Any) -> None:
        """Tell of an event within a transaction; do it last."""
        told = {"event": event, "person": person, "about": about} | facts
        self._journal.append(connection, [Line(Kind.ACCESS, told, about)])
