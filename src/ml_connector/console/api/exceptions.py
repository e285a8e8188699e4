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
from ml_connector.console.api.shapes import NUMBER_MAX, PLAIN, Asked, Connected, Flow, Listing, Page, Shown, Text
from ml_connector.console.api.shapes import Number as ShownNumber
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import Refused, absent, documented
from ml_connector.console.site import Here
from ml_connector.console.views import exceptions as views
from ml_connector.console.views.exceptions import ExceptionListing, ExceptionShown, Groups, ResolvedShown
from ml_connector.store.exceptions import Stage
from ml_connector.store.journal import JournalEntry
from ml_connector.store.noting import Which
from ml_connector.wiring import exceptions, journal, noting
from ml_connector.wiring.noting import Wish

routes = APIRouter(tags=["exceptions"], route_class=Guarded)
Number = Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]
KeyPath = Annotated[str, Path(max_length=500, pattern=PLAIN, description="A record's key; of several parts A/B.")]


class NoteAsked(Asked):
    """What to note at which exceptions: these, or those of a flow with one cause that stand at one stage."""

    numbers: list[ShownNumber] = Field([], max_length=500)
    flow: Text = ""
    cause: Text = ""
    stage: Stage = Stage.OPEN
    assignee: Text | None = Field(None, description="Who sees to it; empty: nobody.")
    comment: str = Field("", max_length=noting.COMMENT_MAX)
    snooze_until: Text | None = Field(None, description="7d, or a day such as 2026-09-01; empty wakes.")

    @property
    def which(self) -> Which:
        """Which exceptions. Raises: Refused."""
        if not self.numbers and not (self.flow and self.cause):
            raise Refused(422, "invalid", "which exceptions? Give numbers, or flow and cause")
        return Which(tuple(self.numbers), self.flow, self.cause, self.stage)


class Noted(Shown):
    """At how many exceptions that was news."""

    noted: int


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
    return views.listed(here, connection, listing)


@routes.get("/connections/{name}/exceptions/groups")
def list_groups(connection: Connected, here: Here, stage: Stage | None = None) -> Groups:
    """Why records wait: by flow and cause, with what is at stake, who sees to it, and where it is put right."""
    return views.groups(here, connection, stage)


@routes.get("/connections/{name}/exceptions/resolved")
def list_resolved(listing: Annotated[Listing, Query()], connection: Connected, here: Here) -> Page[ResolvedShown]:
    """Records whose exception is over, as its cause is gone; the latest first."""
    return views.resolved(here, connection, listing)


@routes.post("/connections/{name}/exceptions/note", responses=documented(403))
def note(asked: NoteAsked, connection: Connected, here: Here, who: Operator) -> Noted:
    """Say who sees to exceptions, let them rest, or comment on them; it is journalled."""
    wish = Wish(asked.assignee, asked.comment, asked.snooze_until)
    noted = noting.note(here.opened, connection.name, asked.which, wish, who.person)
    return Noted(noted=max(noted.assigned, noted.commented, noted.rested))


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


def _entry(one: JournalEntry) -> EntryShown:
    told = {name: getattr(one, name) for name in ("seq", "at", "kind", "flow", "run_id", "facts", "body")}
    return EntryShown(key=shapes.shown_key(one.key), **told)
