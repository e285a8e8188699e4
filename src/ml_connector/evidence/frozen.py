"""A tie-out as it lies in evidence: frozen, with who signed it off.

Rule: its digest is of the very characters that lie in the file.
Must not know: what a tie-out says.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

SIGNED = "signed"  # the kind of entries that tell of a sign-off


class Signed(msgspec.Struct, frozen=True):
    """A tie-out; `tie_out`: the text that `digest` is of. `signed_by` "": nobody signed it off."""

    digest: str
    made_at: str
    made_by: str
    signed_at: str
    signed_by: str
    note: str
    tie_out: msgspec.Raw

    def told_by(self, facts: Mapping[str, Any]) -> bool:
        """Whether an entry with these facts tells of this very sign-off: of what, by whom, when, with which note."""
        noted = hashlib.sha256(self.note.encode()).hexdigest()
        told = tuple(facts.get(name) for name in ("digest", "person", "signed_at", "note_digest"))
        return told == (self.digest, self.signed_by, self.signed_at, noted)
