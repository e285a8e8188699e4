"""A tie-out as it lies in evidence: frozen, with who signed it off.

Rule: its digest is of the very characters that lie in the file.
Must not know: what a tie-out says.
"""

import msgspec


class Signed(msgspec.Struct, frozen=True):
    """A tie-out; `tie_out`: the text that `digest` is of. `signed_by` "": nobody signed it off."""

    digest: str
    made_at: str
    made_by: str
    signed_at: str
    signed_by: str
    note: str
    tie_out: msgspec.Raw
