"""Whether exceptions and runs are those that the journal tells of.

Rule: of what began or ended within the journal's stretch, none is there that the journal does not tell of, and no
exception is missing that it tells of; what people did, and what became of each record, is made again. What is more than
can be held against each other is told, and never passed over.
Must not know: whether the files are those that were signed.
"""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import Line
from ml_connector.evidence.entries import Entry
from ml_connector.evidence.exceptions import ACTS, NOW, Followed
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import EXCEPTIONS, JOURNAL, RUNS
from ml_connector.evidence.manifest import Manifest
from ml_connector.evidence.reading import lines
from ml_connector.records import keys, sheet

ROWS_MAX = 500_000
EDGE = timedelta(seconds=60)  # what ends while evidence is made may be told in a table and not yet in the journal
HELD, RELEASED, RUN = "held", "released", "run"
_NEEDED = {
    EXCEPTIONS: {"flow", "record", "cause", "opened_at", "resolved_at", ACTS, NOW},
    RUNS: {"flow", "run", "state", "finished_at"},
}
Row = dict[str, str]
Told = tuple[str, ...]  # flow; record or run; cause or state


class Waited:
    """The check of one folder's exceptions and runs."""

    def __init__(self, folder: Folder, found: Findings, said: Manifest) -> None:
        self._folder, self._found, self._said = folder, found, said
        self._told: dict[str, set[Told]] = {HELD: set(), RELEASED: set(), RUN: set()}
        self._since, self._until = "", ""  # of the entries that were taken in
        self._cut: set[str] = set()  # tables of which not all was read
        records = ((row["flow"], row["record"]) for _, row in self._rows(EXCEPTIONS, Findings()))
        self._followed = Followed(records, _named)

    def entry(self, entry: Entry) -> None:
        """Take in an entry of the journal. Raises: ValueError."""
        self._followed.entry(entry)
        if not self._said.since <= entry.at < self._said.until:
            return
        self._since, self._until = min(self._since or entry.at, entry.at), max(self._until, entry.at)
        told = self._told.get(entry.kind)
        if told is not None and len(told) <= ROWS_MAX:
            told.add(_told_by(entry))

    def document(self, line: Line) -> None:
        """Take in a document."""
        self._followed.document(line)

    def check(self) -> None:
        """Find what the journal does not tell of, and what it tells of and is missing."""
        upto = min(self._until, _before(self._said.until))
        there = {self._exception(number, row, upto) for number, row in self._rows(EXCEPTIONS, self._found)}
        if self._whole(HELD) and EXCEPTIONS not in self._cut:
            self._missing(there)
        for number, row in self._rows(RUNS, self._found):
            if row["finished_at"] and self._since <= row["finished_at"] <= upto:
                self._borne_out(RUNS, number, RUN, (row["flow"], row["run"], row["state"]))
        for kind in self._told:
            if not self._whole(kind):
                self._found.add(JOURNAL, f"tells of more than {ROWS_MAX:,} {kind}; no table was held against those")

    def _exception(self, number: int, row: Row, upto: str) -> Told:
        """What an exception tells of, which the journal has to tell of, too."""
        told = row["flow"], row["record"], row["cause"]
        for at, kind in ((row["opened_at"], HELD), (row["resolved_at"], RELEASED)):
            if at and self._since <= at <= upto:
                self._borne_out(EXCEPTIONS, number, kind, told)
        if not self._as_told(row):
            self._found.add(EXCEPTIONS, "says otherwise what people did, or what became of it", number)
        return told

    def _whole(self, kind: str) -> bool:
        """Whether all that the journal tells of this kind was taken in."""
        return len(self._told[kind]) <= ROWS_MAX

    def _as_told(self, row: Row) -> bool:
        try:
            return (row[ACTS], row[NOW]) == _cells(*self._followed.told((row["flow"], row["record"])))
        except ValueError:  # more than can stand in a table
            return False

    def _borne_out(self, name: str, number: int, kind: str, told: Told) -> None:
        if told not in self._told[kind] and self._whole(kind):
            self._found.add(name, f"says {kind}: {', '.join(told)}; the journal does not tell of that", number)

    def _missing(self, there: set[Told]) -> None:
        for told in sorted(self._told[HELD] - there) if EXCEPTIONS in self._folder.sizes else ():
            self._found.add(EXCEPTIONS, f"does not tell of what the journal says was held: {', '.join(told)}")

    def _rows(self, name: str, found: Findings) -> Iterator[tuple[int, Row]]:
        """The rows of a table with their lines; a file that is missing is told as such elsewhere."""
        if name not in self._folder.sizes:
            return
        texts = (text.decode("utf-8", "replace") for _, text in lines(self._folder, found, name))
        table = csv.DictReader(texts, restval="")
        try:
            if not set(table.fieldnames or ()) >= _NEEDED[name]:
                found.add(name, "has other columns than it should have", 1)
                return
            for count, row in enumerate(table):
                if count == ROWS_MAX:
                    self._cut.add(name)
                    found.add(
                        name, f"has more than {ROWS_MAX:,} rows; those from here on were not checked", table.line_num
                    )
                    return
                yield table.line_num, row
        except csv.Error:
            found.add(name, "is no table", table.line_num)


def _told_by(entry: Entry) -> Told:
    """What an entry tells of. Raises: ValueError."""
    facts = msgspec.json.decode(entry.facts, type=dict[str, Any])
    if entry.kind == RUN:
        return _cells(entry.flow, entry.run_id, str(facts.get("state", "")))
    return _cells(entry.flow, keys.shown(entry.key), str(facts.get("cause", "")))


def _named(key: str) -> str:
    """A record as it stands in a table; one that is too long for that stands in none."""
    try:
        return _cells(keys.shown(key))[0]
    except ValueError:
        return ""


def _cells(*values: str) -> Told:
    """As they stand in a table, where none may be taken for a formula. Raises: ValueError for one that is too long."""
    try:
        return tuple(next(csv.reader([sheet.line(values)])))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _before(until: str) -> str:
    try:
        return (datetime.fromisoformat(until) - EDGE).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError):
        return ""
