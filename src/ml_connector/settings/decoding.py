"""Tables to settings, with mistakes told in the words of who wrote them.

Rule: a mistake names the setting and the nearest one that exists.
Must not know: which settings there are.
"""

import re
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from ml_connector.errors import SettingsError

T = TypeVar("T")

_KINDS = {"str": "a text", "array": "a list", "object": "a table", "null": "nothing", "bool": "true or false"}
_BOUNDS = {">": "least", "<": "most"}


def known(where: str, data: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    """Make sure that a table has no name that nobody knows. Raises: SettingsError."""
    for name in data:
        if name not in kind.__struct_fields__:
            near = get_close_matches(name, kind.__struct_fields__, 1)
            hint = f"; nearest: {near[0]}" if near else f"; there are: {', '.join(kind.__struct_fields__)}"
            raise SettingsError(f"{where} has no setting {name!r}{hint}")


def convert(data: dict[str, Any], kind: type[T]) -> T:
    """The settings of a table. Raises: SettingsError."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(_in_words(str(error))) from error


def _in_words(said: str) -> str:
    """What msgspec says of a value, with the names that TOML has for kinds of values."""
    what, _, place = said.partition(" - at `$")
    if what.startswith("Expected"):  # other sentences name a setting
        what = re.sub(r"`([a-z]+)( \| null)?`", lambda kind: _KINDS.get(kind[1], "a number"), what)
        what = re.sub(r" ([<>])= (\d+)(?:\.0)?", lambda bound: f" of at {_BOUNDS[bound[1]]} {bound[2]}", what)
    where = place.strip("`").lstrip(".")
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else what
