"""Invoice numbers as people mean them, however they write them.

Rule: two ways to write one number become equal; no number becomes nothing.
Must not know: invoices.
"""

import re

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_PREFIXES = ("invoice", "inv", "no", "nr")


def normal(number: str) -> str:
    """A number without what people leave out: case, punctuation, leading zeros, a word for "invoice" before it."""
    kept = "".join(character for character in number.casefold() if character.isalnum())
    return _bare(_LEADING_ZEROS.sub("", kept))


def _bare(text: str) -> str:
    prefix = next((prefix for prefix in _PREFIXES if text.startswith(prefix) and text != prefix), "")
    return _bare(text.removeprefix(prefix)) if prefix else text
