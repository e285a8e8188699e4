"""The check of evidence.

Rule: all of it is checked, whatever is wrong first; nothing outside of the folder is needed but, to trust it, the key.
Must not know: stores, settings, systems.
"""

from pathlib import Path

from ml_connector.evidence import signature
from ml_connector.evidence.contents import Contents
from ml_connector.evidence.findings import Findings, Verdict
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.integrity import Integrity


def check(path: Path, key: bytes | None = None) -> Verdict:
    """Check the evidence in a folder; `key`: the public key that it has to be signed with, as PEM.

    Raises: SettingsError when it can't be looked at, or the key is none.
    """
    given = None if key is None else signature.from_pem(key)
    folder, found = Folder(path), Findings()
    integrity = Integrity(folder, given, found)
    integrity.check()
    contents = Contents(folder, found)
    contents.check()
    fingerprint = signature.fingerprint(integrity.public) if integrity.public else ""
    told = tuple(found.told), found.more, fingerprint, given is not None
    return Verdict(*told, contents.manifest, len(folder.sizes), contents.documents, contents.entries)
