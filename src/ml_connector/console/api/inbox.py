"""The inbox over HTTP: which events webhooks told of, and have one processed again.

Rule: what an event tells of is read from the system itself; its body is there to be looked at only.
Must not know: how an event becomes an order.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from ml_connector.console.api.shapes import NUMBER_MAX, Connected, Page
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import Refused, absent, documented
from ml_connector.console.site import Here
from ml_connector.console.views import inbox as views
from ml_connector.console.views.inbox import EventListing, EventOpened, EventShown, Standing

routes = APIRouter(tags=["inbox"], route_class=Guarded)
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
GONE = "there is no event of this number; old ones are forgotten after a while"


@routes.get("/connections/{name}/inbox")
def list_events(listing: Annotated[EventListing, Query()], connection: Connected, here: Here) -> Page[EventShown]:
    """What webhooks told of, newest first."""
    return views.listed(here, connection, listing)


@routes.get("/connections/{name}/inbox/standing")
def get_standing(connection: Connected, here: Here) -> Standing:
    """Which hooks there are, and how many events wait."""
    return views.standing(here, connection)


@routes.get("/connections/{name}/inbox/{number}")
def get_event(number: Number, connection: Connected, here: Here) -> EventOpened:
    """One event, with what was sent as far as it may be looked at."""
    found = views.opened(here, connection, number)
    if found is None:
        raise absent(GONE)
    return found


@routes.post("/connections/{name}/inbox/{number}/again", status_code=202, responses=documented(403))
def process_again(number: Number, connection: Connected, here: Here, who: Operator) -> EventShown:
    """Process an event again."""
    kept = views.inbox(here)
    taken, found = kept.again(connection.id, number, who.person), kept.get(connection.id, number)
    if found is None:
        raise absent(GONE)
    if not taken:
        raise Refused(409, "begun", "it is on its way already, or no flow is for it")
    return views.shown(found)
