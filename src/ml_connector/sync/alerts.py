"""What may be alarming, and what is remembered of it.

Rule: data only; the rules are the engine's.
Must not know: who is told, where it is kept.
"""

from datetime import datetime

import msgspec


class Condition(msgspec.Struct, frozen=True):
    """Something that is or is not as it should be, right now; the sentence says what is the matter when it fires."""

    name: str
    firing: bool
    sentence: str = ""


class Standing(msgspec.Struct, frozen=True):
    """What is remembered of a condition.

    `firing`, `since`: its settled state. `turning_at`: since when what is seen contradicts that. `told`: the ways by
    which somebody knows that it fires. `tries`, `tried_at`: failed attempts to tell of its present state.
    """

    name: str
    since: datetime
    firing: bool = False
    turning_at: datetime | None = None
    sentence: str = ""
    told: frozenset[str] = frozenset()
    tries: int = 0
    tried_at: datetime | None = None
    silenced_until: datetime | None = None
