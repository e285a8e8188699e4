"""Keys: the parts that identify a record, joined so that text order is the order of the parts.

Rule: `join` and `split` are inverse, and `join(a) < join(b)` exactly when `a < b` part by part.
Must not know: which record a key belongs to.
"""

import re
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x1f]")
SEPARATOR = "\x1f"  # below every printable character, so joining keeps the order of the parts

_LAST = "\U0010ffff"


def join(parts: Iterable[str]) -> str:
    """Join key parts.

    Raises: ValueError when a part is missing or holds a control character.
    """
    listed = list(parts)
    for part in listed:
        if not part or (not part.isprintable() and _CONTROL.search(part)):
            raise ValueError(f"not usable as a key: {part!r}")
    return SEPARATOR.join(listed)


def split(key: str) -> tuple[str, ...]:
    """The parts of a key."""
    return tuple(key.split(SEPARATOR))


def parent(key: str, depth: int) -> str:
    """The key of the record that a row belongs to: the row key's first `depth` parts."""
    return SEPARATOR.join(key.split(SEPARATOR, depth)[:depth])


def beyond(key: str) -> str:
    """What comes after the rows of a record and before the next record, as text."""
    return f"{key}{SEPARATOR}{_LAST}"


def shown(key: str) -> str:
    """The key as a person reads it."""
    return key.replace(SEPARATOR, " / ")
