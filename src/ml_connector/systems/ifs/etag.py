"""What an ETag of IFS tells: which version of a row it is, and when that may hide a later one.

Rule: marks are compared for equality only. A version written in the second in which it was read gets no mark: a second
edit in that second would keep the ETag.
Must not know: rows, sets.
"""

from binascii import a2b_base64
from datetime import datetime, timedelta
from hashlib import blake2b

_AWAY_MAX = timedelta(hours=26)  # the version's clock may be in any zone
_STEP_S = 900  # zones differ by multiples of this
_GRAIN_S = 3.0
_DIGITS = 14  # of a version that is a time
_ROW_MAX = 39  # of a mark that tells the row and its version; a digest is longer


def version(etag: str) -> str:
    """The objversion inside an ETag; "" when it has another shape.

    Shape: the ETag is W/"<base64 of W/"<rowid>:<objversion>">". Source: IFS documentation sample, four tenants.
    """
    row = _row(etag)
    return row.rpartition(":")[2] if ":" in row else ""


def _row(etag: str) -> str:
    """The <rowid>:<objversion> inside an ETag."""
    outer = _inside(etag)
    try:
        return _inside(a2b_base64(outer, strict_mode=True).decode()) if outer else ""
    except ValueError:
        return ""


def _inside(tag: str) -> str:
    start = 3 if tag[:3] == 'W/"' else 1 if tag[:1] == '"' else 0
    return tag[start:-1] if start and len(tag) > start and tag[-1] == '"' else ""


class Marker:
    """Makes the marks of the rows of one answer.

    `answered_at`: the answer's Date (UTC), None when it had none; `span_s`: how long the answer took, since the rows
    were read some time in that span.
    """

    def __init__(self, answered_at: datetime | None, span_s: float = 0.0) -> None:
        self._answered_at = answered_at
        self._span_s = span_s
        self._from, self._until = _around(answered_at, span_s)

    def mark(self, etag: str) -> str:
        """What tells this version of a row from others; "" when the row may change without its ETag changing."""
        row = _row(etag)
        written = row[row.rfind(":") + 1 :]
        if not etag or (self._from <= written <= self._until and self._fresh(written)):
            return ""
        if 0 < len(row) <= _ROW_MAX and row.isprintable():
            return row
        return blake2b(etag.encode(), digest_size=20).hexdigest()

    def _fresh(self, objversion: str) -> bool:
        written = _written(objversion)
        if written is None:
            return False
        if self._answered_at is None:
            return True
        apart = self._answered_at.replace(tzinfo=None) - written
        if abs(apart) > _AWAY_MAX + timedelta(seconds=self._span_s):
            return False
        beyond_s = (apart.total_seconds() + _GRAIN_S) % _STEP_S
        return beyond_s <= 2 * _GRAIN_S + self._span_s


def _around(answered_at: datetime | None, span_s: float) -> tuple[str, str]:
    """The earliest and the latest version that may have been written just now."""
    if answered_at is None:
        return "0", "9" * _DIGITS
    away = _AWAY_MAX + timedelta(seconds=span_s)
    try:
        return _digits(answered_at - away), _digits(answered_at + away)
    except OverflowError:
        return "0", "9" * _DIGITS


def _digits(moment: datetime) -> str:
    return "".join(sign for sign in moment.isoformat()[:19] if sign.isdigit())


def _written(objversion: str) -> datetime | None:
    if len(objversion) != _DIGITS or not objversion.isascii() or not objversion.isdigit():
        return None  # a counter, which grows with every edit
    try:
        day = (int(objversion[:4]), int(objversion[4:6]), int(objversion[6:8]))
        return datetime(*day, int(objversion[8:10]), int(objversion[10:12]), int(objversion[12:]))  # noqa: DTZ001 - its zone is not known
    except ValueError:
        return None
