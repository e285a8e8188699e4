"""A connection with both systems at hand, for a request that looks at what would happen.

Rule: only so many at a time, as each holds a thread while it reads.
Must not know: what is looked at.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from ml_connector.console.site import Site
from ml_connector.errors import BusyError
from ml_connector.wiring import Joined

AT_ONCE_MAX = 2
_FREE = threading.BoundedSemaphore(AT_ONCE_MAX)


@contextmanager
def joined(here: Site, name: str, person: str) -> Generator[Joined]:
    """A connection with both systems at hand. Raises: BusyError when others look already."""
    if not _FREE.acquire(blocking=False):
        raise BusyError(f"{AT_ONCE_MAX} plans are being made already; try again in a moment")
    try:
        both = Joined(here.opened, name, person=person)
        try:
            yield both
        finally:
            both.close()
    finally:
        _FREE.release()
