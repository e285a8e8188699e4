"""Cuts an OData expression into tokens.

Rule: a text that is not wholly understood is refused; nothing is skipped but spaces.
It must not know what the tokens mean together.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.sandbox.ifs.errors import malformed

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
    |(?P<enum>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+'(?:[^']|'')*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:/\$?[A-Za-z_]\w*)*)
    |(?P<mark>[(),=:-])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One token: what it is, its value, and its text."""

    kind: str  # string, number, date, instant, enum, name, mark, end
    value: Any
    text: str


END = Token("end", None, "")


class EnumLiteral(NamedTuple):
    """``IfsApp.Service.Type'Member'``."""

    type_name: str
    member: str


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, ended by END."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise malformed("ODP_MALFORMED_EXPRESSION", f"Unexpected character '{text[at]}' at position {at + 1}.")
        at = match.end()
        if match.lastgroup != "space":
            found.append(_token(str(match.lastgroup), match.group()))
    return [*found, END]


def _token(kind: str, text: str) -> Token:
    try:
        return Token(kind, _value(kind, text), text)
    except ValueError as problem:
        raise malformed("ODP_MALFORMED_EXPRESSION", f"The literal {text} is not valid.") from problem


def _value(kind: str, text: str) -> Any:
    match kind:
        case "string":
            return text[1:-1].replace("''", "'")
        case "number":
            return Decimal(text)
        case "date":
            return date.fromisoformat(text)
        case "instant":
            return datetime.fromisoformat(text)
        case "enum":
            name, member = text[:-1].split("'", 1)
            return EnumLiteral(name, member.replace("''", "'"))
        case _:
            return text
