"""The only place where concrete parts meet.

Rule: it builds and hands over; it decides nothing about records.
Must not know: how anything is shown.
"""

import base64
import binascii
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

import msgspec

from ml_connector import flows, settings
from ml_connector import run as pipeline
from ml_connector.errors import ConnectorError, SettingsError, StoreError
from ml_connector.records import codec
from ml_connector.settings import Connection, Gate, Installation
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.limits import Reservations
from ml_connector.store.tokens import TokenShelf
from ml_connector.store.vault import Vault
from ml_connector.sync import flow as flow_order
from ml_connector.sync.flow import AnyFlow, Tables
from ml_connector.sync.policy import Policy
from ml_connector.sync.report import Report
from ml_connector.systems.airbase import check as airbase_check
from ml_connector.systems.airbase import profile as airbase_profile
from ml_connector.systems.airbase.auth import StaticToken
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.refusals import Refusals
from ml_connector.systems.airbase.target import AirbaseTarget
from ml_connector.systems.http import Anonymous, Wire
from ml_connector.systems.ifs import auth as ifs_auth
from ml_connector.systems.ifs import check as ifs_check
from ml_connector.systems.ifs import profile as ifs_profile
from ml_connector.systems.ifs.auth import ClientCredentials
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.source import IfsSource
from ml_connector.systems.limits import Limiter
from ml_connector.systems.step import Step

Watch = Callable[[str, str, int], None]  # flow, stage, how many


def unwatched(flow: str, stage: str, done: int) -> None:
    """Nobody watches."""


class Secrets(msgspec.Struct, frozen=True):
    """The secrets of a connection; its text form shows none of them."""

    ifs: str
    airbase: str

    def __repr__(self) -> str:
        return "Secrets(…)"


@dataclass(frozen=True)
class Opened:
    """An open store."""

    database: Database
    vault: Vault
    connections: Connections

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_store(installation: Installation, *, create: bool = True) -> Opened:
    """Open the store; `create`: with its key, where they are missing.

    Raises: SettingsError, StoreError.
    """
    file = settings.store_file(installation.store)
    if file and not create and not file.exists():
        raise SettingsError(f"there is no store at {file}; `connect` makes one, or name another with --store")
    database = Database.open(installation.store)
    try:
        vault = Vault.open(database, _key(installation), settings.key_file(installation))
    except StoreError:
        database.close()
        raise
    return Opened(database, vault, Connections(database, vault))


def connect(opened: Opened, name: str, connection: Connection, secrets: Secrets, *, same_tenants: bool = False) -> None:
    """Keep a connection, replacing one of the same name.

    `same_tenants`: a changed address leads to the systems that it led to before. Raises: SettingsError when a name in
    the profile is wrong, or when records are linked that the connection would no longer lead to; StoreError.
    """
    if name.startswith("-"):
        raise SettingsError(f"a connection can't be called {name!r}: it would be taken for an option")
    stored = msgspec.to_builtins(connection)
    _profiles(settings.connection(stored))
    if opened.connections.in_use(name):
        before = settings.connection(opened.connections.get(name).settings)
        settings.check_move(name, before, connection, same_tenants=same_tenants)
    given = {"ifs": secrets.ifs, "airbase": secrets.airbase}
    opened.connections.save(name, stored, {field: value for field, value in given.items() if value})


def kept(opened: Opened, name: str) -> Connection | None:
    """The connection of this name as it is, if there is one.

    Raises: StoreError.
    """
    there = name in opened.connections.names()
    return settings.connection(opened.connections.get(name).settings) if there else None


class Joined:
    """One connection with both its systems at hand; close it after use."""

    def __init__(self, opened: Opened, name: str, now: Callable[[], float] = time.time) -> None:
        self.opened = opened
        self.stored = opened.connections.get(name)
        self.settings = settings.connection(self.stored.settings)
        self._now = now
        secret = opened.connections.secret(name, "ifs")
        self.ifs, self._ifs_wires = _ifs(opened, self.stored.id, self.settings, secret)
        self.airbase = _airbase(opened, self.stored.id, self.settings, opened.connections.secret(name, "airbase"))

    def close(self) -> None:
        """Let go of the network connections."""
        for wire in (*self._ifs_wires, self.airbase.wire):
            wire.close()

    def check(self) -> Iterator[Step]:
        """Ping both systems, step by step; nothing is written."""
        steps = airbase_check.steps(self.airbase, self.settings.profile.mapping.subsidiaries)
        for system, named in (("IFS", ifs_check.steps(self.ifs)), ("Airbase", steps)):
            for step in named:
                seconds = round(step.seconds, 4)
                yield msgspec.structs.replace(step, name=f"{system} {step.name}", seconds=seconds)
        yield self._mapped_companies()

    def _mapped_companies(self) -> Step:
        companies, mapped = set(self.settings.ifs.companies), self.settings.profile.mapping.subsidiaries
        missing = ", ".join(sorted(companies - mapped.keys()))
        unused = ", ".join(sorted(mapped.keys() - companies))
        said = f"; {unused} is mapped, but not connected" if unused else ""
        if missing:
            remedy = (
                f"ml-connector connect {self.stored.name} --subsidiary {missing.split(', ')[0]}=<Airbase reference>"
            )
            return Step("mapping of companies", False, 0, f"without a subsidiary: {missing}{said}", remedy)
        return Step("mapping of companies", True, 0, f"each company has its subsidiary{said}")

    def plan(self, names: Sequence[str], *, census: bool = False, watch: Watch = unwatched) -> list[Report]:
        """What a run of these flows would do.

        Raises: SettingsError, ConnectorError.
        """
        return pipeline.plan([replace(self._job(flow, watch), census=census) for flow in chosen(names)])

    def run(
        self,
        names: Sequence[str],
        *,
        census: bool = False,
        approved: tuple[str, ...] = (),
        watch: Watch = unwatched,
    ) -> Iterator[tuple[Report, ConnectorError | None]]:
        """Run flows in order; each report comes with the error that ended it, if one did.

        A flow whose need failed is skipped. Raises: SettingsError.
        """
        failed: set[str] = set()
        for flow in chosen(names):
            report = Report(flow.name)
            error = None
            if missing := [need for need in flow.needs if need in failed]:
                report.state, report.error = "skipped", f"needs {', '.join(missing)}, which failed"
            else:
                error = self._run(replace(self._job(flow, watch), census=census, approved=approved), report)
            if report.state in ("failed", "skipped"):
                failed.add(flow.name)
            yield report, error

    def _run(self, job: pipeline.Job, report: Report) -> ConnectorError | None:
        started, before = time.monotonic(), self._requests()
        try:
            pipeline.run(job, report)
        except ConnectorError as error:
            report.state, report.error = "failed", str(error)
            return error
        finally:
            report.seconds = time.monotonic() - started
            report.requests = {system: count - before[system] for system, count in self._requests().items()}
        return None

    def _requests(self) -> dict[str, int]:
        return {"ifs": sum(wire.requests for wire in self._ifs_wires), "airbase": self.airbase.wire.requests}

    def _job(self, flow: AnyFlow, watch: Watch) -> pipeline.Job:
        profile = self.settings.profile
        return pipeline.Job(
            flow=_limited(flow, profile.gate.get(flow.name)),
            source=IfsSource(self.ifs, flow.source.resource),
            target=AirbaseTarget(self.airbase, flow.target.resource),
            store=FlowStore(
                self.opened.database,
                self.opened.vault,
                self.stored.id,
                flow.name,
                flow.source_kind,
                flow.target_kind,
            ),
            tables=Tables(profile.mapping.subsidiaries, profile.mapping.payment_terms),
            today=datetime.fromtimestamp(self._now(), settings.zone(profile.calendar_zone)).date(),
            basis=codec.digest([version("ml-connector"), msgspec.to_builtins(self.settings)]),
            quiet_s=profile.quiet_s,
            watch=lambda stage, done: watch(flow.name, stage, done),
        )


def joined(opened: Opened, name: str) -> "closing[Joined]":
    """A connection with both systems at hand, to be used in a `with`.

    Raises: SettingsError for an unknown name.
    """
    return closing(Joined(opened, name))


def chosen(names: Sequence[str]) -> list[AnyFlow]:
    """The named flows, or all, in the order that they need.

    Raises: SettingsError.
    """
    for name in names:
        if name not in flows.FLOWS:
            raise SettingsError(f"there is no flow {name!r}; there are: {', '.join(flows.FLOWS)}")
    return flow_order.in_order(flows.FLOWS, list(names))


def journal(opened: Opened, name: str) -> Journal:
    """The journal of a connection."""
    return Journal(opened.database, opened.vault, opened.connections.get(name).id)


def exceptions(opened: Opened, name: str) -> Exceptions:
    """The exceptions of a connection."""
    return Exceptions(opened.database, opened.connections.get(name).id)


def _key(installation: Installation) -> bytes | None:
    if installation.key is None:
        return None
    try:
        key = base64.b64decode(installation.key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError("ML_CONNECTOR_KEY is not 32 bytes in base64; make one: openssl rand -base64 32")
    return key


def _profiles(connection: Connection) -> tuple[ifs_profile.Profile, airbase_profile.Profile]:
    for name in connection.profile.gate:
        chosen([name])
    return ifs_profile.load(connection.profile.ifs), airbase_profile.load(connection.profile.airbase)


def _limited(flow: AnyFlow, gate: Gate | None) -> AnyFlow:
    given: dict[str, Any] = {k: v for k, v in msgspec.structs.asdict(gate or Gate()).items() if v is not None}
    return msgspec.structs.replace(flow, policy=msgspec.structs.replace(flow.policy or Policy(), **given))


def _ifs(
    opened: Opened, connection_id: int, connection: Connection, secret: str
) -> tuple[IfsClient, tuple[Wire, Wire]]:
    own, profile = connection.ifs, connection.profile
    limiter = Limiter(Reservations(opened.database), f"ifs/{connection_id}", own.requests_max)
    limits: dict[str, Any] = {"total_s": profile.timeout_s, "verify": own.ca_file or True}
    door = Wire("IFS", own.url, Anonymous(), limiter, explain=ifs_auth.explain, **limits)
    shelf = TokenShelf(opened.database, opened.vault, connection_id)
    login = ClientCredentials(door, own.realm, own.client_id, secret, shelf)
    wire = Wire("IFS", own.url, login, limiter, explain=answers.explain, **limits)
    return IfsClient(wire, ifs_profile.load(profile.ifs), own.companies, login), (wire, door)


def _airbase(opened: Opened, connection_id: int, connection: Connection, secret: str) -> AirbaseClient:
    own, profile = connection.airbase, connection.profile
    limiter = Limiter(Reservations(opened.database), f"airbase/{connection_id}", own.requests_max)
    limits: dict[str, Any] = {"total_s": profile.timeout_s, "verify": own.ca_file or True}
    refusals = Refusals()
    token = StaticToken(own.auth, secret)
    wire = Wire("Airbase", own.url, token, limiter, explain=refusals.explain, **limits)
    return AirbaseClient(wire, airbase_profile.load(profile.airbase), refusals, limiter)
