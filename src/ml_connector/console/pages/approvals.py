"""Approvals: what waits for somebody to agree, and agreeing to it.

Rule: who may agree is decided where it is recorded; a second press agrees to nothing more.
Must not know: SQL.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Request, Response

from ml_connector.console.api.shapes import NUMBER_MAX, Connected
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.site import Here
from ml_connector.console.views import approvals as views
from ml_connector.store.rights import May
from ml_connector.wiring import approving

RunId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]

routes = Pages()


@routes.page("/c/{name}/approvals", twin="/connections/{name}/approvals")
def show(request: Request, who: Who, connection: Connected, here: Here) -> Response:
    """What waits for somebody to agree."""
    view = views.approvals(here, connection.name, who.name)
    return render(request, "approvals.html", connection=connection.name, view=view)


@routes.act("/c/{name}/approvals/plans/{run}", May.APPROVE)
def approve_plan(request: Request, who: Who, connection: Connected, here: Here, run: RunId) -> Response:
    """Let the plan of a run through, and have it carried out."""
    order = approving.approve(here.opened, connection.name, run, who.name)
    if order is None:
        return done(request, _place(connection.name), "Approved. The next run that makes this plan carries it out.")
    here.orders.place(order)
    here.nudge()
    return done(request, _place(connection.name), "Approved; it is being carried out.")


@routes.act("/c/{name}/approvals/edits/{number}", May.APPROVE)
def approve_edit(request: Request, who: Who, connection: Connected, here: Here, number: Number) -> Response:
    """Agree to an edit, and have its record looked at again."""
    here.orders.place(approving.approve_edit(here.opened, connection.name, number, who.name))
    here.nudge()
    return done(request, _place(connection.name), f"Edit {number} is in force; its record is being looked at again.")


def _place(name: str) -> str:
    return f"/c/{quote(name, safe='')}/approvals"
