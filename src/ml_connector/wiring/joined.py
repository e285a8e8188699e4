"""One connection with both its systems at hand: check, plan, run, compare.

Rule: it builds and hands over; it decides nothing about records.
Must not know: how anything is shown.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from structlog.contextvars import bound_contextvars

from ml_connector import run as pipeline
from ml_connector import settings
from ml_connector.errors import ConnectorError, RefusedError, SettingsError
from ml_connector.records import codec
from ml_connector.records.ledger import Books
from ml_connector.settings import Connection, Gate
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.inbox import Inbox
from ml_connector.store.limits import Reservations
from ml_connector.store.runs import Runs
from ml_connector.store.tokens import TokenShelf
from ml_connector.sync.flow import AnyFlow, Tables
from ml_connector.sync.orders import WHOLE, Extent
from ml_connector.sync.plan import Decision, Tally
from ml_connector.sync.ports import Sight
from ml_connector.sync.report import Report
from ml_connector.systems import doors
from ml_connector.systems.airbase import check as airbase_check
from ml_connector.systems.airbase.auth import StaticToken
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.refusals import Refusals
from ml_connector.systems.doors import Door
from ml_connector.systems.http import Anonymous, Wire
from ml_connector.systems.ifs import auth as ifs_auth
from ml_connector.systems.ifs import check as ifs_check
from ml_connector.systems.ifs.auth import ClientCredentials
from ml_connector.systems.ifs.books import read_books
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.suppliers import likely
from ml_connector.systems.limits import Limiter
from ml_connector.systems.step import Said, Step, timed
from ml_connector.systems.taping import Tape, Taped
from ml_connector.systems.tracing import span
from ml_connector.wiring import choice, parts, profile
from ml_connector.wiring.ends import Ends
from ml_connector.wiring.opened import Opened, approvals, behind

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
        self.opened = opened
        self.stored = opened.connections.get(name)
        self.settings = instead or settings.connection(self.stored.settings)
        self.read = profile.read(self.settings)
        self.person = person or settings.person()
        self._now = now
        secret = opened.connections.secret(name, "ifs")
        self._tape, known = Tape(), (opened, self.stored.id, self.settings, self.read)
        self.ifs, self._ifs_wires = _ifs(*known, secret, self._tape)
        self.airbase = _airbase(*known, opened.connections.secret(name, "airbase"), self._tape)
        self._zone = settings.zone(self.settings.profile.calendar_zone)
        database, own = opened.database, self.settings
        self.ends = Ends(database, self.stored.id, self.ifs, self.airbase, own, self.read, self._zone, self.books)
        self._books: Books | None = None

    def close(self) -> None:
        """Let go of the network connections."""
        self.ifs.close()
        self.airbase.wire.close()

    @property
    def flows(self) -> set[str]:
        """The flows that this connection runs."""
        return self.had - set(self.settings.off)

    @property
    def had(self) -> set[str]:
        """The flows that its profile turns on, also those that are switched off by hand; they can be planned."""
        return choice.on(self.settings.profile, self.read.rules.documents if self.read.rules else ())

    @property
    def today(self) -> date:
        """The day in this connection's zone."""
        return datetime.fromtimestamp(self._now(), self._zone).date()

    def books(self) -> Books:
        """The ledger's reference data, read once. Raises: RemoteError."""
        if self._books is None:
            self._books = read_books(self.ifs)
        return self._books

    def check(self) -> Iterator[Step]:
        """Ping both systems, step by step; nothing is written."""
        subsidiaries = self.settings.profile.mapping.subsidiaries
        own = self.settings
        in_ifs = ifs_check.steps(
            self.ifs,
            parts.of_ifs(self.had, self.read.landing),
            connection=self.stored.name,
            more=parts.further(self.had),
        )
        in_airbase = airbase_check.steps(self.airbase, subsidiaries, parts.of_airbase(self.had))
        for system, side, named in (("IFS", own.ifs, in_ifs), ("Airbase", own.airbase, in_airbase)):
            for step in _until_closed(doors.steps(Door(side.url, side.ca_file, side.public_only)), named):
                seconds = round(step.seconds, 4)
                yield msgspec.structs.replace(step, name=f"{system} {step.name}", seconds=seconds)
        if self.read.landing and self.read.landing.kind == "file":
            yield timed("voucher folder", self._folder, str)
        yield self._mapped_companies()

    def _folder(self) -> Said:
        folder = Path(self.read.landing.folder if self.read.landing else "")
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Said(True, f"{folder} can be written to")
        return Said(False, f"{folder} is no folder that can be written to", "Make it, or mount it, and check again.")

    def _mapped_companies(self) -> Step:
        companies, mapped = set(self.settings.ifs.companies), self.settings.profile.mapping.subsidiaries
        missing = ", ".join(sorted(companies - mapped.keys()))
        unused = ", ".join(sorted(mapped.keys() - companies))
        said = f"; {unused} is mapped, but not connected" if unused else ""
        if missing:
            first = missing.split(", ")[0]
            command = f"ml-connector connect {self.stored.name} --subsidiary {first}=<Airbase reference>"
            remedy = f"Say which subsidiary it is, in the console or by: {command}"
            return Step("mapping of companies", False, 0, f"without a subsidiary: {missing}{said}", remedy)
        return Step("mapping of companies", True, 0, f"each company has its subsidiary{said}")

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
        through, failed = self._approved(approved, behind(self.opened, {self.person, ordered_by})), set[str]()
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
                approvals(self.opened, self.stored.name).use(report.plan_id)
            yield report, error

    def chosen(self, names: Sequence[str]) -> list[AnyFlow]:
        """The named flows, or all that are on, in the order that they need. Raises: SettingsError."""
        return choice.chosen(names, self.flows, self.settings.off)

    def approve(self, plan_id: str) -> None:
        """Let a plan through, as this person. Raises: SettingsError, StoreError."""
        if plan_id not in self._stopped():
            raise SettingsError(f"{self.stored.name} has no plan {plan_id!r}; `plan` and a stopped run name it")
        approvals(self.opened, self.stored.name).give(plan_id, self.person)

    def _stopped(self) -> set[str]:
        """The plans that lately were made or stopped."""
        recent = Runs(self.opened.database, self.opened.vault, self.stored.id).recent(RUNS_BACK)
        return {str((run.report or {}).get("plan_id", "")) for run in recent} - {"", NO_CHANGE}

    def _approved(self, given: Sequence[str], own: Collection[str]) -> tuple[str, ...]:
        """The plans that may pass their gate in a run of these."""
        alone = not self.settings.profile.two_persons
        if given and not alone:
            raise SettingsError(
                f"here nobody approves what they run themselves; somebody other than {self.person} says: "
                f"ml-connector approve {self.stored.name} {given[0]}"
            )
        for plan_id in set(given) & self._stopped():
            self.approve(plan_id)
        known = approvals(self.opened, self.stored.name).given()
        return tuple(one.plan_id for one in known if alone or one.person not in own)

    def _run(self, flow: AnyFlow, report: Report, *, watch: Watch, **how: Any) -> ConnectorError | None:
        started, before, throttled = time.monotonic(), self.requests(), self._throttled()

        def spend() -> None:
            report.seconds = time.monotonic() - started
            report.requests = {system: count - before[system] for system, count in self.requests().items()}
            report.throttled = {system: n - throttled[system] for system, n in self._throttled().items()}

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

    def requests(self) -> dict[str, int]:
        """How many were made so far, by system."""
        return {"ifs": sum(wire.requests for wire in self._ifs_wires), "airbase": self.airbase.wire.requests}

    def _throttled(self) -> dict[str, int]:
        return {"ifs": sum(wire.throttled for wire in self._ifs_wires), "airbase": self.airbase.wire.throttled}

    def _job(self, flow: AnyFlow, watch: Watch) -> pipeline.Job:
        own = self.settings.profile
        source, target = self.ends.of(flow)
        return pipeline.Job(
            flow=self._limited(flow, own.gate.get(flow.name)),
            source=source,
            target=Taped(target, self._tape),
            store=self.store(flow),
            tables=self._tables(flow),
            today=self.today,
            basis=self._basis(),
            books=self.books,
            quiet_s=own.quiet_s,
            watch=lambda stage, done: watch(flow.name, stage, done),
        )

    def _basis(self) -> str:
        """What mapping may depend on; not who is told of trouble, which flows are off, where records are shown."""
        profile = msgspec.structs.replace(self.settings.profile, alerts=settings.Alerts(), web=settings.Web())
        told = msgspec.to_builtins(msgspec.structs.replace(self.settings, profile=profile, off=()))
        return codec.digest([version("ml-connector"), told])

    def store(self, flow: AnyFlow) -> FlowStore:
        """The store as a flow sees it."""
        kinds = (flow.source_kind, flow.target_kind)
        return FlowStore(self.opened.database, self.opened.vault, self.stored.id, flow.name, *kinds)

    def _tables(self, flow: AnyFlow) -> Tables:
        """The mapping tables; where payment terms go both ways, they are not the supplier's to set."""
        tables = self.read.tables(self.settings)
        if flow.name == "suppliers" and "payment_terms" in self.had:
            return msgspec.structs.replace(tables, payment_terms={})
        if flow.name == "vendors" and tables.new_vendors == "hold":
            return msgspec.structs.replace(tables, likely=self._likely(flow))
        return tables

    def _likely(self, flow: AnyFlow) -> dict[str, str]:
        """Of vendors made in Airbase, which suppliers they may be; suppliers are read only when there is one."""
        pages = self.ends.source(flow.source).read_all()
        new = [sight.record for page in pages for sight in page.sights if sight.record is not None]
        try:
            found = likely(self.ifs, new)
        except RefusedError:  # a hint is worth no failure
            return {}
        return {key: ", ".join(f"supplier {one} ({why})" for one, why in ones) for key, ones in found.items() if ones}

    def _limited(self, flow: AnyFlow, gate: Gate | None) -> AnyFlow:
        given: dict[str, Any] = {k: v for k, v in msgspec.structs.asdict(gate or Gate()).items() if v is not None}
        if rules := self.read.rules:
            given |= {"late_waits": rules.late_needs_approval, "doubles": rules.duplicates}
        return msgspec.structs.replace(flow, policy=msgspec.structs.replace(flow.policy, **given))


def _until_closed(way: Iterator[Step], rest: Iterator[Step]) -> Iterator[Step]:
    """The steps to a system's door, and if it is open, the rest."""
    opened = True
    for step in way:
        opened = step.ok
        yield step
    if opened:
        yield from rest


def _of(extent: Extents, flow: AnyFlow) -> Extent:
    return extent if isinstance(extent, Extent) else extent[flow.name]


RUNS_BACK = 200
NO_CHANGE = Tally().plan_id


def joined(opened: Opened, name: str) -> "closing[Joined]":
    """A connection with both systems at hand, to be used in a `with`.

    Raises: SettingsError for an unknown name.
    """
    return closing(Joined(opened, name))


def _ifs(
    opened: Opened, connection_id: int, connection: Connection, read: profile.Read, secret: str, tape: Tape
) -> tuple[IfsClient, tuple[Wire, Wire]]:
    own = connection.ifs
    limiter = Limiter(Reservations(opened.database), f"ifs/{connection_id}", own.requests_max)
    limits: dict[str, Any] = {"total_s": connection.profile.timeout_s, "verify": own.ca_file or True}
    limits["public_only"] = own.public_only
    door = Wire("IFS", own.url, Anonymous(), limiter, explain=ifs_auth.explain, **limits)
    shelf = TokenShelf(opened.database, opened.vault, connection_id)
    login = ClientCredentials(door, own.realm, own.client_id, secret, shelf)
    wire = Wire("IFS", own.url, login, limiter, explain=answers.explain, tape=tape, **limits)
    return IfsClient(wire, read.ifs, own.companies, login), (wire, door)


def _airbase(
    opened: Opened, connection_id: int, connection: Connection, read: profile.Read, secret: str, tape: Tape
) -> AirbaseClient:
    own = connection.airbase
    limiter = Limiter(Reservations(opened.database), f"airbase/{connection_id}", own.requests_max)
    limits: dict[str, Any] = {"total_s": connection.profile.timeout_s, "verify": own.ca_file or True}
    limits["public_only"] = own.public_only
    refusals = Refusals()
    token = StaticToken(own.auth, secret)
    wire = Wire("Airbase", own.url, token, limiter, explain=refusals.explain, tape=tape, **limits)
    return AirbaseClient(wire, read.airbase, refusals, limiter)
