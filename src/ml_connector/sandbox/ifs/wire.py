"""JSON on the wire: decimals as exact JSON numbers, or as strings for clients that ask for IEEE754Compatible.

Rule: no number ever passes through a binary float.
It must not know what is encoded.
"""

import re
from typing import Any

import msgspec

JSON = "application/json"
_NUMBERS = msgspec.json.Encoder(decimal_format="number")
_STRINGS = msgspec.json.Encoder(decimal_format="string")
_IEEE754 = re.compile(r";\s*ieee754compatible\s*=\s*true", re.IGNORECASE)


def encode(body: Any, decimals_as_text: bool = False) -> bytes:
    """The body as JSON."""
    return (_STRINGS if decimals_as_text else _NUMBERS).encode(body)


def wants_text_decimals(media_type: str) -> bool:
    """Whether a media type says that decimals are strings."""
    return _IEEE754.search(media_type) is not None


def content_type(decimals_as_text: bool) -> str:
    """The Content-Type of an OData answer."""
    return f"{JSON};odata.metadata=minimal" + (";IEEE754Compatible=true" if decimals_as_text else "")
