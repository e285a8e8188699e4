"""What an ETag of IFS tells: which version of a row it is, and when that may hide a later one.

Rule: marks are compared for equality only. A version written in the second in which it was read gets no mark: a second
edit in that second would keep the ETag.
Must not know: rows, sets.
"""

import base64
import binascii
import hashlib
import re
from datetime import datetime, timedelta

_TAG = re.compile(r'(?:W/)?"(.*)"', re.DOTALL)
_AWAY_MAX = timedelta(hours=26)  # the version's clock may be in any zone
_STEP_S = 900  # zones differ by multiples of this
_GRAIN_S = 3.0


def version(etag: str) -> str:
    """The objversion inside an ETag; "" when it has another shape.

    Shape: the ETag is W/"<base64 of W/"<rowid>:<objversion>">". Source: IFS documentation sample, four tenants.
    """
    outer = _TAG.fullmatch(etag)
    if not outer:
        return ""
    try:
        inner = _TAG.fullmatch(base64.b64decode(outer.group(1), validate=True).decode())
    except (binascii.Error, ValueError):
        return ""
    return inner.group(1).rpartition(":")[2] if inner and ":" in inner.group(1) else ""


def mark(etag: str, answered_at: datetime | None, span_s: float = 0.0) -> str:
    """What tells this version of a row from others; "" when the row may change without its ETag changing.

    `answered_at`: the answer's Date (UTC), None when it had none; `span_s`: how long the answer took, since the rows
    were read some time in that span.
    """
    if not etag or _fresh(version(etag), answered_at, span_s):
        return ""
    return hashlib.blake2b(etag.encode(), digest_size=10).hexdigest()


def _fresh(objversion: str, answered_at: datetime | None, span_s: float) -> bool:
    written = _written(objversion)
    if written is None:
        return False
    if answered_at is None:
        return True
    apart = answered_at.replace(tzinfo=None) - written
    if abs(apart) > _AWAY_MAX + timedelta(seconds=span_s):
        return False
    beyond_s = (apart.total_seconds() + _GRAIN_S) % _STEP_S
    return beyond_s <= 2 * _GRAIN_S + span_s


def _written(objversion: str) -> datetime | None:
    if len(objversion) != 14 or not objversion.isascii() or not objversion.isdigit():
        return None  # a counter, which grows with every edit
    try:
        day = (int(objversion[:4]), int(objversion[4:6]), int(objversion[6:8]))
        return datetime(*day, int(objversion[8:10]), int(objversion[10:12]), int(objversion[12:]))  # noqa: DTZ001 - its zone is not known
    except ValueError:
        return None
