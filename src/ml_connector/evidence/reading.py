"""Files of evidence read as what they are: whole, line by line, or as tables that are made again.

Rule: what can't be read is found, never an error; of a table the first line that differs is told.
Must not know: what the files mean.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, TypeVar

from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import LINE_MAX, TEXT_BYTES_MAX

UNREADABLE = (ValueError, RecursionError)  # what a decoder raises, whatever it is given
HEAD_MAX = 10_000
T = TypeVar("T")


def whole(folder: Folder, found: Findings, name: str, reading: Callable[[bytes], T]) -> T | None:
    """A small file as what it holds; None: that can't be told."""
    content = folder.content(name, TEXT_BYTES_MAX)
    if content is None:
        found.add(name, "is missing, or too large to be one")
        return None
    try:
        return reading(content)
    except UNREADABLE:
        found.add(name, "can't be read; it is not as it was written")
        return None


def lines(folder: Folder, found: Findings, name: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers."""
    if name not in folder.sizes:
        found.add(name, "is missing")
        return
    with folder.opened(name) as file:
        number = 0
        while line := file.readline(LINE_MAX):
            number += 1
            if not line.endswith(b"\n"):
                found.add(name, "is cut off, or too long", number)
                return
            yield number, line


class Table:
    """A table that has to be what it is made again as."""

    def __init__(self, folder: Folder, found: Findings, name: str, stack: ExitStack) -> None:
        self._file: BinaryIO | None = stack.enter_context(folder.opened(name)) if name in folder.sizes else None
        self._found, self._name, self._line = found, name, 1
        if self._file is None:
            found.add(name, "is missing")

    def columns(self) -> list[str]:
        """What its first line says."""
        text = b"" if self._file is None else self._file.readline(HEAD_MAX)
        self._line += 1
        return text.decode("utf-8", "replace").rstrip("\r\n").split(",")

    def expect(self, text: bytes) -> None:
        """What comes next has to be this."""
        if self._file is not None and self._file.read(len(text)) != text:
            self.differs("does not follow from what it was made of")
        self._line += text.count(b"\n")

    def end(self) -> None:
        """Nothing may come any more."""
        if self._file is not None and self._file.read(1):
            self.differs("has more than what it was made of")

    def differs(self, what: str) -> None:
        """Say so, and look no further."""
        self._found.add(self._name, what, self._line)
        self._file = None
