"""External vouchers: a load, its transactions, a check, and only then vouchers, all or none.

Rule: nothing but the load's creation makes vouchers. A load that was left without it is deleted before another is sent,
so that nobody creates from it later.
Must not know: what stands already, files.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_connector.errors import AuthError, ConflictError, NotFoundError, RefusedError, RemoteError, UnconfirmedError
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.vouchers import changesets
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.loads import CHECKED, CREATED, Loads
from ml_connector.systems.ifs.vouchers.parcels import Delivery, Denied, Landed, Lost, Parcel, Unsent

TOGETHER_MAX = 2  # times that a load is sent again without those that were refused; then each goes alone

Raw = dict[str, Any]
Deliveries = dict[str, Delivery]
WhereIs = Callable[[Sequence[Parcel]], Mapping[str, Mapping[str, str]]]


class ExternalCarrier:
    """Makes vouchers by way of loads; `where_is` gives the target ids, by reference, of what is there of parcels."""

    def __init__(self, client: IfsClient, landing: Landing, flow: str, where_is: WhereIs) -> None:
        self._loads = Loads(client, landing, flow)
        self._where_is = where_is
        self._sure = False

    def prepare(self) -> bool:
        """Delete loads of ours that were not created; whether vouchers may have come of one that went unanswered.

        Raises: RemoteError.
        """
        if self._sure:
            return False
        for load in self._loads.left():
            self._loads.drop(load)
        self._sure = True
        return True

    def deliver(self, parcels: Sequence[Parcel]) -> Deliveries:
        """Deliver parcels, a load a company; one delivery each, by key."""
        groups: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            groups.setdefault(parcel.company, []).append(parcel)
        found: Deliveries = {}
        for company, group in groups.items():
            found |= self._of_company(company, group)
        return found

    def _of_company(self, company: str, group: Sequence[Parcel]) -> Deliveries:
        """Together as long as that makes headway, then one by one."""
        found: Deliveries = {}
        left = list(group)
        for _ in range(TOGETHER_MAX):
            found |= self._attempt(company, left)
            left = [parcel for parcel in left if parcel.key not in found]
            if not left:
                return found
        return found | self._each(company, left)

    def _each(self, company: str, parcels: Sequence[Parcel]) -> Deliveries:
        found: Deliveries = {}
        for parcel in parcels:
            failed = next((one for one in found.values() if isinstance(one, Lost | Unsent)), None)
            found |= _all([parcel], failed) if failed else self._attempt(company, [parcel], alone=True)
        return found

    def _attempt(self, company: str, parcels: Sequence[Parcel], *, alone: bool = False) -> Deliveries:
        """Send one load; those that are left out of the answer were refused with others and may be sent again."""
        try:
            load = self._loads.open(company)
        except RemoteError as error:
            self._sure = False
            return _failed(parcels, error, alone=True)
        try:
            refused = self._fill(load, parcels)
            load = load if refused else self._loads.checked(load)
            if self._loads.state(load) == CHECKED:
                return self._created(load, parcels)
            refused = refused or self._loads.errors(load, parcels)
        except RemoteError as error:
            return self._put_away(load, parcels) or _failed(parcels, error, alone=alone)
        if alone and not refused:
            refused = {parcels[0].key: "the check failed, and IFS does not say why"}
        return self._put_away(load, parcels) or {key: Denied(text) for key, text in refused.items()}

    def _put_away(self, load: Raw, parcels: Sequence[Parcel]) -> Deliveries:
        """Delete a load of which nothing was created, so that nothing will be; what that means if it can't be done."""
        try:
            if self._loads.drop(load):
                return {}
            reason = "its load was created meanwhile"
        except RemoteError as error:
            reason = f"a load is left that could not be deleted: {error.detail}"
        self._sure = False
        return _all(parcels, Lost(reason))

    def _fill(self, load: Raw, parcels: Sequence[Parcel]) -> dict[str, str]:
        """Send the transactions; what IFS said of parcels of which it refused some. Raises: RemoteError."""
        refused: dict[str, str] = {}
        for key, outcome in self._loads.fill(load, parcels):
            if not isinstance(outcome, list):
                raise outcome
            refusal = changesets.refusal(outcome)
            if refusal is not None and refusal.status >= 500:
                raise UnconfirmedError("ifs", "send transactions", changesets.said(refusal))
            if refusal is not None:
                refused.setdefault(key, changesets.said(refusal))
        return refused

    def _created(self, load: Raw, parcels: Sequence[Parcel]) -> Deliveries:
        """Have vouchers made, and look where they are. Raises: RemoteError when none were."""
        sure, self._sure = self._sure, False
        load = self._loads.act(load, "create")
        if self._loads.state(load) != CREATED:
            return _all(parcels, Lost("the creation of the load was not answered"))
        self._sure = sure
        return self._where(parcels)

    def _where(self, parcels: Sequence[Parcel]) -> Deliveries:
        try:
            there = self._where_is(parcels)
        except RemoteError as error:
            return _all(parcels, Lost(f"created, but not seen yet: {error.detail}"))
        return {parcel.key: _landed(parcel, there.get(parcel.key, {})) for parcel in parcels}


def _failed(parcels: Sequence[Parcel], error: RemoteError, *, alone: bool) -> Deliveries:
    """What an error means for parcels of which certainly nothing was created; `alone`: it is about each of them."""
    if changesets.lost(error):
        return _all(parcels, Lost(error.detail or "no answer"))
    if not isinstance(error, RefusedError) or isinstance(error, AuthError | NotFoundError):
        return _all(parcels, Unsent(error))
    if not alone:
        return {}
    if isinstance(error, ConflictError):
        return _all(parcels, Lost("its load was changed in IFS at the same time"))
    return _all(parcels, Denied(error.detail.removeprefix(f"answered {error.status}: ")))


def _all(parcels: Sequence[Parcel], delivery: Delivery) -> Deliveries:
    return {parcel.key: delivery for parcel in parcels}


def _landed(parcel: Parcel, there: Mapping[str, str]) -> Delivery:
    wanted = [posting.reference.text for posting in parcel.postings]
    if not all(text in there for text in wanted):
        return Lost("the load was created, but the voucher is not seen yet")
    return Landed({text: there[text] for text in wanted})
