"""One named step of a check: what was tried, whether it worked, what to do if not.

Rule: a step writes nothing to the system that it checks.
Must not know: how steps are shown.
"""

import msgspec


class Step(msgspec.Struct, frozen=True):
    """The result of one step.

    Units: seconds.
    """

    name: str
    ok: bool
    seconds: float
    result: str
    remedy: str = ""
