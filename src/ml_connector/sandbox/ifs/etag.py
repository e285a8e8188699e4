"""ETags and row ids as IFS shows them: ``W/"base64(W/"ROWID:OBJVERSION")"``.

Rule: the objversion is the second, on the database server's own clock, of the last change; two changes within a
second have the same ETag.
It must not know how rows are stored.
"""

from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo


def etag(rowid: int, stamp: datetime, zone: str) -> str:
    """The ETag of a row."""
    inner = f'W/"{oracle_rowid(rowid)}:{objversion(stamp, zone)}"'
    return f'W/"{b64encode(inner.encode()).decode()}"'


@lru_cache(maxsize=65536)
def objversion(stamp: datetime, zone: str) -> str:
    """``yyyymmddhh24miss`` in the server's zone."""
    return stamp.astimezone(ZoneInfo(zone)).strftime("%Y%m%d%H%M%S")


def oracle_rowid(number: int) -> str:
    """An 18-character row id: object, file, block, row."""
    return "AAAbAIAAYA" + b64encode(number.to_bytes(6, "big")).decode()


def matches(header: str, current: str) -> bool:
    """Whether an If-Match header allows a change of a row with this ETag."""
    return header.strip() == "*" or current in [part.strip() for part in header.split(",")]
