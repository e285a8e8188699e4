"""A folder that is not trusted: what is in it, and its files read within bounds.

Rule: no link is followed, nothing but plain files is opened, and nothing is read without a limit.
Must not know: what the files mean.
"""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ml_connector.errors import SettingsError
from ml_connector.evidence.layout import DEPTH_MAX, NAME, NAMES_MAX


class Folder:
    """A folder with evidence. Raises: SettingsError when it is none, or can't be looked at."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise SettingsError(f"{path} is no folder; name the one that holds MANIFEST.json (unpack a .zip first)")
        self._path = path
        self.sizes: dict[str, int] = {}
        self.odd: list[tuple[str, str]] = []  # what is there, but can't be evidence, and why
        for name, entry in _walked(path, "", DEPTH_MAX):
            self._take(name, entry)
            if len(self.sizes) + len(self.odd) > NAMES_MAX:
                raise SettingsError(f"{path} holds more than {NAMES_MAX:,} files; evidence never has so many")

    @contextmanager
    def opened(self, name: str) -> Generator[BinaryIO]:
        """One of its files. Raises: SettingsError when it can't be read."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path / name, flags)
        except OSError as error:
            raise SettingsError(f"{name} can't be read: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SettingsError(f"{name} is no plain file")
            yield file

    def content(self, name: str, bytes_max: int) -> bytes | None:
        """A small file; None: it is not there, or is too large. Raises: SettingsError."""
        if self.sizes.get(name, bytes_max + 1) > bytes_max:
            return None
        with self.opened(name) as file:
            return file.read(self.sizes[name])

    def _take(self, name: str, entry: os.DirEntry[str]) -> None:
        if not NAME.fullmatch(name):
            self.odd.append((_printable(name), "has a name that no file of evidence has"))
        elif entry.is_symlink():
            self.odd.append((name, "is a link; links are not followed"))
        elif not entry.is_file(follow_symlinks=False):
            self.odd.append((name, "is no plain file, or lies too deep"))
        else:
            self.sizes[name] = entry.stat(follow_symlinks=False).st_size


def _walked(path: Path, before: str, depth: int) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """All that is in a folder, but folders that can be walked into."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                name = f"{before}{entry.name}"
                if depth > 1 and entry.is_dir(follow_symlinks=False):
                    yield from _walked(Path(entry.path), f"{name}/", depth - 1)
                else:
                    yield name, entry
    except OSError as error:
        raise SettingsError(f"{path} can't be looked at: {error.strerror}") from error


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()[:200].encode("unicode_escape").decode()
