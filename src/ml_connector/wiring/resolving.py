"""Exceptions of a stretch of time as evidence: why, who saw to each, what became of the record.

Rule: who did what is taken from the journal, what became of a document from the tie-out.
Must not know: how anything is shown.
"""

from pathlib import Path
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import Line
from ml_connector.evidence.entries import Entry
from ml_connector.evidence.layout import EXCEPTIONS
from ml_connector.records import keys, sheet
from ml_connector.store import extracts
from ml_connector.store.db import Database
from ml_connector.store.extracts import Window

COLUMNS = (
    "number",
    "flow",
    "record",
    "cause",
    "sentence",
    "remedy",
    "owner",
    "stake",
    "currency",
    "opened_at",
    "last_at",
    "times",
    "assignee",
    "resolved_at",
    "resolved_run",
    "what people did",
    "now",
)
BY_PEOPLE = ("noted", "edited", "approved")
ACTS_MAX = 20
Record = tuple[str, str]  # flow and key


class Resolutions:
    """The exceptions of one connection within a window, and what is learnt of each."""

    def __init__(self, db: Database, number: int, window: Window) -> None:
        self._db, self._number, self._window = db, number, window
        rows = extracts.exceptions_within(db, number, window)
        self._acts: dict[Record, list[str]] = {(row.flow, row.key): [] for row in rows}
        self._now: dict[Record, str] = {}

    def document(self, line: Line) -> None:
        """Learn what a document is now."""
        if (record := (line.flow, line.key)) in self._acts:
            self._now[record] = f"{line.state} {line.target_id}".strip().replace("_", " ")

    def entry(self, entry: Entry) -> None:
        """Learn what somebody did."""
        acts = self._acts.get((entry.flow, entry.key)) if entry.kind in BY_PEOPLE else None
        if acts is not None and len(acts) < ACTS_MAX:
            facts = msgspec.json.decode(entry.facts, type=dict[str, Any])
            acts.append(f"{entry.at} {facts.get('person', '')} {facts.get('event', entry.kind)} (entry {entry.seq})")

    def write(self, folder: Path) -> None:
        """Write them all, in the order in which they were opened."""
        with (folder / EXCEPTIONS).open("w", encoding="utf-8", newline="") as file:
            file.write(sheet.line(COLUMNS))
            rows = extracts.exceptions_within(self._db, self._number, self._window)
            file.writelines(sheet.line(self._cells(row)) for row in rows)

    def _cells(self, row: Any) -> list[Any]:
        record = row.flow, row.key
        told = [row.id, row.flow, keys.shown(row.key), row.cause, row.sentence, row.remedy, row.owner]
        told += [row.stake_amount, row.stake_currency, row.opened_at, row.last_at, row.times, row.assignee]
        told += [row.resolved_at, row.resolved_run, "; ".join(self._acts.get(record, ())), self._now.get(record, "")]
        return told
