"""Mapping: the tables of a connection's profile, its rules in words, and what a draft of it has otherwise.

Rule: what may be a secret is not shown; a table shows so many rows, the rest is in the text.
Must not know: HTML, requests.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from pydantic import Field

from ml_connector import settings
from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.console.views import fields
from ml_connector.console.views.fields import FieldShown
from ml_connector.errors import SettingsError
from ml_connector.flows.posting import words
from ml_connector.store.connections import Connection
from ml_connector.store.versions import State, Version
from ml_connector.wiring import differing, drafts, versions
from ml_connector.wiring import profile as profiles
from ml_connector.wiring.destined import destined
from ml_connector.wiring.drafts import Draft
from ml_connector.wiring.foreseeing import Foreseen, Otherwise
from ml_connector.wiring.profile_tables import TABLES
from ml_connector.wiring.tables import Table

ROWS_MAX = 300
VERSIONS_MAX = 50


class ColumnShown(Shown):
    """A column of a table; `choices` empty: any text."""

    name: str
    title: str
    example: str
    choices: tuple[str, ...]
    needed: bool


class TableShown(Shown):
    """A mapping table; `left`: how many rows are not shown; `ordered`: the first row that fits counts.

    `used`: the columns that any row says something in, or has to; counted from 0.
    """

    name: str
    title: str
    about: str
    ordered: bool
    posting: bool
    columns: list[ColumnShown]
    rows: list[list[str]]
    used: list[int]
    left: int


class DifferenceShown(Shown):
    """One place that differs; "": nothing is there."""

    table: str
    name: str
    before: str
    after: str


class VersionShown(Shown):
    """A version of the settings: who made it, why, who agreed, since when it counts."""

    number: int
    state: State
    note: str
    author: str
    made_at: datetime
    effective_at: datetime | None
    base: int = Field(description="The version that it was made upon.")
    approved_by: str
    approved_at: datetime | None
    in_force_at: datetime | None
    ended_by: str
    ended_at: datetime | None


class VersionPage(Shown):
    """A version and what it changes; `overtaken`: another one came in force since it was made."""

    connection: str
    version: VersionShown
    differences: list[DifferenceShown]
    overtaken: bool
    in_force: int
    secrets: list[str] = Field(description="While it waits: which secret would go to which address.")


class VersionsShown(Shown):
    """The versions of a connection, the latest first; `next`: the number to go on before."""

    connection: str
    versions: list[VersionShown]
    next: int | None


class MappingShown(Shown):
    """The settings of a connection but for its secrets; `version` 0: none was made yet."""

    connection: str
    version: int
    in_force: VersionShown | None
    waiting: list[VersionShown]
    two_persons: bool
    posting: bool
    tables: list[TableShown]
    rules: list[str] = Field(description="The posting rules in words, in the order in which they are tried.")
    profile: dict[str, Any]


class DraftShown(Shown):
    """A draft, upon which version; `problem`: why it can't be saved."""

    base: int
    text: str
    touched: bool
    said: str
    problem: str
    tables: list[TableShown]
    posting: bool
    differences: list[DifferenceShown]


class OtherwiseShown(Shown):
    """A record that other settings would decide otherwise."""

    flow: str
    key: str
    now: str
    then: str
    why_now: str
    why_then: str
    fields: list[FieldShown]


class ForeseenFlow(Shown):
    """Of a flow, how many records were looked at and how many would be decided otherwise."""

    flow: str
    looked_at: int
    changed: int


class ForeseenShown(Shown):
    """What other settings would change on real records."""

    flows: list[ForeseenFlow]
    changed: int
    first: list[OtherwiseShown]
    started: list[str]
    stopped: list[str]


def mapping(here: Site, connection: Connection) -> MappingShown:
    """The settings in force."""
    kept = versions.of(here.opened, connection.name)
    current, waiting = kept.in_force(), kept.waiting()
    present = versions.present(here.opened, connection.name)
    data = drafts.shown(present.profile)
    return MappingShown(
        connection=connection.name,
        version=current.number if current else 0,
        in_force=VersionShown.model_validate(current) if current else None,
        waiting=[VersionShown.model_validate(one) for one in waiting],
        two_persons=present.profile.two_persons,
        posting=bool(present.profile.posting),
        tables=[_table(one, data) for one in TABLES],
        rules=_rules(present),
        profile=data,
    )


def draft(one: Draft) -> DraftShown:
    """A draft as it is shown."""
    return DraftShown(
        base=one.base,
        text=one.text,
        touched=one.touched,
        said=one.said,
        problem=one.problem,
        tables=[_table(each, one.data) for each in TABLES],
        posting="posting" in one.data,
        differences=_told(differing.told({"profile": drafts.shown(one.present.profile)}, {"profile": one.data})),
    )


def listed(here: Site, connection: Connection, before: int | None, limit: int = VERSIONS_MAX) -> VersionsShown:
    """The versions, the latest first."""
    found = versions.of(here.opened, connection.name).listed(before, limit + 1)
    following = found[limit - 1].number if len(found) > limit else None
    shown = [VersionShown.model_validate(one) for one in found[:limit]]
    return VersionsShown(connection=connection.name, versions=shown, next=following)


def version(here: Site, connection: Connection, number: int) -> VersionPage:
    """One version with what it changes. Raises: SettingsError."""
    kept = versions.of(here.opened, connection.name)
    one, current = kept.get(number), kept.in_force()
    return VersionPage(
        connection=connection.name,
        version=VersionShown.model_validate(one),
        differences=_told(versions.differences(here.opened, connection.name, number)),
        overtaken=_overtaken(one, current),
        in_force=current.number if current else 0,
        secrets=destined(here.opened, connection.name, one),
    )


def foreseen(found: Foreseen) -> ForeseenShown:
    """What was foreseen, as it is shown."""
    flows = [ForeseenFlow(flow=flow, looked_at=found.looked_at[flow], changed=n) for flow, n in found.changed.items()]
    return ForeseenShown(
        flows=flows,
        changed=sum(one.changed for one in flows),
        first=[_otherwise(one) for one in found.first],
        started=found.started,
        stopped=found.stopped,
    )


def _otherwise(one: Otherwise) -> OtherwiseShown:
    before, after = (msgspec.json.decode(msgspec.json.encode(each)) for each in (one.before, one.after))
    compared = fields.compared(before, after) if after is not None else []
    return OtherwiseShown(
        flow=one.flow,
        key=one.key,
        now=one.now,
        then=one.then,
        why_now=one.held_now.sentence if one.held_now else "",
        why_then=one.held_then.sentence if one.held_then else "",
        fields=[field for field in compared if field.changed],
    )


def _overtaken(one: Version, current: Version | None) -> bool:
    return one.state in (State.PROPOSED, State.APPROVED) and current is not None and current.number != one.base


def _told(found: Sequence[differing.Difference]) -> list[DifferenceShown]:
    return [DifferenceShown.model_validate(one) for one in found]


def _table(one: Table, data: dict[str, Any]) -> TableShown:
    entries = _entries(one, data)
    names = [column.name for column in one.columns]
    rows = [[cells.get(name, "") for name in names] for cells in map(one.fields, entries[:ROWS_MAX])]
    return TableShown(
        name=one.name,
        title=one.title,
        about=one.about,
        ordered=one.ordered,
        posting=one.posting,
        columns=[ColumnShown.model_validate(column) for column in one.columns],
        rows=rows,
        used=[at for at, column in enumerate(one.columns) if column.needed or any(row[at] for row in rows)],
        left=max(0, len(entries) - ROWS_MAX),
    )


def _entries(one: Table, data: dict[str, Any]) -> list[Any]:
    """The rows of a table; none where a draft has something else in its place."""
    try:
        found = one.of(data)
        for entry in found[:ROWS_MAX]:
            one.fields(entry)
    except (AttributeError, TypeError, LookupError, ValueError):
        return []
    return found


def _rules(present: settings.Connection) -> list[str]:
    try:
        book = profiles.read(present).rules
    except SettingsError:
        return []
    return words.in_words(book) if book else []
