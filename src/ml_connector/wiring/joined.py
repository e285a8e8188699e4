"""One connection with both its systems at hand: plan, run, and what else is done with it.

Rule: it builds and hands over; it decides nothing about records.
Must not know: how anything is shown.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from structlog.contextvars import bound_contextvars

from ml_connector import run as pipeline
from ml_connector import settings
from ml_connector.errors import ConnectorError
from ml_connector.records.ledger import Books
from ml_connector.settings import Connection
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.inbox import Inbox
from ml_connector.sync.flow import AnyFlow
from ml_connector.sync.orders import WHOLE, Extent
from ml_connector.sync.plan import Decision
from ml_connector.sync.ports import Sight
from ml_connector.sync.report import Report
from ml_connector.systems.ifs.books import read_books
from ml_connector.systems.tracing import span
from ml_connector.wiring import choice
from ml_connector.wiring.agreeing import behind
from ml_connector.wiring.ends import Ends
from ml_connector.wiring.gates import Gates
from ml_connector.wiring.jobs import Jobs
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.tenants import tenants

Watch = Callable[[str, str, int], None]  # flow, stage, how many
Tell = Callable[[str, Sight, Decision], None]  # flow, record, what is decided
Extents = Extent | Mapping[str, Extent]  # of all flows, or of each
Lens = Callable[[pipeline.Job], pipeline.Job]


def unchanged(job: pipeline.Job) -> pipeline.Job:
    """As it is."""
    return job


def unwatched(flow: str, stage: str, done: int) -> None:
    """Nobody watches."""


def untold(flow: str, sight: Sight, decision: Decision) -> None:
    """Nobody listens."""


class Joined:
    """One connection; close it after use. `person`: on whose behalf it works; `instead`: of the settings in force."""

    def __init__(
        self,
        opened: Opened,
        name: str,
        now: Callable[[], float] = time.time,
        person: str = "",
        instead: Connection | None = None,
    ) -> None:
        self.tenants = own = tenants(opened, name, instead)
        self.opened, self.stored, self.settings, self.read = opened, own.stored, own.settings, own.read
        self.person = person or settings.person()
        self._now, self._zone = now, settings.zone(self.settings.profile.calendar_zone)
        self._books: Books | None = None
        self.ends = Ends(own, self._zone, self.books)
        self._jobs = Jobs(own, self.ends, self.had)
        self._gates = Gates(opened, name, self.person, two=self.settings.profile.two_persons)

    def close(self) -> None:
        """Let go of the network connections."""
        self.tenants.close()

    @property
    def flows(self) -> set[str]:
        """The flows that this connection runs."""
        return self.had - set(self.settings.off)

    @property
    def had(self) -> set[str]:
        """The flows that its profile turns on, also those that are switched off by hand; they can be planned."""
        return choice.on(self.settings, self.read.rules.documents if self.read.rules else ())

    @property
    def today(self) -> date:
        """The day in this connection's zone."""
        return datetime.fromtimestamp(self._now(), self._zone).date()

    def books(self) -> Books:
        """The ledger's reference data, read once. Raises: RemoteError."""
        if self._books is None:
            self._books = read_books(self.tenants.ifs)
        return self._books

    def plan(
        self,
        names: Sequence[str],
        *,
        extent: Extents = WHOLE,
        watch: Watch = unwatched,
        tell: Tell = untold,
        lens: Lens = unchanged,
    ) -> list[Report]:
        """What a run of these flows would do, also of one that is switched off; `tell` is told of each record.

        `lens`: what each flow is looked at through.
        Raises: SettingsError, ConnectorError.
        """
        self._books = None
        chosen = choice.chosen(names, self.had if names else self.flows)
        made = pipeline.plan(
            [
                replace(lens(self._job(flow, watch)), extent=_of(extent, flow), tell=partial(tell, flow.name))
                for flow in chosen
            ]
        )
        for report in made:
            report.second_person = self.settings.profile.two_persons
        return made

    def run(
        self,
        names: Sequence[str],
        *,
        extent: Extents = WHOLE,
        approved: tuple[str, ...] = (),
        watch: Watch = unwatched,
        ordered_by: str = "",
    ) -> Iterator[tuple[Report, ConnectorError | None]]:
        """Run flows in order; each report comes with the error that ended it, if one did.

        A flow whose need failed is skipped. Raises: SettingsError.
        """
        self._books = None
        own, failed = behind(self.opened, {self.person, ordered_by}), set[str]()
        through = self._gates.through(approved, own)
        for flow in self.chosen(names):
            report = Report(flow.name, second_person=self.settings.profile.two_persons)
            error = None
            if missing := [need for need in flow.needs if need in failed]:
                report.state, report.error = "skipped", f"needs {', '.join(missing)}, which failed"
            else:
                error = self._run(flow, report, extent=_of(extent, flow), approved=through, watch=watch)
            if report.state in ("failed", "skipped"):
                failed.add(flow.name)
            elif report.state == "done" and report.plan_id in through:
                self._gates.approvals.use(report.plan_id)
            yield report, error

    def chosen(self, names: Sequence[str]) -> list[AnyFlow]:
        """The named flows, or all that are on, in the order that they need. Raises: SettingsError."""
        return choice.chosen(names, self.flows, self.settings.off)

    def approve(self, plan_id: str) -> None:
        """Let a plan through, as this person. Raises: SettingsError, StoreError."""
        self._gates.approve(plan_id)

    def _run(self, flow: AnyFlow, report: Report, *, watch: Watch, **how: Any) -> ConnectorError | None:
        started, before, waited = time.monotonic(), self.tenants.requests(), self.tenants.throttled()

        def spend() -> None:
            report.seconds = time.monotonic() - started
            report.requests = {system: count - before[system] for system, count in self.tenants.requests().items()}
            report.throttled = {system: n - waited[system] for system, n in self.tenants.throttled().items()}

        try:
            with bound_contextvars(connection=self.stored.name, flow=flow.name), span(f"run {flow.name}"):
                job = replace(self._job(flow, watch), spend=spend, **how)
                pipeline.run(job, report)
                report.unannounced = 0 if job.extent.keys else self._unannounced(flow, report)
        except ConnectorError as error:
            report.state, report.error = "failed", str(error)
            return error
        finally:
            spend()
        return None

    def _unannounced(self, flow: AnyFlow, report: Report) -> int:
        return Inbox(self.opened.database, self.opened.vault).unannounced(self.stored.id, flow.name, report.run_id)

    def _job(self, flow: AnyFlow, watch: Watch) -> pipeline.Job:
        return self._jobs.job(flow, self.today, self.books, partial(watch, flow.name))

    def store(self, flow: AnyFlow) -> FlowStore:
        """The store as a flow sees it."""
        return self._jobs.store(flow)


def _of(extent: Extents, flow: AnyFlow) -> Extent:
    return extent if isinstance(extent, Extent) else extent[flow.name]


def joined(opened: Opened, name: str) -> "closing[Joined]":
    """A connection with both systems at hand, to be used in a `with`.

    Raises: SettingsError for an unknown name.
    """
    return closing(Joined(opened, name))
