"""What may be kept of a request or an answer: bounded, without secrets and bank details.

Rule: what is named like a secret or a bank detail is left out, whatever it holds, and so is an IBAN, whatever its name;
numbers stay as they were written.
Must not know: whose request it was.
"""

import re
from decimal import Decimal
from typing import Any, cast

import msgspec

KEPT_MAX = 4_000
LEFT_OUT = "[left out]"
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")
UNREADABLE = (ValueError, ArithmeticError, RecursionError)  # what JSON may hold that nobody can read
NAMES = (
    r"iban|bic\b|swift|routing|sort[_ -]?code|bank|account[_ -]?number|card[_ -]?number|cvc|cvv|secret|passw|token|"
    r"authori[sz]ation|credential|api[_ -]?key|signature"
)
_NAMED = re.compile(NAMES, re.I)
# a name and its value, in what is no JSON; or a run of names that has none, passed over whole, as looking again at each
# name in it would take the square of its length
_TOLD = re.compile(rf"((?:{NAMES})[\w -]*+[\"']?\s*[:=]\s*)\S.*|(?:{NAMES})[\w -]*+", re.I)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_LINES = re.compile(r"\r?\n")
_HEADERS = re.compile(r"(?i)^(content-|--|authorization|prefer:|$)")


def redacted(text: str) -> str:
    """A text that may be kept: JSON within it is looked through, lines that are only packing go."""
    lines = [line for line in _LINES.split(text) if not _HEADERS.match(line)]
    begun = next((place for place, line in enumerate(lines) if line[:1] in ("{", "[")), len(lines))
    whole = "\n".join([*map(bare, lines[:begun]), *_json(lines[begun:])]).strip()
    return whole if len(whole) <= KEPT_MAX else f"{whole[:KEPT_MAX]}… and {len(whole) - KEPT_MAX:,} characters more"


def of_value(value: Any) -> str:
    """A value from JSON that may be kept."""
    return redacted(ENCODER.encode(value).decode())


def _json(lines: list[str]) -> list[str]:
    """Lines of one JSON; or each is one, as in what was packed together."""
    if not lines:
        return []
    try:
        return [_looked_through("\n".join(lines))]
    except UNREADABLE:
        return [_line(line) for line in lines]


def _line(line: str) -> str:
    if line[:1] in ("{", "["):
        try:
            return _looked_through(line)
        except UNREADABLE:
            return f"{LEFT_OUT}: {len(line):,} characters that are no whole JSON"
    return bare(line)


def _looked_through(text: str) -> str:
    return msgspec.json.format(ENCODER.encode(_walked(DECODER.decode(text)))).decode()


def _walked(value: Any) -> Any:
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: LEFT_OUT if _hidden(name, inner) else _walked(inner) for name, inner in named.items()}
    if isinstance(value, list):
        return [_walked(inner) for inner in cast("list[Any]", value)]
    return bare(value) if isinstance(value, str) else value


def _hidden(name: str, value: Any) -> bool:
    return bool(_NAMED.search(name)) and value not in (None, "", False, True)


def bare(text: str) -> str:
    """A text without what it names as a secret or a bank detail."""
    unnumbered = _IBAN.sub(lambda found: LEFT_OUT if _is_iban(found[0]) else found[0], text)
    return _TOLD.sub(lambda found: f"{found[1]}{LEFT_OUT}" if found[1] else found[0], unnumbered)


def _is_iban(text: str) -> bool:
    """Whether its check digits are those of an IBAN."""
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1
