"""What a check of evidence found.

Rule: a finding names the file and, where it can be told, the lines.
Must not know: how anything is checked.
"""

import msgspec

from ml_connector.evidence.manifest import Manifest

FINDINGS_MAX = 200
OF_A_FILE_MAX = 20


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was made. Units: lines from 1; 0: it is no matter of lines."""

    file: str
    what: str
    first_line: int = 0
    last_line: int = 0

    def __str__(self) -> str:
        if not self.first_line:
            return f"{self.file} {self.what}"
        several = self.last_line > self.first_line
        where = f"lines {self.first_line} to {self.last_line}" if several else f"line {self.first_line}"
        return f"{self.file}, {where}: {self.what}"


class Verdict(msgspec.Struct, frozen=True):
    """Whether evidence is as it was made; `more`: findings that are not told one by one.

    `fingerprint`: of the key that the signature was checked with; `trusted`: that key was given, not found inside.
    """

    findings: tuple[Finding, ...]
    more: int
    fingerprint: str
    trusted: bool
    manifest: Manifest | None
    files: int
    documents: int
    entries: int

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


class Findings:
    """Collects what is found, a bounded number."""

    def __init__(self) -> None:
        self.told: list[Finding] = []
        self.more = 0
        self._counts: dict[str, int] = {}

    def add(self, file: str, what: str, first_line: int = 0, last_line: int = 0) -> None:
        """Take in a finding."""
        count = self._counts[file] = self._counts.get(file, 0) + 1
        if count > OF_A_FILE_MAX or len(self.told) >= FINDINGS_MAX:
            self.more += 1
        else:
            self.told.append(Finding(file, what, first_line, max(first_line, last_line)))
