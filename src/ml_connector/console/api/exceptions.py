"""Exceptions over HTTP: which records need a person, and what happened to a record.

Rule: amounts are text.
Must not know: what the causes mean.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import NUMBER_MAX, PLAIN, Connected, Flow, Listing, Page, Shown, Text
from ml_connector.console.auth import Guarded
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.records.money import plain
from ml_connector.store.exceptions import OpenException
from ml_connector.store.journal import JournalEntry
from ml_connector.wiring import exceptions, journal

routes = APIRouter(tags=["exceptions"], route_class=Guarded)
Number = Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]
KeyPath = Annotated[str, Path(max_length=500, pattern=PLAIN, description="A record's key; of several parts A/B.")]


class Stake(Shown):
    """An amount, as text, and its currency."""

    amount: str
    currency: str


class ExceptionShown(Shown):
    """A record that needs a person: why, what to do, who, since when, how much is at stake."""

    id: int
    flow: str
    key: str
    cause: str
    sentence: str
    remedy: str
    owner: str
    stake: Stake | None
    opened_at: datetime
    last_at: datetime
    times: int


class ExceptionListing(Listing):
    """Which exceptions."""

    flow: Text = Field("", description="Only of this flow.")
    cause: Text = Field("", description="Only of this cause.")


class CauseShown(Shown):
    """How many records of a flow wait for one cause, and since when."""

    flow: str
    cause: str
    count: int
    oldest_at: datetime


class Causes(Shown):
    """All causes for which records wait."""

    causes: list[CauseShown]


class EntryShown(Shown):
    """An entry of the journal; `body` is the record, or what was told of it, as far as it is kept."""

    seq: int
    at: datetime
    kind: str
    flow: str
    key: str
    run_id: str
    facts: dict[str, Any]
    body: Any


@routes.get("/connections/{name}/exceptions")
def list_exceptions(
    listing: Annotated[ExceptionListing, Query()], connection: Connected, here: Here
) -> Page[ExceptionShown]:
    """Records that need a person, oldest first."""
    at = shapes.after(listing, tuple[datetime, Number])
    rows = exceptions(here.opened, connection.name).open(
        listing.limit + 1,
        flow=listing.flow,
        cause=listing.cause,
        after=(shapes.zoned(at[0]), at[1]) if at else None,
    )
    return shapes.page(listing, rows, _shown, lambda one: (one.opened_at, one.id))


@routes.get("/connections/{name}/causes")
def list_causes(connection: Connected, here: Here) -> Causes:
    """Why records wait: how many by flow and cause."""
    counted = exceptions(here.opened, connection.name).counts()
    return Causes(causes=[CauseShown.model_validate(one) for one in counted])


@routes.get("/connections/{name}/records/{flow}/{key:path}")
def get_timeline(
    flow: Flow, key: KeyPath, listing: Annotated[Listing, Query()], connection: Connected, here: Here
) -> Page[EntryShown]:
    """What happened to one record, oldest first."""
    at = shapes.after(listing, tuple[Number])
    kept, begin = journal(here.opened, connection.name), at[0] if at else 0
    rows = kept.timeline(flow, key, begin, listing.limit + 1)
    rows = rows or kept.timeline(flow, shapes.key_of(key), begin, listing.limit + 1)
    if not rows and not at:
        raise absent("nothing is known of this record in this flow")
    return shapes.page(listing, rows, _entry, lambda one: (one.seq,))


def _shown(one: OpenException) -> ExceptionShown:
    held = one.held
    return ExceptionShown(
        id=one.id,
        flow=one.flow,
        key=shapes.shown_key(one.key),
        cause=held.cause,
        sentence=held.sentence,
        remedy=held.remedy,
        owner=str(held.owner),
        stake=Stake(amount=plain(held.stake.amount), currency=held.stake.currency) if held.stake else None,
        opened_at=one.opened_at,
        last_at=one.last_at,
        times=one.times,
    )


def _entry(one: JournalEntry) -> EntryShown:
    told = {name: getattr(one, name) for name in ("seq", "at", "kind", "flow", "run_id", "facts", "body")}
    return EntryShown(key=shapes.shown_key(one.key), **told)
