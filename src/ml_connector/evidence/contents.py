"""Whether what the files say holds together: chains, tables, totals, the sign-off.

Rule: whatever follows from something else in the folder is made again and compared.
Must not know: whether the files are those that were signed.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

import msgspec

from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.evidence import entries, manifest, tables
from ml_connector.evidence.entries import Chain, Entry
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import (
    ACCESS,
    DIFFERENCES,
    DOCUMENTS,
    INSTALLATION,
    JOURNAL,
    LINE_MAX,
    MANIFEST,
    POPULATION,
    TEXT_BYTES_MAX,
    TIE_OUT,
    TOTALS,
)
from ml_connector.evidence.manifest import Manifest, Stretch
from ml_connector.evidence.totals import Sums

HEAD_MAX = 10_000


class Signed(msgspec.Struct, frozen=True):
    """A tie-out as it is frozen, with who signed it off; `tie_out`: the text that `digest` is of."""

    digest: str
    made_at: str
    made_by: str
    signed_at: str
    signed_by: str
    note: str
    tie_out: msgspec.Raw


class Contents:
    """The check of what one folder's files say."""

    def __init__(self, folder: Folder, found: Findings) -> None:
        self._folder, self._found = folder, found
        self.documents = self.entries = 0
        self._signatures: set[tuple[str, str]] = set()  # digest and person
        self.manifest = self._read(MANIFEST, manifest.read)

    def check(self) -> None:
        """Find all that does not hold together."""
        said = self.manifest
        if said is None:
            return
        self._files(said)
        self._journals(said)
        signed = self._read(TIE_OUT, lambda content: msgspec.json.decode(content, type=Signed))
        if signed is not None:
            self._sign_off(said, signed)
            self._population(signed)

    def _files(self, said: Manifest) -> None:
        for name, filed in said.files.items():
            if name not in self._folder.sizes:
                self._found.add(name, "is missing, although the manifest names it")
            elif self._folder.sizes[name] != filed.size:
                self._found.add(name, f"has another size than the manifest says ({filed.size:,} bytes)")

    def _journals(self, said: Manifest) -> None:
        self._chain(JOURNAL, said.journal, self._note_signature)
        with ExitStack() as stack:
            table = _Table(self._folder, self._found, ACCESS, stack)
            table.expect(tables.head(tables.ACCESS_COLUMNS))
            self._chain(INSTALLATION, said.installation, lambda entry: table.expect(tables.access(entry)))
            table.end()

    def _chain(self, name: str, stretch: Stretch, also: Callable[[Entry], None]) -> None:
        follow = Chain(stretch)
        for number, line in self._lines(name):
            try:
                entry = entries.read(line)
                wrong = list(follow.follow(entry))
                also(entry)
            except ValueError:
                self._found.add(name, "is no entry of a journal", number)
                continue
            self.entries += 1
            for what in wrong:
                self._found.add(name, what, number)
        for what in follow.end():
            self._found.add(name, what)

    def _note_signature(self, entry: Entry) -> None:
        if entry.kind == "signed":
            facts = msgspec.json.decode(entry.facts, type=dict[str, Any])
            self._signatures.add((str(facts.get("digest", "")), str(facts.get("person", ""))))

    def _sign_off(self, said: Manifest, signed: Signed) -> None:
        if not signed.digest == said.tie_out == hashlib.sha256(signed.tie_out).hexdigest():
            self._found.add(TIE_OUT, "has another tie-out than its digest is of")
        if signed.signed_by and (signed.digest, signed.signed_by) not in self._signatures:
            self._found.add(TIE_OUT, f"was signed off by {signed.signed_by}, but the journal tells of no such sign-off")

    def _population(self, signed: Signed) -> None:
        try:
            tie_out = msgspec.json.decode(signed.tie_out, type=TieOut)
        except ValueError:
            self._found.add(TIE_OUT, "has no tie-out that can be read")
            return
        sums, digest = Sums(tie_out.period), hashlib.sha256()
        with ExitStack() as stack:
            documents = _Table(self._folder, self._found, DOCUMENTS, stack)
            differences = _Table(self._folder, self._found, DIFFERENCES, stack)
            columns = documents.columns(), differences.columns()
            for number, text in self._lines(POPULATION):
                digest.update(text)
                line = self._line(number, text)
                if line is None:
                    continue
                sums.add(line)
                documents.expect(tables.document(line, columns[0]))
                differences.expect(tables.document(line, columns[1]) if line.difference else b"")
            documents.end()
            differences.end()
        if (self.documents, digest.hexdigest()) != (tie_out.lines, tie_out.lines_digest):
            self._found.add(POPULATION, f"has other documents than the {tie_out.lines:,} that the tie-out is of")
        for what in sums.differences(tie_out.totals):
            self._found.add(TIE_OUT, what)
        self._totals(tie_out)

    def _line(self, number: int, text: bytes) -> Line | None:
        self.documents += 1
        try:
            return msgspec.json.decode(text, type=Line)
        except ValueError:
            self._found.add(POPULATION, "is no document", number)
            return None

    def _totals(self, tie_out: TieOut) -> None:
        with ExitStack() as stack:
            table = _Table(self._folder, self._found, TOTALS, stack)
            table.expect(tables.head(tables.total_columns()))
            for one in tie_out.totals:
                table.expect(tables.total(one))
            table.end()

    def _read(self, name: str, reading: Callable[[bytes], Any]) -> Any:
        content = self._folder.content(name, TEXT_BYTES_MAX)
        if content is None:
            self._found.add(name, "is missing, or too large to be one")
            return None
        try:
            return reading(content)
        except ValueError:
            self._found.add(name, "can't be read; it is not as it was written")
            return None

    def _lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        if name not in self._folder.sizes:
            return
        with self._folder.opened(name) as file:
            number = 0
            while line := file.readline(LINE_MAX):
                number += 1
                if not line.endswith(b"\n"):
                    self._found.add(name, "is cut off, or too long", number)
                    return
                yield number, line


class _Table:
    """A table that has to be what it is made again as; tells of the first line that is not."""

    def __init__(self, folder: Folder, found: Findings, name: str, stack: ExitStack) -> None:
        there = name in folder.sizes
        self._file: BinaryIO | None = stack.enter_context(folder.opened(name)) if there else None
        self._found, self._name, self._line = found, name, 1

    def columns(self) -> list[str]:
        """The columns of a table of documents, as far as they are known."""
        text = b"" if self._file is None else self._file.readline(HEAD_MAX)
        named = text.decode("utf-8", "replace").rstrip("\r\n").split(",")
        if self._file and not set(named) <= set(tables.DOCUMENT_COLUMNS):
            self._differs("has columns that are not those of documents")
        self._line += 1
        return [name for name in named if name in tables.DOCUMENT_COLUMNS]

    def expect(self, text: bytes) -> None:
        """What comes next has to be this."""
        if self._file is None:
            return
        if self._file.read(len(text)) != text:
            self._differs("does not follow from what it was made of")
        self._line += text.count(b"\n")

    def end(self) -> None:
        """Nothing may come any more."""
        if self._file is not None and self._file.read(1):
            self._differs("has more than what it was made of")

    def _differs(self, what: str) -> None:
        self._found.add(self._name, what, self._line)
        self._file = None
