"""References: the text in IFS by which a voucher is known to be ours, and which one of its document it is.

Rule: the first voucher of a document has the document's key; reposts and reversals add to it: `KEY/2`, `KEY/R1`.
Must not know: vouchers, requests.
"""

import re

import msgspec

REFERENCE_MAX = 50
KEY_MAX = REFERENCE_MAX - len("/R999999")
_MORE = re.compile(r"(?P<key>.+)/(?P<reversal>R?)(?P<version>[1-9][0-9]{0,5})")


class Reference(msgspec.Struct, frozen=True, order=True):
    """One voucher of a document: a version of it, or the reversal of a version."""

    key: str
    version: int = 1
    reversal: bool = False

    @property
    def text(self) -> str:
        """As it stands in IFS."""
        if self.reversal:
            return f"{self.key}/R{self.version}"
        return self.key if self.version == 1 else f"{self.key}/{self.version}"


def read(text: str) -> Reference:
    """The reference that a text stands for."""
    found = _MORE.fullmatch(text)
    if found is None or (found["version"] == "1" and not found["reversal"]):
        return Reference(text)
    return Reference(found["key"], int(found["version"]), bool(found["reversal"]))


def usable(key: str) -> bool:
    """Whether references can be made of a key: it is one word, and not itself like a further reference."""
    return bool(key) and key.isprintable() and not re.search(r"\s", key) and read(key) == Reference(key)


def fits(reference: Reference) -> bool:
    """Whether a reference goes into its field and comes back as it is, and those of its corrections would too."""
    return usable(reference.key) and len(reference.key) <= KEY_MAX and len(reference.text) <= REFERENCE_MAX
