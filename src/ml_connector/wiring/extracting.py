"""What a store has on a stretch of time, written file by file as evidence.

Rule: however much there is, it is written row by row; a journal that is not whole is no evidence.
Must not know: what evidence is signed with, how anything is shown.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.errors import StoreError
from ml_connector.evidence import entries, tables
from ml_connector.evidence.entries import Chain, Entry
from ml_connector.evidence.frozen import SIGNED, Signed
from ml_connector.evidence.layout import (
    ACCESS,
    DIFFERENCES,
    DOCUMENTS,
    INSTALLATION,
    JOURNAL,
    POPULATION,
    RUNS,
    TIE_OUT,
    TOTALS,
)
from ml_connector.evidence.manifest import Stretch
from ml_connector.records import sheet
from ml_connector.store import extracts, schema
from ml_connector.store.extracts import Window
from ml_connector.store.journal_pages import JournalPages
from ml_connector.store.runs import Run, Runs
from ml_connector.store.tie_outs import Kept
from ml_connector.wiring.configuring import write_versions
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.resolving import Resolutions

RUN_COLUMNS = ("run", "flow", "kind", "state", "started_at", "finished_at")
FIGURES = ("read", "unchanged", "not_due", "created", "updated", "deactivated", "posted", "corrected")
FIGURES_WAITING = ("held", "refused", "uncertain", "error")
PAGE = 500


class Extract:
    """The files of one folder."""

    def __init__(self, opened: Opened, name: str, number: int, folder: Path, window: Window) -> None:
        self._opened, self._name, self._number, self._folder = opened, name, number, folder
        self.window = window
        self._resolutions = Resolutions(opened.database, number, window)

    def tie_out(self, kept: Kept, text: bytes, tie_out: TieOut) -> Signed:
        """The tie-out as it is frozen, and its totals; `text`: the characters that its digest is of."""
        signed_at = schema.stamp(kept.signed_at) if kept.signed_at else ""
        told = kept.digest, schema.stamp(kept.made_at), kept.made_by, signed_at, kept.signed_by, kept.note
        frozen = Signed(*told, msgspec.Raw(text))
        (self._folder / TIE_OUT).write_bytes(msgspec.json.encode(frozen) + b"\n")
        lines = [tables.head(tables.TOTAL_COLUMNS), *(tables.row(one, tables.TOTAL_COLUMNS) for one in tie_out.totals)]
        (self._folder / TOTALS).write_bytes(b"".join(lines))
        return frozen

    def population(self, told: Iterable[bytes]) -> None:
        """All documents, exactly and as tables; `told`: the characters that the digest of them is of."""
        with ExitStack() as stack:
            exact, documents, differences = (self._open(stack, one) for one in (POPULATION, DOCUMENTS, DIFFERENCES))
            for table in (documents, differences):
                table.write(tables.head(tables.DOCUMENT_COLUMNS))
            for text in told:
                exact.write(text)
                line = msgspec.json.decode(text, type=Line)
                row = tables.row(line, tables.DOCUMENT_COLUMNS)
                documents.write(row)
                differences.write(row if line.difference else b"")
                self._resolutions.document(line)

    def journal(self, frozen: Signed) -> Stretch:
        """The connection's journal with the sign-off, whenever that was. Raises: StoreError when it tells of none."""
        first, last = self._bounds(self._number)
        if frozen.signed_at and (at := extracts.sign_off(self._opened.database, self._number, frozen.digest)):
            first, last = min(first, at), max(last, at)
        stretch, borne_out = self._stretch(self._number, first, last), not frozen.signed_at
        with ExitStack() as stack:
            file = self._open(stack, JOURNAL)
            for entry in self._followed(stretch):
                file.write(entries.written(entry))
                self._resolutions.entry(entry)
                borne_out |= entry.kind == SIGNED and frozen.told_by(msgspec.json.decode(entry.facts))
        if not borne_out:
            raise StoreError(
                f"the tie-out is signed off by {frozen.signed_by}, but the journal does not tell so: who, when or the "
                "note was altered. Restore the latest backup beside this store"
            )
        return stretch

    def installation(self) -> Stretch:
        """The installation's journal, and what it says of access."""
        stretch = self._stretch(schema.INSTALLATION, *self._bounds(schema.INSTALLATION))
        with ExitStack() as stack:
            file, access = self._open(stack, INSTALLATION), self._open(stack, ACCESS)
            access.write(tables.head(tables.ACCESS_COLUMNS))
            for entry in self._followed(stretch):
                file.write(entries.written(entry))
                access.write(tables.access(entry))
        return stretch

    def tables(self) -> None:
        """What needs the rest: exceptions with what became of them, runs, versions of settings."""
        self._resolutions.write(self._folder)
        with (self._folder / RUNS).open("w", encoding="utf-8", newline="") as file:
            file.write(sheet.line((*RUN_COLUMNS, *FIGURES, *FIGURES_WAITING)))
            file.writelines(sheet.line(_run(one)) for one in self._runs())
        write_versions(self._opened, self._name, self._folder, self.window)

    def _open(self, stack: ExitStack, name: str) -> BinaryIO:
        return stack.enter_context((self._folder / name).open("wb"))

    def _bounds(self, number: int) -> tuple[int, int]:
        pages = JournalPages(self._opened.database, self._opened.vault, number)
        return pages.stretch(self.window.since, self.window.until)

    def _stretch(self, number: int, first: int, last: int) -> Stretch:
        db = self._opened.database
        newest, head = extracts.end_of(db, number)
        before, ends = (extracts.hash_at(db, number, one).hex() for one in (first - 1, max(last, first - 1)))
        return Stretch(number, first, last, before, ends, newest, head.hex())

    def _followed(self, stretch: Stretch) -> Iterator[Entry]:
        """The entries of a stretch, each checked against the one before it. Raises: StoreError."""
        chain = Chain(stretch)
        for row in extracts.entries(self._opened.database, stretch.number, stretch.first, stretch.last):
            entry = _entry(row)
            _refuse(next(chain.follow(entry), ""))
            yield entry
        _refuse(next(chain.end(), ""))

    def _runs(self) -> Iterator[Run]:
        """Runs that were started in the window, the latest first."""
        runs = Runs(self._opened.database, self._opened.vault, self._number)
        place = self.window.until, ""
        while part := runs.recent(PAGE, after=place):
            for one in part:
                if one.started_at < self.window.since:
                    return
                yield one
            place = part[-1].started_at, part[-1].id


def _entry(row: Any) -> Entry:
    told = row.seq, row.at, row.run_id, row.flow, row.key, row.kind, msgspec.Raw(row.facts.encode())
    digest = None if row.body_digest is None else row.body_digest.hex()
    return Entry(*told, digest, row.prev.hex(), row.hash.hex())


def _refuse(wrong: str) -> None:
    if wrong:
        raise StoreError(f"{wrong} in the journal; `journal verify` says more. Restore the latest backup beside it")


def _run(one: Run) -> list[Any]:
    report = one.report or {}
    finished = schema.stamp(one.finished_at) if one.finished_at else ""
    told = [one.id, one.flow, one.kind, one.state, schema.stamp(one.started_at), finished]
    return [*told, *(report.get(name, "") for name in (*FIGURES, *FIGURES_WAITING))]
