"""Rows as the engine sees them: a key, a mark, and where they stand in the key's order.

Rule: a key that holds control characters is shown with their pictures and never used as the edge of a stretch.
Must not know: what the rows mean.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.records import keys, money
from ml_connector.sync.detect import Row
from ml_connector.systems.ifs.etag import Marker
from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.odata.literals import local
from ml_connector.systems.ifs.page import Rows
from ml_connector.systems.ifs.places import places
from ml_connector.systems.ifs.profile import Part

_AHEAD_MAX = timedelta(hours=26)  # a local time can't be further ahead of UTC than this
_PICTURES = {code: 0x2400 + code for code in range(32)}
_CONTROLS = {picture: code for code, picture in _PICTURES.items()}
_SHOWN = frozenset(map(chr, _CONTROLS))


class Seen(msgspec.Struct, frozen=True):
    """A row as read: where it stands, how the engine knows it, and what it holds."""

    at: tuple[Any, ...]
    row: Row
    raw: dict[str, Any]

    @property
    def odd(self) -> bool:
        """Whether the key holds control characters."""
        return odd(self.row.key)


def seen(name: str, part: Part, page: Rows) -> list[Seen]:
    """The rows of a page."""
    marker = Marker(page.answered_at, page.span_s)
    return [
        Seen(at, Row(name, known, _mark(marker, raw), _modified(part, raw, page) if part.modified else ""), raw)
        for raw, (at, known) in zip(page.rows, _keyed(part, page), strict=True)
    ]


def _keyed(part: Part, page: Rows) -> Iterable[tuple[tuple[Any, ...], str]]:
    usual = page.places if page.order == part.key else places(page.rows, part.key)
    if usual is not None:
        return zip(usual, map(keys.SEPARATOR.join, usual), strict=True)
    unusual = [tuple([raw[column] for column in part.key]) for raw in page.rows]
    return [(at, key(at)) for at in unusual]


def odd(text: str) -> bool:
    """Whether an engine's key stands for one with control characters."""
    return not text.isascii() and not _SHOWN.isdisjoint(text)


def key(values: Sequence[str | int | Decimal]) -> str:
    """The engine's key of these values."""
    return keys.join([value if isinstance(value, str) and value.isprintable() else _text(value) for value in values])


def _text(value: str | int | Decimal) -> str:
    return value.translate(_PICTURES) if isinstance(value, str) else money.plain(Decimal(value))


def values(text: str) -> tuple[str, ...]:
    """The values that an engine's key stands for."""
    found = keys.split(text)
    return found if text.isascii() else tuple([value.translate(_CONTROLS) for value in found])


def plausible(text: str, answered_at: datetime | None) -> bool:
    """Whether a time is one and does not lie in the future, whatever the zone it was written in."""
    try:
        written = local(text)
    except ValueError:
        return False
    return answered_at is None or written <= answered_at.replace(tzinfo=None) + _AHEAD_MAX


def _mark(marker: Marker, raw: dict[str, Any]) -> str:
    tag = raw.get(ETAG)
    return marker.mark(tag) if isinstance(tag, str) else ""


def _modified(part: Part, raw: dict[str, Any], page: Rows) -> str:
    """The time of change; "" for one in the future, or the cursor would pass over what happens until then."""
    text = raw.get(part.modified)
    return text if isinstance(text, str) and plausible(text, page.answered_at) else ""
