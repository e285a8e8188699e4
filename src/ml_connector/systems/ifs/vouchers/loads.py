"""Loads of external vouchers, from the first request to the last.

Rule: a load is known by its file name, which no other has; it is acted upon under the ETag that was read, and what
became of it is what its state says.
Must not know: what becomes of the vouchers in it.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

from ml_connector.errors import ConflictError, MalformedError, NotFoundError, RemoteError, UnconfirmedError
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.odata.literals import literal, name
from ml_connector.systems.ifs.odata.query import equal
from ml_connector.systems.ifs.odata.writes import Act, Delete, ETag, Insert
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.vouchers import changesets, compose
from ml_connector.systems.ifs.vouchers.changesets import BATCH_MAX, Changeset, Outcome
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.manual import properties
from ml_connector.systems.ifs.vouchers.parcels import Parcel

LOADS, LOAD_ROWS = "loads", "load_rows"
LOADED, CHECKED, CREATED = "Loaded", "Checked", "Created"
CHECKS_MAX = 2
TEXTS_MAX = 3  # of what IFS says of one document

Raw = dict[str, Any]


class Loads:
    """The loads of one flow. Raises (all methods): RemoteError."""

    def __init__(self, client: IfsClient, landing: Landing, flow: str) -> None:
        self._client = client
        self._landing = landing
        self._loads = client.profile.parts[LOADS]
        self._rows = client.profile.parts[LOAD_ROWS]
        self._name = self._loads.fields["file_name"]
        self._tag = f"mlc/{landing.serie}/{flow}/"

    def left(self) -> list[Raw]:
        """Loads of this flow that were never created."""
        mine = self._read(f"startswith({name(self._name)},{literal(self._tag)})")
        return [load for load in mine if self.state(load) != CREATED]

    def open(self, company: str) -> Raw:
        """A new load, empty."""
        fields = {"type": self._landing.load_type, "file_name": self._tag + uuid4().hex}
        sent = {self._loads.key[0]: company, **properties(self._loads, fields)}
        place = f"{self._loads.place}/{self._loads.set}"
        return self._current(str(sent[self._name]), self._client.write("create a load", Insert(place, sent)))

    def state(self, load: Raw) -> str:
        """How far a load is."""
        return str(load.get(self._loads.fields["state"]) or "")

    def fill(self, load: Raw, parcels: Sequence[Parcel]) -> Iterator[tuple[str, Outcome]]:
        """Send the transactions; what came of them, by the key of their parcel."""
        owners: dict[str, str] = {}
        sets: list[Changeset] = []
        number = 0
        for parcel in parcels:
            rows = [row for posting in parcel.postings for row in compose.transactions(posting, self._landing)]
            for start in range(0, len(rows), BATCH_MAX):
                stretch = rows[start : start + BATCH_MAX]
                inserts = (self._insert(load, number + place, row) for place, row in enumerate(stretch, 1))
                sets.append(Changeset(str(len(sets)), tuple(inserts)))
                owners[sets[-1].key] = parcel.key
                number += len(stretch)
        outcomes = changesets.deliver(self._client, "send transactions", self._rows.place, sets)
        yield from ((owners[place], outcome) for place, outcome in outcomes.items())

    def _insert(self, load: Raw, number: int, row: Raw) -> Insert:
        company, load_id, record_no = self._rows.key
        own = {company: load[self._loads.key[0]], load_id: load[self._loads.key[1]], record_no: str(number)}
        return Insert(f"{self._rows.place}/{self._rows.set}", own | properties(self._rows, row))

    def checked(self, load: Raw) -> Raw:
        """The load once it was checked, or tried to."""
        for _ in range(CHECKS_MAX):
            load = self._again(load)
            if self.state(load) != LOADED:
                break
            with suppress(ConflictError):
                load = self.act(load, "check")
        return load

    def act(self, load: Raw, action: str) -> Raw:
        """Call an action of the load; the load after it, even when the answer is lost."""
        qualified = f"IfsApp.{self._loads.service}.{self._loads.actions[action]}"
        act = Act(self._client.path(self._loads, load), qualified, self._etag(load))
        try:
            answered = self._client.write(f"{action} a load", act)
        except RemoteError as error:
            if not changesets.lost(error):
                raise
            answered = {}
        try:
            return self._current(load[self._name], answered)
        except RemoteError as error:
            raise UnconfirmedError(error.system, f"{action} a load", error.detail, error.request_id) from None

    def errors(self, load: Raw, parcels: Sequence[Parcel]) -> dict[str, str]:
        """What the check says of each parcel that is not fit."""
        part = self._rows
        place = list(zip(part.key[:2], (load[column] for column in self._loads.key), strict=True))
        plan = Plan(part.properties, part.key, equal(place), skip=part.paging == "skip", end_short=True)
        owners = {posting.reference.text: parcel.key for parcel in parcels for posting in parcel.postings}
        found: dict[str, dict[str, None]] = {}
        for page in self._client.pages(LOAD_ROWS, plan, prefetch=False):
            for row in page.rows:
                text = changesets.cleaned(str(row.get(part.fields["error"]) or ""))
                owner = owners.get(str(row.get(part.fields["item"])))
                if text and owner:
                    found.setdefault(owner, {})[text] = None
        return {key: "; ".join(list(told)[:TEXTS_MAX]) for key, told in found.items()}

    def drop(self, load: Raw) -> bool:
        """Delete a load with its transactions; False: it was created. Raises: RemoteError: it may be left."""
        for last in (False, True):
            try:
                current = self._again(load)
                if self.state(current) == CREATED:
                    return False
                path = self._client.path(self._loads, current)
                self._client.write("delete a load", Delete(path, self._etag(current)))
                return True
            except NotFoundError:
                return True
            except RemoteError:
                if last:
                    raise
        return False

    def _current(self, tag: str, answered: Raw) -> Raw:
        """The load as an answer shows it; when it does not show all of it, as it is read."""
        whole = answered.get(self._name) == tag and ETAG in answered and self.state(answered)
        return answered if whole else self._load(tag)

    def _load(self, tag: str) -> Raw:
        """The load as it is now."""
        for load in self._read(equal([(self._name, tag)])):
            return load
        raise NotFoundError(self._client.wire.system, "read a load", "it is not there", 404)

    def _again(self, load: Raw) -> Raw:
        return self._load(load[self._name])

    def _read(self, wanted: str) -> Iterator[Raw]:
        part = self._loads
        plan = Plan(part.properties, part.key, wanted, skip=part.paging == "skip", end_short=True)
        with closing(self._client.pages(LOADS, plan, prefetch=False)) as pages:
            for page in pages:
                yield from page.rows

    def _etag(self, load: Raw) -> ETag:
        try:
            return ETag.of(load)
        except ValueError:
            raise MalformedError(self._client.wire.system, "read loads", "a load has no ETag") from None
