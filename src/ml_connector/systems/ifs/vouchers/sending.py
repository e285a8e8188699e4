"""Brings documents to where they should stand, with one result for each.

Rule: raises only when it is certain that nothing was delivered. What stands is read before anything is corrected, and
before anything is sent after a delivery that went unanswered; only what is missing is sent.
Must not know: how vouchers are delivered.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from ml_connector.errors import RemoteError, StoreError
from ml_connector.records.voucher import Voucher
from ml_connector.sync import causes
from ml_connector.sync.ports import Done, Handed, Refused, Result, Unknown, Write
from ml_connector.systems.ifs.vouchers import amend, compose, refusals
from ml_connector.systems.ifs.vouchers.amend import Amender, Amendment, Moved
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.parcels import Carrier, Delivery, Denied, Filed, Landed, Lost, Parcel, Unsent
from ml_connector.systems.ifs.vouchers.standing import Amend, Reverse, Standing, Step, standing

Stage = Parcel | Amendment
OpenOn = Callable[[str, date], bool]  # company and day: whether one may post there


class Task(msgspec.Struct):
    """One write on its way: what is still to be delivered, in order, and the voucher that stands for it at the end."""

    write: Write
    stages: list[Stage]
    target_id: str = ""
    wanted_reference: str = ""


class Sender:
    """Sends the writes of one flow.

    `open_on`: a voucher is reversed on its own day as long as that is open, so that its period comes to nothing.
    """

    def __init__(
        self,
        landing: Landing,
        look: Callable[[Sequence[str]], Mapping[str, Standing]],
        carrier: Carrier,
        amender: Amender | None,
        pending: Callable[[Sequence[str]], Mapping[str, str]],
        open_on: OpenOn,
    ) -> None:
        self._open_on = open_on
        self._landing = landing
        self._look = look
        self._carrier = carrier
        self._amender = amender
        self._pending = pending
        self._unsure = False  # a delivery went unanswered, and nobody looked since

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """One result each. Raises: RemoteError, StoreError when nothing was delivered."""
        self._unsure = self._carrier.prepare() or self._unsure
        pending = self._pending([write.key for write in writes])
        looked = self._look([write.key for write in writes if write.target_id or self._unsure])
        self._unsure = False
        run = _Run(self._landing, self._carrier, self._amender, self._open_on)
        run.begin(writes, looked, pending)
        moved = run.deliver()
        if moved:
            self._once_more(run, moved)
        return run.results(writes)

    def _once_more(self, run: "_Run", moved: Sequence[Write]) -> None:
        try:
            looked = self._look([write.key for write in moved])
        except RemoteError as error:
            run.leave(moved, error.detail)
            return
        run.begin(moved, looked, {})
        run.leave(run.deliver(), "it was changed in IFS at the same time, twice")


class _Run:
    """The writes of one `send`."""

    def __init__(self, landing: Landing, carrier: Carrier, amender: Amender | None, open_on: OpenOn) -> None:
        self._landing = landing
        self._open_on = open_on
        self._carrier = carrier
        self._amender = amender
        self._settled: dict[str, Result] = {}
        self._unsent: dict[str, RemoteError] = {}
        self._tasks: dict[str, Task] = {}
        self._delivered = False

    def begin(self, writes: Sequence[Write], looked: Mapping[str, Standing], pending: Mapping[str, str]) -> None:
        """Decide what is to be delivered."""
        for write in writes:
            there = looked.get(write.key) or standing(write.key, ())
            found = self._begun(write, there, pending.get(write.key, ""))
            if isinstance(found, Task):
                self._tasks[write.key] = found
            else:
                self._settled[write.key] = found

    def deliver(self) -> list[Write]:
        """Deliver all that was begun; the writes whose vouchers moved meanwhile."""
        moved: list[Write] = []
        while self._tasks:
            stages = [task.stages[0] for task in self._tasks.values()]
            for key, delivery in self._carried(stages).items():
                task = self._tasks.pop(key)
                if isinstance(delivery, Moved):
                    moved.append(task.write)
                else:
                    self._advance(task, delivery)
        return moved

    def leave(self, writes: Sequence[Write], reason: str) -> None:
        """These are left for a look-up."""
        self._settled |= {write.key: Unknown(write.key, reason) for write in writes}

    def results(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """One each. Raises: RemoteError when nothing was delivered."""
        if self._unsent and not self._delivered:
            raise next(iter(self._unsent.values()))
        unsent = {key: Unknown(key, f"not sent: {error.detail}") for key, error in self._unsent.items()}
        found: dict[str, Result] = {**self._settled, **unsent}
        return tuple(found[write.key] for write in writes)

    def _begun(self, write: Write, there: Standing, file: str) -> Task | Result:
        wanted, on = compose.trim(write.after, self._landing), write.effective_on or write.after.dated_on
        if there.doubles:
            return Refused(write.key, causes.doubled(write.key, there.found()))
        if file:
            return Handed(write.key, refusals.handed(write.key, wanted, file, self._landing.load_type))
        if not write.target_id and there.last:
            return Unknown(write.key, f"it is there already as {there.last.target_id}")
        if write.target_id and not there.last:
            return Refused(write.key, refusals.gone(write.key, wanted, write.target_id))
        return self._task(write, there, wanted, on)

    def _task(self, write: Write, there: Standing, wanted: Voucher, on: date) -> Task | Result:
        steps = there.steps(wanted, on, in_place=self._amender is not None)
        if any(not amend.fits(_amendment(step, wanted, on)) for step in steps if isinstance(step, Amend)):
            steps = there.steps(wanted, on, in_place=False)
        if not steps:
            return Done(write.key, there.id_of(wanted))
        postings = [self._posting(step, wanted, on) for step in steps if not isinstance(step, Amend)]
        amendments = [_amendment(step, wanted, on) for step in steps if isinstance(step, Amend)]
        for posting in (*postings, *(one.posting for one in amendments)):
            if flaw := refusals.flaw(posting, self._landing):
                return Refused(write.key, flaw)
        reference = next((one.reference.text for one in postings if not one.reference.reversal), "")
        return Task(write, [*_parcels(write.key, postings), *amendments], there.id_of(wanted), reference)

    def _posting(self, step: Step, wanted: Voucher, on: date) -> Posting:
        if isinstance(step, Reverse):
            posted = step.posted
            day = posted.on if self._open_on(posted.voucher.company, posted.on) else on
            return Posting(step.reference, compose.reversed_(posted.voucher, self._landing), day)
        assert not isinstance(step, Amend)  # noqa: S101 - told apart by the caller
        return Posting(step.reference, wanted, on)

    def _carried(self, stages: Sequence[Stage]) -> dict[str, Delivery | Moved]:
        parcels = [stage for stage in stages if isinstance(stage, Parcel)]
        amendments = [stage for stage in stages if isinstance(stage, Amendment)]
        found: dict[str, Delivery | Moved] = dict(self._carry(parcels)) if parcels else {}
        if amendments and self._amender:
            found |= self._amender.deliver(amendments)
        return found

    def _carry(self, parcels: Sequence[Parcel]) -> Mapping[str, Delivery]:
        try:
            return self._carrier.deliver(parcels)
        except StoreError as error:
            if not self._delivered:
                raise
            return {parcel.key: Lost(str(error)) for parcel in parcels}

    def _advance(self, task: Task, delivery: Delivery) -> None:
        key = task.write.key
        if isinstance(delivery, Unsent):
            self._unsent[key] = delivery.error
            return
        self._delivered = True
        if isinstance(delivery, Landed):
            task.target_id = delivery.target_ids.get(task.wanted_reference, task.target_id)
        if isinstance(delivery, Landed | Filed):
            task.stages.pop(0)
            if task.stages:
                self._tasks[key] = task
                return
        self._settled[key] = self._result(task, delivery)

    def _result(self, task: Task, delivery: Landed | Denied | Lost | Filed) -> Result:
        key, wanted = task.write.key, task.write.after
        if isinstance(delivery, Landed):
            return Done(key, task.target_id)
        if isinstance(delivery, Lost):
            return Unknown(key, delivery.reason)
        if isinstance(delivery, Denied):
            return Refused(key, refusals.refused(key, wanted, delivery.text))
        return Handed(key, refusals.handed(key, wanted, delivery.file, self._landing.load_type))


def _amendment(step: Amend, wanted: Voucher, on: date) -> Amendment:
    return Amendment(step.posted, Posting(step.posted.reference, wanted, on))


def _parcels(key: str, postings: Sequence[Posting]) -> list[Parcel]:
    """The vouchers of a document, together as far as they are of one company, in order."""
    groups: dict[str, list[Posting]] = {}
    for posting in postings:
        groups.setdefault(posting.voucher.company, []).append(posting)
    return [Parcel(key, tuple(group)) for group in groups.values()]
