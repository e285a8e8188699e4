"""Verifying journals while people go on: in the background, one at a time, its latest verdict remembered.

Rule: verifying reads only; whoever asks while it goes on is told so. A verdict is of this process, and goes with it.
Must not know: what an entry means.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ml_connector.errors import ConnectorError
from ml_connector.store.chain import Verdict
from ml_connector.store.journal import Journal


@dataclass(frozen=True)
class Found:
    """How the verification of a journal stands, or how it ended."""

    at: datetime
    busy: bool = False
    entries: int = 0
    broken: tuple[tuple[int, str], ...] = ()
    error: str = ""


@dataclass
class Verifying:
    """The verifications of one process, by connection."""

    found: dict[int, Found] = field(default_factory=dict[int, Found])
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def latest(self, connection_id: int) -> Found | None:
        """How a journal was found."""
        return self.found.get(connection_id)

    def start(self, connection_id: int, journal: Journal) -> None:
        """Verify a journal, unless that goes on already."""
        with self._guard:
            there = self.found.get(connection_id)
            if there and there.busy:
                return
            self.found[connection_id] = Found(datetime.now(UTC), busy=True)
        threading.Thread(target=self._verify, args=(connection_id, journal), name="verify", daemon=True).start()

    def _verify(self, connection_id: int, journal: Journal) -> None:
        with self._turn:
            found = _verdict(journal)
        self.found[connection_id] = found


def _verdict(journal: Journal) -> Found:
    try:
        verdict: Verdict = journal.verify()
    except ConnectorError as error:
        return Found(datetime.now(UTC), error=str(error))
    except Exception as error:  # whatever it is, it is not going on any more
        return Found(datetime.now(UTC), error=f"verifying failed ({type(error).__name__})")
    return Found(datetime.now(UTC), entries=verdict.entries, broken=verdict.broken)
