"""Why the pipeline itself holds a record, whatever flow it belongs to.

Rule: each is a sentence that a clerk understands, with what to do.
Must not know: flows, systems by name.
"""

from collections.abc import Sequence

from ml_connector.records import keys
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found, Link

ANSWERED_OTHERWISE = "answered_otherwise"
HANDED_OVER = "handed_over"
# What only a look into the target can resolve.
IN_TARGET = (
    "doubled_in_target",
    "gone_from_target",
    "differs_in_target",
    "not_confirmed",
    "refused_by_airbase",
    "refused_by_ifs",
    "refused",
    ANSWERED_OTHERWISE,
)

# What the runs that follow look at again by themselves, and what goes away without anybody.
RETRIED = ("not_confirmed", "differs_in_target", "changed_meanwhile", HANDED_OVER)


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


def handed_over(key: str, file: str) -> Held:
    """A document is in a file that nobody has loaded yet."""
    return Held(
        HANDED_OVER,
        f"{keys.shown(key)} is in {f'file {file}' if file else 'a voucher file'}, which IFS has not taken yet.",
        "Load the file in IFS; every run looks for it, and once it is there, this goes away by itself. If it will "
        "never be loaded: ml-connector files NAME --void FILE.",
        Owner.CONTROLLER,
    )


def posted_without_source(key: str, target_id: str) -> Held:
    """The target has a document under our key of which the source knows nothing any more."""
    return Held(
        "gone_from_source",
        f"{keys.shown(key)} is posted as {target_id}, but the spend side no longer lists it.",
        "Look what became of it there. If nothing should stand, reverse it in IFS.",
        Owner.CONTROLLER,
    )


def posted_otherwise(key: str, target_id: str) -> Held:
    """The target has a document under our key that differs from what it should be, and that we did not post."""
    return Held(
        "posted_otherwise",
        f"{keys.shown(key)} is already there as {target_id}, but with another content.",
        "Compare the two. If it is wrong there, reverse it there and take the reference off it; then run again.",
        Owner.CONTROLLER,
    )


def possibly_double(key: str, other: str, target_id: str) -> str:
    """A document that looks like another one sent a second time, in a sentence."""
    where = f", posted as {target_id}" if target_id else ""
    return f"{keys.shown(key)} may be {keys.shown(other)}{where} a second time: same supplier, number and amount."


def held_as_double(sentence: str) -> Held:
    """Why a document waits that may be a double."""
    return Held(
        "possibly_double",
        sentence,
        "If it is a double, reject it on the spend side. If not, correct its invoice number there.",
        Owner.CLERK,
    )
