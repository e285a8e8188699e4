"""Which answer belongs to which write.

Rule: a write is done only when the answer shows one record of its key and id; the order of an answer means nothing.
Must not know: HTTP.
"""

from collections.abc import Iterable, Sequence

from ml_connector.errors import MalformedError
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.airbase.client import Raw, Rejection, id_of
from ml_connector.systems.airbase.kinds import Kind
from ml_connector.systems.airbase.refusals import NOWHERE, answered_otherwise, refused

Listed = list[tuple[str, str]]  # key and id


def confirmed(kind: Kind, writes: Sequence[Write], rows: Iterable[Raw]) -> tuple[Result, ...]:
    """The results of writes that were answered with these rows.

    A create whose place is taken by a record of no write here is refused: a look-up by its key would say "not there".
    """
    listed = [(_key(kind, row), id_of(row)) for row in rows]
    ours = {write.key for write in writes}
    others = [one for one in listed if one[0] not in ours]
    return tuple(_result(kind, write, listed, others) for write in writes)


def rejected(kind: Kind, writes: Sequence[Write], rejection: Rejection) -> dict[str, Refused]:
    """Those writes that a batch was refused for, by key, as far as it says.

    Places outside the batch show that places are not counted as thought, so that none of them is believed.
    """
    if len(writes) == 1:
        said = "; ".join(filter(None, rejection.reasons.values()))
        return {writes[0].key: refused(writes[0], kind.name, said)}
    reasons = {place: said for place, said in rejection.reasons.items() if place != NOWHERE}
    if any(not 0 <= place < len(writes) for place in reasons):
        return {}
    return {writes[place].key: refused(writes[place], kind.name, said) for place, said in reasons.items()}


def unknown(writes: Sequence[Write], reason: str) -> tuple[Result, ...]:
    """The results of writes that got no trustworthy answer."""
    return tuple(Unknown(write.key, reason) for write in writes)


def _result(kind: Kind, write: Write, listed: Listed, others: Listed) -> Result:
    ids = {target_id for key, target_id in listed if key == write.key}
    if not ids and others and not write.target_id:
        return answered_otherwise(write, kind.name, others)
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
        return ""  # belongs to no write
