"""Whether what the files say holds together: chains, tables, totals, the sign-off.

Rule: whatever follows from something else in the folder is made again and compared.
Must not know: whether the files are those that were signed.
"""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import TieOut
from ml_connector.evidence import entries, manifest, tables
from ml_connector.evidence.entries import Chain, Entry
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.frozen import SIGNED, Signed
from ml_connector.evidence.held import Waited
from ml_connector.evidence.layout import ACCESS, INSTALLATION, JOURNAL, MANIFEST, TIE_OUT
from ml_connector.evidence.manifest import Manifest, Stretch
from ml_connector.evidence.population import Population
from ml_connector.evidence.reading import UNREADABLE, Table, lines, whole


class Contents:
    """The check of what one folder's files say."""

    def __init__(self, folder: Folder, found: Findings) -> None:
        self._folder, self._found = folder, found
        self.documents = self.entries = 0
        self._signatures: list[dict[str, Any]] = []  # what the journal tells of each sign-off
        self.manifest = whole(folder, found, MANIFEST, manifest.read)

    def check(self) -> None:
        """Find all that does not hold together."""
        if self.manifest is None:
            return
        waited = Waited(self._folder, self._found, self.manifest)
        self._files(self.manifest)
        self._journals(self.manifest, waited)
        signed = whole(self._folder, self._found, TIE_OUT, lambda content: msgspec.json.decode(content, type=Signed))
        if signed is not None:
            self._sign_off(self.manifest, signed)
            self._population(self.manifest, signed, waited)
        waited.check()

    def _files(self, said: Manifest) -> None:
        for name, filed in said.files.items():
            if self._folder.sizes.get(name, filed.size) != filed.size:
                self._found.add(name, f"has another size than the manifest says ({filed.size:,} bytes)")

    def _journals(self, said: Manifest, waited: Waited) -> None:
        def also(entry: Entry) -> None:
            self._note_signature(entry)
            waited.entry(entry)

        self._chain(JOURNAL, said.journal, also)
        with ExitStack() as stack:
            table = Table(self._folder, self._found, ACCESS, stack)
            table.expect(tables.head(tables.ACCESS_COLUMNS))
            self._chain(INSTALLATION, said.installation, lambda entry: table.expect(tables.access(entry)))
            table.end()

    def _chain(self, name: str, stretch: Stretch, also: Callable[[Entry], None]) -> None:
        chain = Chain(stretch)
        for number, line in lines(self._folder, self._found, name):
            self.entries += 1
            try:
                entry = entries.read(line)
                for what in chain.follow(entry):
                    self._found.add(name, what, number)
                also(entry)
            except UNREADABLE:
                self._found.add(name, "is no entry of a journal", number)
        for what in chain.end():
            self._found.add(name, what)

    def _note_signature(self, entry: Entry) -> None:
        facts = msgspec.json.decode(entry.facts, type=dict[str, Any]) if entry.kind == SIGNED else {}
        if self.manifest and facts.get("digest") == self.manifest.tie_out:
            self._signatures.append(facts)

    def _sign_off(self, said: Manifest, signed: Signed) -> None:
        if not signed.digest == said.tie_out == hashlib.sha256(signed.tie_out).hexdigest():
            self._found.add(TIE_OUT, "has another tie-out than its digest is of")
        if signed.signed_by and not any(signed.told_by(facts) for facts in self._signatures):
            who = f"is signed off by {signed.signed_by} at {signed.signed_at}"
            self._found.add(TIE_OUT, f"{who}, but the journal tells of no such sign-off with this note")
        if not signed.signed_by and self._signatures:
            self._found.add(TIE_OUT, "is not signed off, but the journal tells of its sign-off")

    def _population(self, said: Manifest, signed: Signed, waited: Waited) -> None:
        try:
            tie_out = msgspec.json.decode(signed.tie_out, type=TieOut)
        except UNREADABLE:
            self._found.add(TIE_OUT, "has no tie-out that can be read")
            return
        if not said.is_of(tie_out.connection, tie_out.period, tie_out.from_on, tie_out.until_on):
            self._found.add(MANIFEST, "tells of another connection, period or time than the tie-out is of")
        population = Population(self._folder, self._found, tie_out, waited.document)
        population.check()
        self.documents = population.count
