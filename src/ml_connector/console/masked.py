"""What somebody sent, as it may be looked at: cut short, without secrets and bank details.

Stricter than what is kept of our own requests (`systems/redacting`), which has to show what was posted.

Rule: what is called like a secret or a bank detail is hidden with all that is in it; so is what looks like an account
number, wherever it stands.
Must not know: who sent it, or what it means.
"""

import re
from typing import Any, cast

import msgspec

from ml_connector.systems.redacting import LEFT_OUT, NAMES, bare

SHOWN_MAX = 16_384
NESTED_MAX = 40
_NAMES = re.compile(rf"{NAMES}|account[_ -]?no\b|card|tax[_ -]?id|ssn", re.IGNORECASE)
_LOOKS = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b|\b\d(?:[ -]?\d){12,18}\b")


def body(sent: bytes) -> tuple[str, bool]:
    """A body as text, and whether some of it was cut off."""
    try:
        told = msgspec.json.format(msgspec.json.encode(_masked(msgspec.json.decode(sent), NESTED_MAX)))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        told = _LOOKS.sub(LEFT_OUT, bare(sent.decode("utf-8", "replace"))).encode()
    text = told.decode("utf-8", "replace")
    return text[:SHOWN_MAX], len(text) > SHOWN_MAX


def _masked(value: Any, deeper: int) -> Any:
    if deeper <= 0:
        return "…"
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        return {name: LEFT_OUT if _NAMES.search(name) else _masked(one, deeper - 1) for name, one in pairs}
    if isinstance(value, list):
        return [_masked(one, deeper - 1) for one in cast(list[Any], value)]
    return _LOOKS.sub(LEFT_OUT, value) if isinstance(value, str) else value
