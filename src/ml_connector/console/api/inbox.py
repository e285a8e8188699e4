"""The inbox over HTTP: which events webhooks told of, and have one processed again.

Rule: an event's body is not shown; what it tells of is read from the system itself.
Must not know: how an event becomes an order.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import NUMBER_MAX, Connected, Listing, Page, Shown
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import Refused, absent, documented
from ml_connector.console.site import Here, Site
from ml_connector.store.inbox import Inbox, Kept, State

routes = APIRouter(tags=["inbox"], route_class=Guarded)
At = tuple[Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]]


class EventShown(Shown):
    """An event; `occurred` as its sender wrote it. `key` may be empty: the flow as a whole has work."""

    id: int
    system: str
    event_id: str
    type: str
    occurred: str
    received_at: datetime
    verified: bool
    repeats: int
    state: State
    flow: str
    key: str
    order_id: str
    note: str
    done_at: datetime | None


@routes.get("/connections/{name}/inbox")
def list_events(listing: Annotated[Listing, Query()], connection: Connected, here: Here) -> Page[EventShown]:
    """What webhooks told of, newest first."""
    at = shapes.after(listing, At)
    rows = _inbox(here).recent(connection.id, listing.limit + 1, at[0] if at else None)
    return shapes.page(listing, rows, _shown, lambda one: (one.id,))


@routes.post("/connections/{name}/inbox/{number}/again", status_code=202, responses=documented(403))
def process_again(
    number: Annotated[int, Path(ge=1, le=NUMBER_MAX)], connection: Connected, here: Here, _who: Operator
) -> EventShown:
    """Process an event again."""
    taken = _inbox(here).again(connection.id, number)
    found = next((one for one in _inbox(here).recent(connection.id, 1, number + 1) if one.id == number), None)
    if found is None:
        raise absent("there is no event of this number; old ones are forgotten after a while")
    if not taken:
        raise Refused(409, "begun", "it is on its way already, or no flow is for it")
    return _shown(found)


def _inbox(here: Site) -> Inbox:
    return Inbox(here.opened.database, here.opened.vault)


def _shown(one: Kept) -> EventShown:
    told = {name: getattr(one, name) for name in EventShown.model_fields if name != "key"}
    return EventShown(key=shapes.shown_key(one.key), **told)
