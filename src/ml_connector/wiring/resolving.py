"""Exceptions of a stretch of time as evidence: why, who saw to each, what became of the record.

Rule: who did what is taken from the journal, what became of a document from the tie-out.
Must not know: how anything is shown.
"""

from pathlib import Path
from typing import Any

from ml_connector.compare.tieout.shapes import Line
from ml_connector.evidence.entries import Entry
from ml_connector.evidence.exceptions import COLUMNS, Followed
from ml_connector.evidence.layout import EXCEPTIONS
from ml_connector.records import keys, sheet
from ml_connector.store import extracts
from ml_connector.store.db import Database
from ml_connector.store.extracts import Window


class Resolutions:
    """The exceptions of one connection within a window, and what is learnt of each."""

    def __init__(self, db: Database, number: int, window: Window) -> None:
        self._db, self._number, self._window = db, number, window
        rows = extracts.exceptions_within(db, number, window)
        self._followed = Followed((row.flow, keys.shown(row.key)) for row in rows)

    def document(self, line: Line) -> None:
        """Learn what a document is now."""
        self._followed.document(line)

    def entry(self, entry: Entry) -> None:
        """Learn what somebody did."""
        self._followed.entry(entry)

    def write(self, folder: Path) -> None:
        """Write them all, in the order in which they were opened."""
        with (folder / EXCEPTIONS).open("w", encoding="utf-8", newline="") as file:
            file.write(sheet.line(COLUMNS))
            rows = extracts.exceptions_within(self._db, self._number, self._window)
            file.writelines(sheet.line(self._cells(row)) for row in rows)

    def _cells(self, row: Any) -> list[Any]:
        record = row.flow, keys.shown(row.key)
        told = [row.id, *record, row.cause, row.sentence, row.remedy, row.owner]
        told += [row.stake_amount, row.stake_currency, row.opened_at, row.last_at, row.times, row.assignee]
        return [*told, row.resolved_at, row.resolved_run, *self._followed.told(record)]
