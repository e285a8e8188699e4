"""Exceptions as people see them: by cause with what is at stake, record by record, and those that are over.

Rule: a cause has a title and a place where it is put right; amounts are text.
Must not know: HTML, requests, what the causes mean.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import NUMBER_MAX, Listing, Page, Shown, Text
from ml_connector.console.site import Site
from ml_connector.console.views import records
from ml_connector.records.money import plain
from ml_connector.store import stakes as sums
from ml_connector.store.connections import Connection
from ml_connector.store.exceptions import Exceptions, Group, OpenException, Resolved, Stage, at, stage_of
from ml_connector.store.noting import Comment
from ml_connector.store.schema import exceptions as table
from ml_connector.wiring import causes, noting
from ml_connector.wiring.causes import At

# Tables that have a place of their own in the mapping.
TABLES = ("subsidiaries", "payment_terms", "dimensions", "accounts", "account", "gate")
WHERE = {
    At.IFS: "in IFS",
    At.AIRBASE: "in Airbase",
    At.EITHER: "in IFS or in Airbase",
    At.ITSELF: "by a run that follows",
    At.REPORT: "by whoever looks after the connector",
}
_Place = tuple[datetime, Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]]


class Stake(Shown):
    """An amount, as text, and its currency."""

    amount: str
    currency: str


class Fix(Shown):
    """Where a cause is put right; `href`: our page, if there is one; `adds`: it opens a row for the value."""

    where: str
    href: str
    adds: bool = False


class CommentShown(Shown):
    """What somebody had to say."""

    person: str
    at: datetime
    text: str


class ExceptionShown(Shown):
    """A record that needs a person: why, what to do, who, since when, how much is at stake."""

    id: int
    flow: str
    key: str
    called: str = Field("", description="What the record is called, as far as known.")
    cause: str
    title: str = Field(description="What the cause is called.")
    stage: Stage
    sentence: str
    remedy: str
    owner: str
    lacks: str = Field(description="The value that a table of the connection lacks, where that is the cause.")
    stake: Stake | None
    opened_at: datetime
    last_at: datetime
    times: int
    assignee: str = Field(description="Who sees to it; empty: nobody yet.")
    snoozed_until: datetime | None
    comment: CommentShown | None = Field(description="The latest.")
    fix: Fix


class ResolvedShown(Shown):
    """A record whose exception is over, as its cause is gone."""

    id: int
    flow: str
    key: str
    called: str = Field(description="What the record is called, as far as known.")
    cause: str
    title: str
    sentence: str
    stake: Stake | None
    assignee: str
    opened_at: datetime
    resolved_at: datetime
    run_id: str = Field(description="The run that found the cause gone; empty: not known.")


class Assigned(Shown):
    """Somebody, and for how many records."""

    name: str
    count: int


class Missing(Shown):
    """A value that is lacking, for how many records; `href`: where a table of the connection takes it."""

    value: str
    count: int
    href: str


class GroupShown(Shown):
    """Records of a flow that wait for one cause; `example` is the sentence of one of them."""

    flow: str
    cause: str
    title: str
    stage: Stage
    count: int
    oldest_at: datetime
    stakes: list[Stake]
    assignees: list[Assigned]
    owner: str
    example: str
    remedy: str
    fix: Fix


class Groups(Shown):
    """Why records wait: by flow and cause, and how many stand where."""

    counts: dict[Stage, int]
    stakes: list[Stake] = Field(description="Of those that are open.")
    groups: list[GroupShown]


class GroupPage(Shown):
    """One cause of one flow: all of it, what tables lack for it, and its records."""

    group: GroupShown | None
    missing: list[Missing]
    page: Page[ExceptionShown]


class ExceptionListing(Listing):
    """Which exceptions."""

    flow: Text = Field("", description="Only of this flow.")
    cause: Text = Field("", description="Only of this cause.")
    stage: Stage | None = Field(None, description="Only those that stand there.")
    assignee: Text = Field("", description="Only those that this person sees to.")


def groups(site: Site, connection: Connection, stage: Stage | None = None) -> Groups:
    """Why records wait; the groups of one stage, or all."""
    kept = Exceptions(site.opened.database, connection.id)
    found = kept.groups(datetime.now(UTC))
    counts = {one: sum(group.count for group in found if group.stage is one) for one in Stage}
    open_ones = [group.stakes for group in found if group.stage is Stage.OPEN]
    chosen = [group for group in found if stage in (None, group.stage)]
    examples = kept.some([group.example for group in chosen])
    shown = [_group(connection.name, group, examples.get(group.example)) for group in chosen]
    return Groups(counts=counts, stakes=_stakes(sums.total(dict(one) for one in open_ones)), groups=shown)


def group(site: Site, connection: Connection, listing: ExceptionListing) -> GroupPage:
    """One cause of one flow, with its records."""
    kept = Exceptions(site.opened.database, connection.id)
    stage = listing.stage or Stage.OPEN
    found = kept.groups(datetime.now(UTC), listing.flow, listing.cause)
    mine = next((one for one in found if one.stage is stage), None)
    lacking = kept.lacking(listing.flow, listing.cause)
    return GroupPage(
        group=_group(connection.name, mine, kept.some([mine.example]).get(mine.example)) if mine else None,
        missing=[_missing(connection.name, listing.cause, value, count) for value, count in lacking],
        page=listed(site, connection, listing),
    )


def listed(site: Site, connection: Connection, listing: ExceptionListing) -> Page[ExceptionShown]:
    """Open exceptions, oldest first."""
    place = shapes.after(listing, _Place)
    where = at(listing.stage, datetime.now(UTC)) if listing.stage else None
    if listing.assignee:
        mine = table.c.assignee == listing.assignee
        where = mine if where is None else where & mine
    rows = Exceptions(site.opened.database, connection.id).open(
        listing.limit + 1,
        flow=listing.flow,
        cause=listing.cause,
        after=(shapes.zoned(place[0]), place[1]) if place else None,
        where=where,
    )
    places = [(one.flow, one.key) for one in rows]
    said = noting.of(site.opened, connection.name).comments(places)
    sources = records.of(site.opened, connection.id).said(places)
    return shapes.page(
        listing,
        rows,
        lambda one: shown(connection.name, one, said.get((one.flow, one.key)), sources.get((one.flow, one.key))),
        lambda one: (one.opened_at, one.id),
    )


def resolved(site: Site, connection: Connection, listing: Listing) -> Page[ResolvedShown]:
    """Exceptions whose cause is gone, the latest first."""
    place = shapes.after(listing, _Place)
    rows = Exceptions(site.opened.database, connection.id).resolved(
        listing.limit + 1, (shapes.zoned(place[0]), place[1]) if place else None
    )
    names = records.names(site.opened, connection.id, [(one.was.flow, one.was.key) for one in rows])
    return shapes.page(
        listing,
        rows,
        lambda one: _over(one, names.get((one.was.flow, one.was.key), "")),
        lambda one: (one.at, one.was.id),
    )


def shown(
    name: str, one: OpenException, comment: Comment | None = None, source: Mapping[str, Any] | None = None
) -> ExceptionShown:
    """An open exception as it is shown."""
    held, now = one.held, datetime.now(UTC)
    return ExceptionShown(
        id=one.id,
        flow=one.flow,
        key=shapes.shown_key(one.key),
        called=records.called(source or {}),
        cause=held.cause,
        title=causes.title(held.cause),
        stage=stage_of(held.cause, snoozed=one.snoozed_until is not None and one.snoozed_until > now),
        sentence=held.sentence,
        remedy=held.remedy,
        owner=str(held.owner),
        lacks=held.lacks,
        stake=_stake(one),
        opened_at=one.opened_at,
        last_at=one.last_at,
        times=one.times,
        assignee=one.assignee,
        snoozed_until=one.snoozed_until,
        comment=CommentShown.model_validate(comment) if comment else None,
        fix=fix(name, held.cause, held.lacks),
    )


def fix(name: str, cause: str, lacks: str = "") -> Fix:
    """Where a cause is put right."""
    found, here = causes.cause(cause), f"/c/{quote(name, safe='')}"
    if found.at is At.CONNECTION:
        return Fix(where="in the connection", href=f"{here}/connect")
    if found.at not in (At.MAPPING, At.PROFILE):
        return Fix(where=WHERE[found.at], href="")
    asked = {"table": found.table} if found.table in TABLES else {}
    adds = bool(asked and lacks)
    asked |= {"value": lacks} if adds else {}
    return Fix(where="in the mapping", href=f"{here}/mapping{'?' if asked else ''}{urlencode(asked)}", adds=adds)


def _missing(name: str, cause: str, value: str, count: int) -> Missing:
    found = fix(name, cause, value)
    return Missing(value=value, count=count, href=found.href if found.adds else "")


def _group(name: str, one: Group, example: OpenException | None) -> GroupShown:
    held = example.held if example else None
    people = sorted(one.assignees.items(), key=lambda pair: (-pair[1], pair[0]))
    return GroupShown(
        flow=one.flow,
        cause=one.cause,
        title=causes.title(one.cause),
        stage=one.stage,
        count=one.count,
        oldest_at=one.oldest_at,
        stakes=_stakes(one.stakes),
        assignees=[Assigned(name=person, count=count) for person, count in people if person],
        owner=str(held.owner) if held else "",
        example=held.sentence if held else "",
        remedy=held.remedy if held else "",
        fix=fix(name, one.cause, held.lacks if held and one.count == 1 else ""),
    )


def _stakes(stakes: Mapping[str, Decimal]) -> list[Stake]:
    return [Stake(amount=plain(amount), currency=currency) for currency, amount in sorted(stakes.items())]


def _stake(one: OpenException) -> Stake | None:
    stake = one.held.stake
    return Stake(amount=plain(stake.amount), currency=stake.currency) if stake else None


def _over(one: Resolved, called: str) -> ResolvedShown:
    was = one.was
    return ResolvedShown(
        id=was.id,
        flow=was.flow,
        key=shapes.shown_key(was.key),
        called=called,
        cause=was.held.cause,
        title=causes.title(was.held.cause),
        sentence=was.held.sentence,
        stake=_stake(was),
        assignee=was.assignee,
        opened_at=was.opened_at,
        resolved_at=one.at,
        run_id=one.run_id,
    )
