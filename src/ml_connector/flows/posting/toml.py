"""Lines for the profile that a person can copy.

Rule: what is shown is valid TOML as it stands; the dots are what a person fills in.
Must not know: what the lines mean.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

DOTS = "…"
Value = str | date | list[str]


def table(header: str, values: Mapping[str, Value]) -> str:
    """A table under its header."""
    return "\n".join([header, *(f"{name} = {_value(value)}" for name, value in values.items())])


def _value(value: Value) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
