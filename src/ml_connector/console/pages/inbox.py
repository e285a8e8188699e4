"""The inbox: what webhooks told of, one event, process it again; and where the systems tell.

Rule: the address of a hook and a secret that was made are shown once, in the answer to the form that made them.
Must not know: SQL.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Path, Query, Request, Response

from ml_connector.console.api.shapes import NUMBER_MAX, Connected
from ml_connector.console.cookies import base_url
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.console.views import inbox as views
from ml_connector.console.views.inbox import EventListing
from ml_connector.errors import SettingsError
from ml_connector.store.hooks import Hooks
from ml_connector.store.rights import May
from ml_connector.wiring import hooking
from ml_connector.wiring.further import title
from ml_connector.wiring.hooking import Wish
from ml_connector.wiring.receiving import Teller

EACH = 50
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
Cursor = Annotated[str, Query(max_length=400, pattern=r"^[A-Za-z0-9_-]*$")]

routes = Pages()


@routes.page("/c/{name}/inbox", twin="/connections/{name}/inbox")
def show(request: Request, connection: Connected, here: Here, amiss: bool = False, cursor: Cursor = "") -> Response:
    """What webhooks told of, newest first."""
    view = views.listed(here, connection, EventListing(limit=EACH, cursor=cursor, amiss=amiss))
    stands = views.standing(here, connection)
    return render(request, "inbox.html", connection=connection.name, view=view, stands=stands, amiss=amiss)


@routes.page("/c/{name}/inbox/{number}", twin="/connections/{name}/inbox/{number}")
def show_event(request: Request, connection: Connected, here: Here, number: Number) -> Response:
    """One event, with what was sent."""
    view = views.opened(here, connection, number)
    if view is None:
        raise absent("there is no event of this number; old ones are forgotten after a while")
    return render(request, "inbox_event.html", connection=connection.name, view=view)


@routes.act("/c/{name}/inbox/{number}/again", May.WORK)
def process_again(request: Request, who: Who, connection: Connected, here: Here, number: Number) -> Response:
    """Process an event again."""
    taken = views.inbox(here).again(connection.id, number, who.name)
    said = "It is being processed again." if taken else "It is on its way already, or no flow is for it."
    here.nudge()
    return done(request, f"{_place(connection.name)}/{number}", said)


@routes.act("/c/{name}/inbox/hooks/{system}", May.ADMINISTER)
def set_hook(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    system: Teller,
    rotate: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Make a hook, or give it another secret; the address and the secret are shown this once."""
    made = hooking.set_up(here.opened, connection.name, system, Wish(rotate=bool(rotate)), who.name)
    told = here.installation.model_copy(update={"public_url": base_url(request)})
    address = hooking.address(told, made.hook)
    return render(
        request, "inbox_hook.html", connection=connection.name, system=system, address=address, secret=made.secret
    )


@routes.act("/c/{name}/inbox/hooks/{system}/remove", May.ADMINISTER)
def remove_hook(request: Request, who: Who, connection: Connected, here: Here, system: Teller) -> Response:
    """Answer a hook no longer."""
    whose = title(system)
    if not Hooks(here.opened.database, here.opened.vault).remove(connection.id, system, who.name):
        raise SettingsError(f"there is no webhook of {whose}")
    return done(request, _place(connection.name), f"The webhook of {whose} is gone; take it out of {whose}, too.")


def _place(name: str) -> str:
    return f"/c/{quote(name, safe='')}/inbox"
