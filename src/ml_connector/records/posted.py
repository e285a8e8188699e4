"""A record that is linked: which record of the target it stands for.

Rule: it says what the link says, nothing else.
Must not know: flows, stores.
"""

import msgspec


class LinkedTo(msgspec.Struct, frozen=True):
    """The target's id of a linked record; `active`: it is not switched off or withdrawn there."""

    target_id: str
    active: bool = True
