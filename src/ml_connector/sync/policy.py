"""The limits within which a flow may act without asking.

Rule: data only; `gate` decides.
Must not know: plans or stores.
"""

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """How much of what is linked one plan may change or switch off; up to `free_max` records no share
    counts, unless they are most of what is there. `late_waits`: documents that take effect later than their day wait
    for approval. `doubles`: what may be a double is "off", "warn" or "hold".

    Units: shares are fractions of the active links of the flow.
    """

    change_share_max: float = 0.5
    deactivate_share_max: float = 0.05
    free_max: int = 20
    late_waits: bool = False
    doubles: str = "warn"
