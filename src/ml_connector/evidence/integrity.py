"""Whether the files are those that were signed, and where they are not.

Rule: the signature says whether SHA256SUMS is true, SHA256SUMS which files are, BLOCKS.txt where one is not.
Must not know: what the files mean.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain, zip_longest

from ml_connector.errors import SettingsError
from ml_connector.evidence import locating, signature, sums
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import (
    BLOCKS,
    EACH,
    KEY_BYTES_MAX,
    NEEDED,
    PUBLIC_KEY,
    SIGNATURE,
    SUMS,
    SUMS_BYTES_MAX,
    UNBLOCKED,
    UNSUMMED,
)

FILE_BYTES_MAX = 8 * 10**9


class Integrity:
    """The check of one folder's files; `public`: the key that was used, b"": there is none."""

    def __init__(self, folder: Folder, given: bytes | None, found: Findings) -> None:
        self._folder, self._found = folder, found
        self.public = given or self._inner_key()
        if given and signature.pem(given) != folder.content(PUBLIC_KEY, KEY_BYTES_MAX):
            found.add(PUBLIC_KEY, "holds another key than the one that was given")
        self._there = {name: self._digest(name) for name in sorted(folder.sizes) if name not in UNSUMMED}
        self.sums = self._true_sums()

    def check(self) -> None:
        """Find all that is missing, added, renamed or changed."""
        for name, why in self._folder.odd:
            self._found.add(name, why)
        missing = [name for name in self.sums if name not in self._there]
        added = [name for name in self._there if name not in self.sums]
        for name in missing:
            self._missing(name, added)
        for name in NEEDED:
            if name not in self._there and name not in self.sums:
                self._found.add(name, "is missing, and so is its line in the list; evidence always has one")
        for name in added:
            self._found.add(name, "was added; it is not part of the evidence")
        self._locate([name for name, digest in self.sums.items() if self._there.get(name, digest) != digest])

    def _digest(self, name: str) -> str:
        size = self._folder.sizes[name]
        if size > FILE_BYTES_MAX:
            self._found.add(name, f"is larger than any file of evidence ({size:,} bytes); it was not read")
            return ""
        with self._folder.opened(name) as file:
            return sums.digest_of(file, size)[0]

    def _inner_key(self) -> bytes:
        content = self._folder.content(PUBLIC_KEY, KEY_BYTES_MAX)
        try:
            return signature.from_pem(content or b"")
        except SettingsError:
            self._found.add(PUBLIC_KEY, "holds no key, so that the signature can only be checked with --key")
            return b""

    def _true_sums(self) -> dict[str, str]:
        """What SHA256SUMS says, or said before it was changed."""
        content = self._folder.content(SUMS, SUMS_BYTES_MAX)
        signed = self._folder.content(SIGNATURE, signature.SIGNATURE_BYTES)
        due = sums.written((name, digest) for name, digest in self._there.items())
        if content is None:
            self._found.add(SUMS, "is missing, or too large to be one")
        if signed is None:
            self._found.add(SIGNATURE, "is missing, or too large to be one")
        elif content is None or not self._holds(signed, content):
            if self._holds(signed, due):
                self._found.add(SUMS, "was changed; the files are as they were signed", *_first_other(content, due))
                content = due
            elif content is not None and self.public:
                self._found.add(SIGNATURE, _unsigned(content == due))
                self._say_which()
        return self._read(content)

    def _say_which(self) -> None:
        """Of lists that were changed together with what they list, say which files those are."""
        each = dict(signature.in_list(line) for line in self._each())
        named = {name: digest for name, digest in self._there.items() if name != EACH}
        others = [one for one in named if not self._holds(each.get(one, b""), sums.line(one, named[one]))]
        for name in others if len(others) < len(named) else ():
            self._found.add(name, "is not what was signed")
        if named and len(others) == len(named):
            self._found.add(EACH, "has no signature by this key: it is another key, or all was signed anew")

    def _each(self) -> Iterable[bytes]:
        return BytesIO(self._folder.content(EACH, SUMS_BYTES_MAX) or b"")

    def _holds(self, signed: bytes, content: bytes) -> bool:
        return bool(self.public) and signature.holds(self.public, signed, content)

    def _read(self, content: bytes | None) -> dict[str, str]:
        try:
            return sums.read(content or b"")
        except ValueError as error:
            self._found.add(SUMS, f"can't be read: {error}")
            return {}

    def _missing(self, name: str, added: list[str]) -> None:
        for other in added:
            if self._there[other] == self.sums[name]:
                self._found.add(name, f"was renamed to {other}")
                return
        self._found.add(name, "is missing")

    def _locate(self, names: list[str]) -> None:
        """Say where these files were changed."""
        if BLOCKS in names:
            self._found.add(BLOCKS, "was changed", *self._first_other_block(names))
        if EACH in names:
            self._found.add(EACH, "was changed", *self._first_other_signature())
        blocks = {} if BLOCKS in names or BLOCKS not in self._there else self._blocks(names)
        for name in names:
            if name in blocks and name != EACH:
                self._changed(name, blocks[name])
            elif name not in (BLOCKS, EACH):
                self._found.add(name, "was changed; where can't be told, as BLOCKS.txt is not what it was")

    def _blocks(self, names: list[str]) -> dict[str, list[locating.Block]]:
        try:
            with self._folder.opened(BLOCKS) as file:
                return locating.listed(file, names)
        except ValueError:
            return {}

    def _changed(self, name: str, blocks: list[locating.Block]) -> None:
        size = self._folder.sizes[name]
        moved = size - (blocks[-1].end if blocks else 0)
        how = f"{abs(moved):,} bytes were {'added' if moved > 0 else 'taken out'}" if moved else "was changed"
        with self._folder.opened(name) as file:
            for first, last in locating.changed(file, size, blocks):
                self._found.add(name, how, first, last)

    def _first_other_block(self, changed: list[str]) -> tuple[int, int]:
        """The first line of BLOCKS.txt that its files do not bear out."""
        names = [name for name in sorted(self.sums) if name not in UNBLOCKED and name in self._there]
        due = chain.from_iterable(self._due_blocks(name) for name in names)
        with self._folder.opened(BLOCKS) as file:
            for number, (found, wanted) in enumerate(zip_longest(file, due), 1):
                if found != wanted and not (wanted and wanted.split()[-1].decode() in changed):
                    return number, number
        return 0, 0

    def _first_other_signature(self) -> tuple[int, int]:
        """The first line of SIGNATURES.txt that is no signature of the file which is its turn."""
        due = [name for name in sorted(self.sums) if name not in (EACH, *UNSUMMED)]
        for number, (line, name) in enumerate(zip_longest(self._each(), due), 1):
            said, signed = signature.in_list(line or b"")
            is_due = said == name and line == signature.listed([(said, signed)])
            if not is_due or not self._holds(signed, sums.line(said, self.sums[said])):
                return number, number
        return 0, 0

    def _due_blocks(self, name: str) -> Iterator[bytes]:
        with self._folder.opened(name) as file:
            yield from sums.block_lines(name, file)


def _first_other(content: bytes | None, due: bytes) -> tuple[int, int]:
    pairs = zip_longest(BytesIO(content or b""), BytesIO(due))
    number = next((number for number, (found, wanted) in enumerate(pairs, 1) if found != wanted), 0)
    return number, number


def _unsigned(fits: bool) -> str:
    said = f"is not the signature of {SUMS} by this key"
    if fits:
        return f"{said}, although all files fit the list: the signature, or the list and what it lists, was replaced"
    return f"{said}: the list, the signature or the key is another one"
