"""What people paste, as they meant it.

Rule: what surrounds a value in the place that it was copied from is taken off; the value itself is not changed.
Must not know: what a value is for, beyond its kind.
"""

import re
import unicodedata
from urllib.parse import urlsplit

QUOTES = ("''", '""', "“”", "‘’", "„“", "«»", "``", "<>")
_SCHEME = re.compile(r"^(?:authorization\s*:\s*)?(bearer|token)\s+", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;]+")
_PAIR = re.compile(r"\s*(?:=>|->|→|=|:)\s*")


def plain(text: str) -> str:
    """A value without blanks and quotes around it, and without what can't be seen in it."""
    seen = "".join(one for one in text if one in "\t " or unicodedata.category(one)[0] not in "CZ" or one == "\u00a0")
    found = seen.replace("\u00a0", " ").strip()
    while len(found) > 1 and found[0] + found[-1] in QUOTES:
        found = found[1:-1].strip()
    return found


def origin(text: str) -> str:
    """The address of a system, also out of the address of one of its pages; https when nothing is said."""
    found = plain(text)
    if found and "://" not in found:
        found = f"https://{found}"
    try:
        parts = urlsplit(found)
    except ValueError:
        return found
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}" if parts.netloc else found


def token(text: str) -> tuple[str, str]:
    """A token, and how it is sent where that was pasted with it, else ""."""
    found = plain(text)
    said = _SCHEME.match(found)
    return (plain(found[said.end() :]), said[1].lower()) if said else (found, "")


def listed(text: str) -> tuple[str, ...]:
    """Words between commas, blanks or in lines of their own, each once."""
    words = (plain(word) for word in _BETWEEN.split(text))
    return tuple(dict.fromkeys(word for word in words if word))


def pairs(text: str) -> dict[str, str]:
    """Pairs such as 10 = SUB-10, between commas or in lines. Raises: ValueError that quotes what is none."""
    found: dict[str, str] = {}
    for given in filter(None, (one.strip() for one in re.split(r"[\n,;]+", text))):
        company, *rest = (plain(part) for part in _PAIR.split(given, maxsplit=1))
        if not company or not rest or not rest[0]:
            raise ValueError(given[:80])
        found[company] = rest[0]
    return found
