"""Whether the documents are those that the tie-out is of, its totals theirs, and the tables theirs.

Rule: everything is made again from the documents as they lie in the exact form.
Must not know: whether the files are those that were signed.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec

from ml_connector.compare.tieout.shapes import Line, State, TieOut, Total
from ml_connector.evidence import tables
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import DIFFERENCES, DOCUMENTS, POPULATION, TIE_OUT, TOTALS
from ml_connector.evidence.reading import UNREADABLE, Table, lines
from ml_connector.evidence.totals import Sums
from ml_connector.records import money


class Population:
    """The check of one folder's documents; `also` is told each."""

    def __init__(self, folder: Folder, found: Findings, tie_out: TieOut, also: Callable[[Line], None]) -> None:
        self._folder, self._found, self._tie_out, self._also = folder, found, tie_out, also
        self._sums, self._digest = Sums(), hashlib.sha256()
        self.count = 0

    def check(self) -> None:
        """Find all that does not follow from the documents."""
        self._documents()
        said = self._tie_out
        if (self.count, self._digest.hexdigest()) != (said.lines, said.lines_digest):
            self._found.add(POPULATION, f"has other documents than the {said.lines:,} that the tie-out is of")
        try:
            self._totals()
        except UNREADABLE:
            self._found.add(TIE_OUT, "has totals that are no amounts")

    def _documents(self) -> None:
        with ExitStack() as stack:
            documents, differences = (
                _Rows(Table(self._folder, self._found, name, stack), tables.DOCUMENT_COLUMNS)
                for name in (DOCUMENTS, DIFFERENCES)
            )
            for number, text in lines(self._folder, self._found, POPULATION):
                self.count += 1
                self._digest.update(text)
                if line := self._line(number, text):
                    documents.expect(line)
                    if line.difference:
                        differences.expect(line)
            documents.end()
            differences.end()

    def _line(self, number: int, text: bytes) -> Line | None:
        try:
            line = _read(text)
        except UNREADABLE:
            self._found.add(POPULATION, "is no document", number)
            return None
        self._sums.add(line)
        self._also(line)
        return line

    def _totals(self) -> None:
        totals = self._tie_out.totals
        for what in self._sums.differences(totals):
            self._found.add(TIE_OUT, what)
        with ExitStack() as stack:
            table = _Rows(Table(self._folder, self._found, TOTALS, stack), tables.TOTAL_COLUMNS)
            for one in totals:
                table.expect(one)
            table.end()


class _Rows:
    """A table of documents or totals; an earlier program's may have fewer columns."""

    def __init__(self, table: Table, known: Sequence[str]) -> None:
        self._table = table
        named = table.columns()
        self._columns = [name for name in named if name in known]
        if named != self._columns:
            table.differs("has columns that it should not have")

    def expect(self, one: Line | Total) -> None:
        """Its next line has to be of this one."""
        self._table.expect(tables.row(one, self._columns))

    def end(self) -> None:
        """Nothing may come any more."""
        self._table.end()


def _read(text: bytes) -> Line:
    """A document with usable amounts. Raises: ValueError."""
    line = msgspec.json.decode(text, type=Line)
    figures = (line.ledger, line.hold, line.later, line.earlier)
    for amount in (line.amount, line.ifs_amount or 0, *(figure.amount for figure in figures)):
        money.exact(amount)
    if line.state:
        State(line.state)
    return line
