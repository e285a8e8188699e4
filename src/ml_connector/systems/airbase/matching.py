"""Which answer belongs to which write.

Rule: a write is done only when the answer shows one record of its key and id; the order of an answer means nothing.
Must not know: HTTP.
"""

from collections.abc import Iterable, Sequence

from ml_connector.errors import MalformedError
from ml_connector.sync.ports import Done, Result, Unknown, Write
from ml_connector.systems.airbase.client import Raw, Rejection, id_of
from ml_connector.systems.airbase.kinds import Kind
from ml_connector.systems.airbase.refusals import refused

WHOLE_BATCH = "the batch was refused as a whole; probably nothing was written"


def confirmed(kind: Kind, writes: Sequence[Write], rows: Iterable[Raw]) -> tuple[Result, ...]:
    """The results of writes that were answered with these rows."""
    listed = [(_key(kind, row), id_of(row)) for row in rows]
    return tuple(_result(write, listed) for write in writes)


def rejected(kind: Kind, writes: Sequence[Write], rejection: Rejection) -> tuple[Result, ...]:
    """The results of a batch that was refused because of some of its entities.

    Places outside the batch show that places are not counted as thought, so that none of them is believed.
    """
    reasons = dict(rejection.reasons)
    if len(writes) == 1:
        return (refused(writes[0], kind.name, "; ".join(reasons.values())),)
    if any(not 0 <= place < len(writes) for place in reasons):
        reasons.clear()
    return tuple(
        refused(write, kind.name, reasons[place]) if place in reasons else Unknown(write.key, WHOLE_BATCH)
        for place, write in enumerate(writes)
    )


def unknown(writes: Sequence[Write], reason: str) -> tuple[Result, ...]:
    """The results of writes that got no trustworthy answer."""
    return tuple(Unknown(write.key, reason) for write in writes)


def _result(write: Write, listed: list[tuple[str, str]]) -> Result:
    ids = {target_id for key, target_id in listed if key == write.key}
    if len(ids) != 1:
        said = "does not show it" if not ids else "shows it more than once"
        return Unknown(write.key, f"the answer {said}")
    target_id = ids.pop()
    if write.target_id and target_id != write.target_id:
        return Unknown(write.key, "the answer shows another record under its key")
    return Done(write.key, target_id)


def _key(kind: Kind, row: Raw) -> str:
    try:
        return kind.key(row)
    except MalformedError:
        return ""  # belongs to no write, which leaves the write unknown
