"""The known name that was probably meant.

Rule: a name that holds the other as a word, such as SupplierName for Name, is nearer than one that only looks alike.
Must not know: what the names are of.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest known name; "" when none is known."""
    return max(known, key=lambda other: _likeness(name, other), default="")


def _likeness(name: str, other: str) -> float:
    held = min(len(name), len(other)) >= 3 and (name in other or other in name)  # with its capitals: luname has no Name
    return held + SequenceMatcher(None, name.lower(), other.lower()).ratio()
