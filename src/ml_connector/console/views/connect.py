"""What the connect page and the fit report show.

Rule: of a secret only since when it is kept; a step is ok, failed, or to be looked at.
Must not know: HTML, requests.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec
from pydantic import Field

from ml_connector import flows
from ml_connector.console import entered
from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.settings import Connection
from ml_connector.store.connections import Connection as Stored
from ml_connector.sync import flow as flow_order
from ml_connector.systems.step import Step
from ml_connector.wiring import choice, ticking, versions
from ml_connector.wiring.looking import Kind, Seen

Standing = Literal["running", "done", "failed", "broken off"]


class StepShown(Shown):
    """One check: what was tried, how it stands, how long it took, what came of it, what to do."""

    name: str
    state: Literal["ok", "look", "failed"] = Field(description="look: it works, with something to know of.")
    seconds: float
    result: str
    remedy: str


class ChecksShown(Shown):
    """The latest checks of a connection; `state` null: there were none."""

    connection: str
    state: Standing | None
    at: datetime | None = Field(description="When they were last heard of.")
    person: str
    seconds: float
    error: str
    failed: int
    steps: list[StepShown]


class SuggestionShown(Shown):
    """What a value may stand for, and why."""

    value: str
    name: str
    why: str


class LackShown(Shown):
    """A value that a mapping table lacks."""

    title: str
    table: str
    value: str
    count: int
    suggestions: list[SuggestionShown]


class TroubleShown(Shown):
    """Why else records would be held."""

    flow: str
    title: str
    count: int
    sentence: str
    remedy: str
    owner: str


class FieldShown(Shown):
    """A field of a record."""

    name: str
    value: str


class SampleShown(Shown):
    """A record as it would arrive, or as it is where it comes from when it would be held."""

    flow: str
    key: str
    becomes: str
    fields: list[FieldShown]
    sentence: str
    remedy: str


class FlowFitShown(Shown):
    """A flow in numbers."""

    flow: str
    title: str
    read: int
    maps: int = Field(description="How many would go through, those that are there already included.")
    there: int
    held: int
    writes: dict[str, int]
    objections: list[str] = Field(description="Why a gate would stop it.")
    error: str = Field(description="Why it could not be read.")


class FitShown(Shown):
    """The latest fit report of a connection; `state` null: there is none."""

    connection: str
    state: Standing | None
    at: datetime | None
    person: str
    doing: str = Field(description="What is being read just now.")
    error: str
    seconds: float
    fits: bool | None
    unposted: bool = Field(description="Nothing is posted to the ledger yet.")
    requests: dict[str, int]
    flows: list[FlowFitShown]
    samples: list[SampleShown]
    lacks: list[LackShown]
    troubles: list[TroubleShown]


class LiveShown(Shown):
    """A flow on its way to live: what the fit says of it, and which flows have to be live first."""

    flow: str
    title: str
    on: bool
    first: list[str]
    fit: FlowFitShown | None
    how: str = Field(description="How the profile turns it on; empty: it does.")


class CredentialsShown(Shown):
    """How the two systems are reached; secrets are told by since when they are kept."""

    ifs_url: str
    realm: str
    client_id: str
    companies: str
    secret_since: datetime | None
    airbase_url: str
    auth: str
    token_since: datetime | None
    subsidiaries: str


class ConnectShown(Shown):
    """A connection on its way to live."""

    connection: str
    credentials: CredentialsShown
    two_persons: bool
    waiting: int = Field(description="Changes of its settings that somebody else has to agree to.")
    checks: ChecksShown
    fit: FitShown
    flows: list[LiveShown]


def connect(here: Site, stored: Stored) -> ConnectShown:
    """All of it."""
    own, report = versions.present(here.opened, stored.name), fit(here, stored)
    return ConnectShown(
        connection=stored.name,
        credentials=_credentials(own, here.opened.connections.secrets_since(stored.name)),
        two_persons=own.profile.two_persons,
        waiting=len(versions.waiting(here.opened, stored.name)),
        checks=checks(here, stored),
        fit=report,
        flows=_flows(here, stored.name, report),
    )


def checks(here: Site, stored: Stored) -> ChecksShown:
    """The latest checks."""
    seen = here.looks.latest(stored.id, Kind.CHECK)
    if seen is None:
        return ChecksShown(connection=stored.name, **_NONE, failed=0, steps=[])
    steps = [_step(one) for one in seen.look.steps]
    failed = sum(one.state == "failed" for one in steps)
    return ChecksShown(connection=stored.name, **_standing(seen), failed=failed, steps=steps)


def fit(here: Site, stored: Stored) -> FitShown:
    """The latest fit report."""
    seen = here.looks.latest(stored.id, Kind.FIT)
    found = seen.look.fit if seen else None
    told: dict[str, Any] = msgspec.to_builtins(found) if found else _EMPTY
    told = told | (_standing(seen) if seen else _NONE) | {"doing": seen.look.doing if seen else ""}
    return FitShown.model_validate({"connection": stored.name, "fits": found.fits if found else None, **told})


_NONE: dict[str, Any] = {"state": None, "at": None, "person": "", "seconds": 0.0, "error": ""}
_LISTS = ("flows", "samples", "lacks", "troubles")
_EMPTY: dict[str, Any] = {"unposted": False, "requests": dict[str, int](), **dict.fromkeys(_LISTS, ())}


def _standing(seen: Seen) -> dict[str, Any]:
    look = seen.look
    told = {"state": look.state.value, "seconds": look.seconds, "error": look.error}
    return told | {"at": seen.at, "person": seen.person}


def _step(one: Step) -> StepShown:
    state = "failed" if not one.ok else "look" if one.remedy else "ok"
    return StepShown(name=one.name, state=state, seconds=one.seconds, result=one.result, remedy=one.remedy)


def _credentials(own: Connection, since: dict[str, datetime]) -> CredentialsShown:
    return CredentialsShown(
        ifs_url=own.ifs.url,
        realm=own.ifs.realm,
        client_id=own.ifs.client_id,
        companies=", ".join(own.ifs.companies),
        secret_since=since.get("ifs"),
        airbase_url=own.airbase.url,
        auth=own.airbase.auth,
        token_since=since.get("airbase"),
        subsidiaries=entered.written(own.profile.mapping.subsidiaries),
    )


def _flows(here: Site, name: str, report: FitShown) -> list[LiveShown]:
    """The flows that the profile turns on, in order, then those that a beginner looks for."""
    at = ticking.place(here.opened, name)
    had, numbers = {*at.flows, *at.off}, {one.flow: one for one in report.flows}
    wanted = [*had, *(one for one in flows.DOCUMENTS if one not in had)]
    in_order = [one.name for one in flow_order.in_order(flows.FLOWS, wanted)]
    return [_live(one, had, set(at.flows), numbers.get(one)) for one in in_order]


def _live(flow: str, had: set[str], on: set[str], numbers: FlowFitShown | None) -> LiveShown:
    return LiveShown(
        flow=flow,
        title=flows.FLOWS[flow].title,
        on=flow in on,
        first=[need for need in flows.FLOWS[flow].needs if need in had and need not in on],
        fit=numbers,
        how="" if flow in had else choice.how(flow),
    )
