"""One named step of a check: what was tried, whether it worked, what to do if not.

Rule: a step writes nothing to the system that it checks.
Must not know: how steps are shown.
"""

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


def unreachable(error: RemoteError) -> bool:
    """Whether an error says nothing about settings: the system is out of reach, or something else answers for it."""
    return isinstance(error, UnreachableError | ThrottledError | MalformedError)
