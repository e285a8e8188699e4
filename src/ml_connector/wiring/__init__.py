"""The only place where concrete parts meet.

Rule: it builds and hands over; it decides nothing about records.
Must not know: how anything is shown.
"""

from ml_connector.wiring.garbage import collect_rarely
from ml_connector.wiring.joined import Joined, Watch, joined
from ml_connector.wiring.opened import (
    Opened,
    Secrets,
    approvals,
    exceptions,
    installation_journal,
    journal,
    kept,
    open_store,
)
from ml_connector.wiring.versions import connect

__all__ = [
    "Joined",
    "Opened",
    "Secrets",
    "Watch",
    "approvals",
    "collect_rarely",
    "connect",
    "exceptions",
    "installation_journal",
    "joined",
    "journal",
    "kept",
    "open_store",
]
