"""Why the pipeline itself holds a record, whatever flow it belongs to.

Rule: each is a sentence that a clerk understands, with what to do.
Must not know: flows, systems by name.
"""

from collections.abc import Sequence

from ml_connector.records import keys
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found, Link

ANSWERED_OTHERWISE = "answered_otherwise"
# What only a look into the target can resolve.
IN_TARGET = (
    "doubled_in_target",
    "gone_from_target",
    "differs_in_target",
    "not_confirmed",
    "refused_by_airbase",
    ANSWERED_OTHERWISE,
)


def doubled(key: str, found: Sequence[Found]) -> Held:
    """The target has several records under one key of ours."""
    ids = ", ".join(one.target_id for one in found[:5])
    return Held(
        "doubled_in_target",
        f"{keys.shown(key)} is in the target system {len(found)} times: {ids}.",
        "Keep one of them and remove the reference from the others there, then run again.",
        Owner.CLERK,
    )


def gone(key: str, link: Link) -> Held:
    """The target no longer lists what was linked."""
    return Held(
        "gone_from_target",
        f"{keys.shown(key)} was record {link.target_id} of the target system, which is no longer listed there.",
        "Bring it back there (it may be archived), then run again.",
        Owner.CLERK,
    )


def answered_otherwise(key: str) -> Held:
    """A creation was answered with a record under another key: once more would make another double."""
    return Held(
        ANSWERED_OTHERWISE,
        f"{keys.shown(key)} was sent once and created under another key; it is not sent again.",
        "Find it in the target system by its name, give it this key there, then run again.",
        Owner.CLERK,
    )


def differs(key: str) -> Held:
    """An unanswered write is there, but not as it was sent."""
    return Held(
        "differs_in_target",
        f"{keys.shown(key)} is in the target system, but not as it was sent.",
        "Nothing, if the next run sets it right; else see the record's timeline.",
    )


def unconfirmed(key: str, times: int) -> Held:
    """A write was never answered, and nothing came of it."""
    return Held(
        "not_confirmed",
        f"{keys.shown(key)} was sent {times} times without an answer, and a look-up shows that nothing came of it.",
        "Nothing, if the next run gets through; else check the target system.",
    )


def unmappable(key: str, error: Exception) -> Held:
    """The flow's mapping failed on this record."""
    return Held(
        "mapping_failed",
        f"{keys.shown(key)} could not be mapped ({type(error).__name__}); the others go on.",
        "Report it with the record's number; it is looked at again by every run.",
    )
