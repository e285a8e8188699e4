"""Ways to tamper with evidence, at random; each says which file it was and, where it can, which line."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ml_connector.evidence import layout, manifest, sealing, signature, sums

# What is told by lines; of the others there is but one place.
BY_LINES = (".csv", ".jsonl", ".json", ".txt", ".toml", "SHA256SUMS")


class Tampered(NamedTuple):
    """What was done: to which file, and which lines of it, as it is now, can be named (first to last)."""

    file: str
    first: int = 0
    last: int = 0


class Pack:
    """Evidence that can be put right again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.whole = {name.relative_to(folder).as_posix(): name.read_bytes() for name in _files(folder)}
        self.names = sorted(self.whole)

    def restore(self) -> None:
        """Put it right."""
        for file in _files(self.folder):
            if file.is_symlink() or file.relative_to(self.folder).as_posix() not in self.whole:
                file.unlink()
        for name, content in self.whole.items():
            file = self.folder / name
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)

    def put(self, name: str, content: bytes, place: int, length: int = 1) -> Tampered:
        """Write a file that is now another one from `place` on."""
        (self.folder / name).write_bytes(content)
        if not name.endswith(BY_LINES):
            return Tampered(name)
        first = content[:place].count(b"\n") + 1
        return Tampered(name, first, first + content[place : place + length].count(b"\n"))


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_symlink() or file.is_file()]


def flip(pack: Pack, chance: random.Random) -> Tampered:
    """Another byte."""
    name = chance.choice(pack.names)
    content = bytearray(pack.whole[name])
    place = chance.randrange(len(content))
    content[place] ^= chance.randrange(1, 256)
    return pack.put(name, bytes(content), place)


def insert(pack: Pack, chance: random.Random) -> Tampered:
    """Bytes put in."""
    name = chance.choice(pack.names)
    content, more = pack.whole[name], chance.randbytes(chance.randrange(1, 50))
    place = chance.randrange(len(content) + 1)
    return pack.put(name, content[:place] + more + content[place:], place, len(more))


def delete(pack: Pack, chance: random.Random) -> Tampered:
    """Bytes taken out."""
    name = chance.choice(pack.names)
    content = pack.whole[name]
    place = chance.randrange(len(content))
    return pack.put(name, content[:place] + content[place + chance.randrange(1, 50) :], place)


def swap(pack: Pack, chance: random.Random) -> Tampered:
    """Two lines change places."""
    name = chance.choice([one for one in pack.names if one.endswith(BY_LINES) and pack.whole[one].count(b"\n") > 3])
    lines = pack.whole[name].splitlines(keepends=True)
    one, other = sorted(chance.sample(range(len(lines)), 2))
    if lines[one] == lines[other]:
        return flip(pack, chance)
    lines[one], lines[other] = lines[other], lines[one]
    return pack.put(name, b"".join(lines), len(b"".join(lines[:one])))


def truncate(pack: Pack, chance: random.Random) -> Tampered:
    """The end cut off."""
    name = chance.choice(pack.names)
    content = pack.whole[name]
    return pack.put(name, content[: chance.randrange(len(content))], len(content))


def append(pack: Pack, chance: random.Random) -> Tampered:
    """Something behind the end, which looks as if it belonged there."""
    name = chance.choice(pack.names)
    content = pack.whole[name]
    line = content.splitlines(keepends=True)[-1] if chance.random() < 0.5 else b"\n"
    return pack.put(name, content + line, len(content))


def remove(pack: Pack, chance: random.Random) -> Tampered:
    """A file taken away."""
    name = chance.choice(pack.names)
    (pack.folder / name).unlink()
    return Tampered(name)


def rename(pack: Pack, chance: random.Random) -> Tampered:
    """A file called otherwise."""
    name = chance.choice(pack.names)
    (pack.folder / name).rename(pack.folder / chance.choice(["other.csv", "z", "configuration/x.toml", "öd ding"]))
    return Tampered(name)


def add(pack: Pack, chance: random.Random) -> Tampered:
    """A file more."""
    name = chance.choice(["notes.txt", "configuration/version-99999.toml", "population-2.csv"])
    (pack.folder / name).write_bytes(chance.randbytes(chance.randrange(100)))
    return Tampered(name)


def link(pack: Pack, chance: random.Random) -> Tampered:
    """A file that leads elsewhere, to the same content."""
    name = chance.choice(pack.names)
    elsewhere = pack.folder.parent / "elsewhere"
    elsewhere.write_bytes(pack.whole[name])
    (pack.folder / name).unlink()
    (pack.folder / name).symlink_to(elsewhere)
    return Tampered(name)


def sign_anew(pack: Pack, chance: random.Random) -> Tampered:
    """Another signature, by a key that is not ours."""
    del chance
    return pack.put(layout.SIGNATURE, signature.signed(signature.made(), pack.whole[layout.SUMS]), 0)


def rewrite(pack: Pack, chance: random.Random) -> Tampered:
    """A file changed, and all lists made to fit it; only signatures can't be."""
    where = _changed(pack, chance)
    _sealed_anew(pack)
    for name in (layout.PUBLIC_KEY, layout.EACH, layout.SIGNATURE):
        (pack.folder / name).write_bytes(pack.whole[name])
    files = [file for file in _files(pack.folder) if file.name not in layout.UNSUMMED]
    digests = [(file.relative_to(pack.folder).as_posix(), hashlib.sha256(file.read_bytes())) for file in files]
    (pack.folder / layout.SUMS).write_bytes(sums.written((name, one.hexdigest()) for name, one in digests))
    return Tampered(where)


def counterfeit(pack: Pack, chance: random.Random) -> Tampered:
    """A file changed, and all signed anew with another key; which file, only what it says can tell."""
    _changed(pack, chance)
    _sealed_anew(pack)
    return Tampered(layout.PUBLIC_KEY)


def _changed(pack: Pack, chance: random.Random) -> str:
    """A data file with another byte."""
    lists = (layout.MANIFEST, layout.PUBLIC_KEY, *layout.UNBLOCKED)
    name = chance.choice([one for one in pack.names if one not in lists])
    content = bytearray(pack.whole[name])
    content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    (pack.folder / name).write_bytes(content)
    return name


def _sealed_anew(pack: Pack) -> None:
    """All lists and signatures as another key would make them of these files."""
    for name in (layout.MANIFEST, layout.PUBLIC_KEY, *layout.UNBLOCKED):
        (pack.folder / name).unlink()
    private = signature.made()
    said = manifest.read(pack.whole[layout.MANIFEST])
    sealing.seal(pack.folder, said, signature.public_of(private), lambda content: signature.signed(private, content))


WAYS: tuple[Callable[[Pack, random.Random], Tampered], ...] = (
    flip,
    flip,
    flip,
    insert,
    delete,
    swap,
    truncate,
    append,
    remove,
    rename,
    add,
    link,
    sign_anew,
    rewrite,
    counterfeit,
)
