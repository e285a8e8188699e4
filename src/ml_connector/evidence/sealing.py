"""Closing evidence: the lists of digests, the manifest and the signature, over files that are there already.

Rule: what is signed is SHA256SUMS, which names every other file; after that nothing is written.
Must not know: how the files came about.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from ml_connector.evidence import manifest, signature, sums
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.layout import BLOCKS, EACH, MANIFEST, PUBLIC_KEY, SIGNATURE, SUMS
from ml_connector.evidence.manifest import Filed, Manifest


def seal(path: Path, said: Manifest, public: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Close the evidence in a folder; the digest of its SHA256SUMS, which stands for all of it."""
    (path / PUBLIC_KEY).write_bytes(signature.pem(public))
    files = _digests(path)
    (path / MANIFEST).write_bytes(manifest.written(msgspec.structs.replace(said, files=files)))
    _write_blocks(path)
    files |= _digests(path, MANIFEST, BLOCKS)
    each = ((name, sign(sums.line(name, one.sha256))) for name, one in sorted(files.items()))
    (path / EACH).write_bytes(signature.listed(each))
    files |= _digests(path, EACH)
    content = sums.written((name, one.sha256) for name, one in files.items())
    (path / SUMS).write_bytes(content)
    (path / SIGNATURE).write_bytes(sign(content))
    return hashlib.sha256(content).hexdigest()


def _digests(path: Path, *names: str) -> dict[str, Filed]:
    """Sizes and digests of these files, or of all."""
    folder, found = Folder(path), dict[str, Filed]()
    for name in names or sorted(folder.sizes):
        with folder.opened(name) as file:
            digest, size = sums.digest_of(file, folder.sizes[name])
            found[name] = Filed(size, digest)
    return found


def _write_blocks(path: Path) -> None:
    folder = Folder(path)
    with (path / BLOCKS).open("wb") as out:
        for name in sorted(folder.sizes):
            with folder.opened(name) as file:
                out.writelines(sums.block_lines(name, file))
