"""Manual vouchers: each with its rows in one changeset, straight into the hold table.

Rule: an answer is believed only when it names our reference.
Must not know: what stands already, files, loads.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ml_connector.errors import RemoteError
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.odata.batch import Reply
from ml_connector.systems.ifs.odata.literals import literal
from ml_connector.systems.ifs.odata.writes import Insert
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.vouchers import changesets, compose
from ml_connector.systems.ifs.vouchers.changesets import BATCH_MAX, Changeset, Outcome
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.lookup import HOLD, HOLD_ROWS
from ml_connector.systems.ifs.vouchers.parcels import Delivery, Denied, Landed, Lost, Parcel, Unsent


class ManualCarrier:
    """Enters vouchers as a person would."""

    def __init__(self, client: IfsClient, landing: Landing) -> None:
        self._client = client
        self._landing = landing
        self._head = client.profile.parts[HOLD]
        self._rows = client.profile.parts[HOLD_ROWS]
        self._sure = False

    def prepare(self) -> bool:
        """Whether vouchers may have come of a delivery that went unanswered; there is nothing to put away."""
        sure, self._sure = self._sure, True
        return not sure

    def deliver(self, parcels: Sequence[Parcel]) -> dict[str, Delivery]:
        """Deliver parcels; one delivery each, by key."""
        sets = {parcel.key: Changeset(parcel.key, tuple(self._changes(parcel))) for parcel in parcels}
        large = {key: _too_large(len(one.changes)) for key, one in sets.items() if len(one.changes) > BATCH_MAX}
        fit = [one for key, one in sets.items() if key not in large]
        outcomes = changesets.deliver(self._client, "post vouchers", self._head.place, fit)
        by_key = {parcel.key: parcel for parcel in parcels}
        return large | {key: self._delivery(by_key[key], outcome) for key, outcome in outcomes.items()}

    def _changes(self, parcel: Parcel) -> Iterator[Insert]:
        place = 1
        for posting in parcel.postings:
            rows = compose.hold_rows(posting, self._landing)
            yield Insert(f"{self._head.place}/{self._head.set}", self._head_properties(posting))
            for row in rows:
                yield Insert(f"${place}/{self._head.actions['rows']}", properties(self._rows, row))
            place += 1 + len(rows)

    def _head_properties(self, posting: Posting) -> dict[str, Any]:
        company, kind, _, _ = self._head.key
        own = {
            company: posting.voucher.company,
            kind: self._landing.voucher_type(posting.voucher.company),
        }
        return own | properties(self._head, compose.head_fields(posting, self._landing))

    def _delivery(self, parcel: Parcel, outcome: Outcome) -> Delivery:
        if not isinstance(outcome, list):
            return self._failed(outcome)
        refusal = changesets.refusal(outcome)
        if refusal and refusal.status < 500:
            return Denied(changesets.said(refusal))
        found = None if refusal else self._landed(parcel, outcome)
        self._sure = self._sure and found is not None
        return found or Lost("the answer does not say what became of it")

    def _failed(self, error: RemoteError) -> Delivery:
        if changesets.lost(error):
            self._sure = False
            return Lost(error.detail or "no answer")
        return Unsent(error)

    def _landed(self, parcel: Parcel, replies: Sequence[Reply]) -> Landed | None:
        """The vouchers that the replies name; None when they are not the ones that were sent."""
        found: dict[str, str] = {}
        place = 0
        for posting in parcel.postings:
            target_id = self._target_id(posting, replies[place])
            if not target_id:
                return None
            found[posting.reference.text] = target_id
            place += 1 + len(posting.voucher.rows)
        return Landed(found)

    def _target_id(self, posting: Posting, reply: Reply) -> str:
        try:
            row = answers.row(reply.body)
        except ValueError:
            return ""
        fields = self._head.fields
        ours = (row.get(fields["reference_serie"]), row.get(fields["reference"]))
        if ours != (self._landing.serie, posting.reference.text):
            return ""
        values = [row.get(column) for column in self._head.key]
        if any(value is None for value in values):
            return ""
        return "/".join(value if isinstance(value, str) else literal(value) for value in values)


def properties(part: Part, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields by our names as the properties that the profile names; those that it does not have are left out."""
    return {part.fields[name]: msgspec.to_builtins(value) for name, value in fields.items() if part.fields.get(name)}


def _too_large(size: int) -> Denied:
    return Denied(f"as a manual voucher it takes {size} requests, and a batch holds {BATCH_MAX}; use external vouchers")
