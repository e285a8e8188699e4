"""One named step of a check: what was tried, whether it worked, what to do if not.

Rule: a step writes nothing to the system that it checks.
Must not know: how steps are shown.
"""

import time
from collections.abc import Callable

import msgspec

from ml_connector.errors import MalformedError, RemoteError, ThrottledError, UnreachableError


class Step(msgspec.Struct, frozen=True):
    """The result of one step; `unreachable`: it failed because the system did not answer, or not as itself.

    Units: seconds.
    """

    name: str
    ok: bool
    seconds: float
    result: str
    remedy: str = ""
    unreachable: bool = False


class Said(msgspec.Struct, frozen=True):
    """What a step came to, before it is timed."""

    ok: bool
    result: str
    remedy: str = ""
    unreachable: bool = False


def timed(name: str, act: Callable[[], Said], remedy: Callable[[RemoteError], str]) -> Step:
    """Take a step; an error of the system fails it, with the remedy for that error."""
    started = time.monotonic()
    try:
        said = act()
    except RemoteError as error:
        said = Said(False, str(error), remedy(error), _unreachable(error))
    return Step(name, said.ok, time.monotonic() - started, said.result, said.remedy, said.unreachable)


def _unreachable(error: RemoteError) -> bool:
    """Whether an error says nothing about settings: the system is out of reach, or something else answers for it."""
    return isinstance(error, UnreachableError | ThrottledError | MalformedError)
