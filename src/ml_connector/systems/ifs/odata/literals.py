"""Values as they stand in OData URLs.

Rule: a value can't end its literal early, and nothing in it is taken for syntax.
Must not know: which property a value is for.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import msgspec

from ml_connector.records import money

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,12}))?(Z|[+-]\d{2}:\d{2})?)?")
_TO_THE_SECOND = len("2026-01-01T00:00:00")
_IN_KEY = "'()*,:@!$-._~"  # no slash: it would end the path segment


class Timestamp(msgspec.Struct, frozen=True):
    """A date or time in the text that the system wrote.

    Raises: ValueError when it is neither.
    """

    text: str

    def __post_init__(self) -> None:
        local(self.text)

    def local(self) -> datetime:
        """The time on the clock that it was written by, to the second; no zone."""
        return local(self.text)

    def order(self) -> tuple[datetime, str]:
        """What to sort by: the local time with its fraction, moved to UTC where an offset is written."""
        _, _, fraction, suffix = self._parts()
        return self.local() - _offset(suffix), fraction.ljust(12, "0")

    def minus(self, seconds: float) -> "Timestamp":
        """The time so much earlier, rounded down, in the same form."""
        on, at, _, suffix = self._parts()
        earlier = _earlier(self.local(), seconds)
        return Timestamp(earlier.isoformat() + suffix if at else f"{on and earlier.date().isoformat()}")

    def _parts(self) -> tuple[str, str, str, str]:
        found = _TIME.fullmatch(self.text)
        on, at, fraction, suffix = found.groups() if found else ("", "", "", "")
        return on or "", at or "", fraction or "", suffix or ""


def local(text: str) -> datetime:
    """The time on the clock that a text was written by, to the second; no zone.

    Raises: ValueError when it is neither date nor time.
    """
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a time: {text[:40]!r}")
    return datetime.fromisoformat(text[:_TO_THE_SECOND] if found[2] else f"{text}T00:00:00")


def _earlier(moment: datetime, seconds: float) -> datetime:
    try:
        return (moment - timedelta(seconds=seconds)).replace(microsecond=0)
    except OverflowError:
        return datetime(1, 1, 1)  # noqa: DTZ001 - a text's own local time has no zone


def _offset(suffix: str) -> timedelta:
    if suffix in ("", "Z"):
        return timedelta()
    size = timedelta(hours=int(suffix[1:3]), minutes=int(suffix[4:6]))
    return -size if suffix[0] == "-" else size


Value = str | bool | int | Decimal | date | Timestamp | None


def literal(value: Value) -> str:
    """A value as it stands in a filter or a key, not yet percent-encoded.

    Raises: ValueError for a number that is not finite, or a type that has no literal.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, int | Decimal):
        return money.plain(money.exact(value))
    if isinstance(value, Timestamp):
        return value.text
    if isinstance(value, datetime):
        raise ValueError("a time is written by the text that the system gave")
    return value.isoformat()


def enum(kind: str, member: str) -> str:
    """An enumeration's member, such as IfsApp.SupplierHandling.PartyType'Supplier'.

    Raises: ValueError when either is not a name.
    """
    if not all(_NAME.fullmatch(name) for name in [*kind.split("."), member]):
        raise ValueError(f"not an enumeration member: {kind[:80]!r} {member[:80]!r}")
    return f"{kind}'{member}'"


def name(text: str) -> str:
    """A property's name.

    Raises: ValueError when it could be anything else.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a property: {text[:80]!r}")
    return text


def encode(text: str) -> str:
    """Percent-encoded for a query option; a space is %20, never +."""
    return quote(text, safe="'()*,:@!$/-._~")


def key(parts: dict[str, str]) -> str:
    """A key predicate from property names to literals, percent-encoded: all keys are named.

    Raises: ValueError when there is none.
    """
    if not parts:
        raise ValueError("a key has at least one part")
    named = (f"{name(part)}={quote(value, safe=_IN_KEY)}" for part, value in parts.items())
    return f"({','.join(named)})"
