"""What a system's webhook tells, as far as any can be read.

Rule: a notice that can't be read is a value with a sentence, never an exception.
Must not know: which system sent it, how it came.
"""

import msgspec

BODY_BYTES_MAX = 2**20
TEXT_MAX = 200


class Unreadable(msgspec.Struct, frozen=True):
    """A notice that nothing can be made of, and why, without a word of its content."""

    sentence: str


def usable(text: str, length_max: int = TEXT_MAX) -> bool:
    """Whether a text can be kept as an id or a name: not empty, printable, not too long."""
    return 0 < len(text) <= length_max and text.isprintable()
