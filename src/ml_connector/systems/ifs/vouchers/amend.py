"""Changes a voucher that is still in the hold table, in place.

Rule: one changeset, each change under the ETag that was read; when anything of it moved meanwhile, nothing is changed.
Must not know: why the voucher changes.
"""

from collections.abc import Iterator, Sequence

import msgspec

from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata.writes import Delete, ETag, Insert, Update
from ml_connector.systems.ifs.odata.writes import Write as Change
from ml_connector.systems.ifs.vouchers import changesets, compose
from ml_connector.systems.ifs.vouchers.changesets import BATCH_MAX, Changeset, Outcome
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.lookup import HOLD, HOLD_ROWS
from ml_connector.systems.ifs.vouchers.manual import properties
from ml_connector.systems.ifs.vouchers.parcels import Delivery, Denied, Landed, Lost, Unsent
from ml_connector.systems.ifs.vouchers.standing import Posted

_MOVED = (404, 409, 412)


class Amendment(msgspec.Struct, frozen=True):
    """A voucher of the hold table, and what it is to become."""

    posted: Posted
    posting: Posting

    @property
    def key(self) -> str:
        """The document's key."""
        return self.posted.reference.key

    @property
    def size(self) -> int:
        """How many requests it takes."""
        return 1 + len(self.posted.rows) + len(self.posting.voucher.rows)


class Moved(msgspec.Struct, frozen=True):
    """The voucher changed since it was read, or left the hold table: nothing was done."""


def fits(amendment: Amendment) -> bool:
    """Whether it can be done in one changeset."""
    return amendment.size <= BATCH_MAX


class Amender:
    """Carries out amendments."""

    def __init__(self, client: IfsClient, landing: Landing) -> None:
        self._client = client
        self._landing = landing
        self._head = client.profile.parts[HOLD]
        self._rows = client.profile.parts[HOLD_ROWS]

    def deliver(self, amendments: Sequence[Amendment]) -> dict[str, Delivery | Moved]:
        """Carry them out; what became of each, by key."""
        sets: list[Changeset] = []
        found: dict[str, Delivery | Moved] = {}
        for one in amendments:
            try:
                sets.append(Changeset(one.key, tuple(self._changes(one))))
            except ValueError as error:
                found[one.key] = Denied(f"it can't be changed safely: {error}")
        ids = {one.key: {one.posted.reference.text: one.posted.target_id} for one in amendments}
        outcomes = changesets.deliver(self._client, "amend vouchers", self._head.place, sets)
        return found | {key: _delivery(outcome, ids[key]) for key, outcome in outcomes.items()}

    def _changes(self, one: Amendment) -> Iterator[Change]:
        entity = self._client.path(self._head, one.posted.head)
        for row in one.posted.rows:
            yield Delete(self._client.path(self._rows, row), ETag.of(row))
        for fields in compose.hold_rows(one.posting, self._landing):
            yield Insert(f"{entity}/{self._head.actions['rows']}", properties(self._rows, fields))
        fields = compose.head_fields(one.posting, self._landing)
        changed = {name: fields[name] for name in ("dated_on", "text")}
        yield Update(entity, ETag.of(one.posted.head), properties(self._head, changed))


def _delivery(outcome: Outcome, target_ids: dict[str, str]) -> Delivery | Moved:
    if not isinstance(outcome, list):
        lost = changesets.lost(outcome)
        return Lost(outcome.detail or "no answer") if lost else Unsent(outcome)
    refusal = changesets.refusal(outcome)
    if refusal is None:
        return Landed(target_ids)
    if refusal.status in _MOVED:
        return Moved()
    return Denied(changesets.said(refusal)) if refusal.status < 500 else Lost(changesets.said(refusal))
