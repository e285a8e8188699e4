"""Evidence in one file.

Rule: what is unpacked is what was packed, to the byte, in a folder of its own.
Must not know: what is in the files.
"""

from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile


def pack(folder: Path, out: IO[bytes]) -> None:
    """Write a folder as a .zip, in which it has the name that it has now."""
    with ZipFile(out, "w", ZIP_DEFLATED) as file:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                file.write(one, one.relative_to(folder.parent).as_posix())
