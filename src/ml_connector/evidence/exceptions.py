"""Exceptions of evidence as a table: its columns, and what of it follows from the rest of the folder.

Rule: who did what follows from the journal, what became of a record from the documents; a check makes both again.
Must not know: where exceptions come from.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import Line
from ml_connector.evidence.entries import Entry
from ml_connector.records import keys

ACTS, NOW = "what people did", "now"
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
    ACTS,
    NOW,
)
BY_PEOPLE = ("noted", "edited", "approved")
ACTS_MAX = 20
Record = tuple[str, str]  # flow, and key as it is shown


class Followed:
    """What is learnt of records that had exceptions; `named`: how a key is written in them."""

    def __init__(self, records: Iterable[Record], named: Callable[[str], str] = keys.shown) -> None:
        self._named = named
        self._acts: dict[Record, list[str]] = {record: [] for record in records}
        self._now: dict[Record, str] = {}

    def document(self, line: Line) -> None:
        """Learn what a document is now."""
        if (record := (line.flow, self._named(line.key))) in self._acts:
            self._now[record] = f"{line.state} {line.target_id}".strip().replace("_", " ")

    def entry(self, entry: Entry) -> None:
        """Learn what somebody did. Raises: ValueError."""
        acts = self._acts.get((entry.flow, self._named(entry.key))) if entry.kind in BY_PEOPLE else None
        if acts is not None and len(acts) < ACTS_MAX:
            facts = msgspec.json.decode(entry.facts, type=dict[str, Any])
            acts.append(f"{entry.at} {facts.get('person', '')} {facts.get('event', entry.kind)} (entry {entry.seq})")

    def told(self, record: Record) -> tuple[str, str]:
        """What people did about a record, and what became of it."""
        return "; ".join(self._acts.get(record, ())), self._now.get(record, "")
