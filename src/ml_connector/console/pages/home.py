"""The first page: the connections there are, or the only one at a glance.

Rule: one sentence first; what waits for a person before what went well.
Must not know: SQL.
"""

from datetime import UTC, datetime

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from ml_connector import flows
from ml_connector.console.api.shapes import Connected
from ml_connector.console.pages.render import render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.site import Here
from ml_connector.console.views import home as views
from ml_connector.store import state

CONNECTIONS_MAX = 50  # that are told of at once; more are named only

routes = Pages()


@routes.page("/", twin="/connections")
def show_all(request: Request, here: Here) -> Response:
    """All connections; the only one at a glance."""
    names = here.opened.connections.names()
    if len(names) == 1:
        return RedirectResponse(f"/c/{names[0]}", 303)
    seen = state.at_work(here.opened.database, flows.FLOWS, datetime.now(UTC))
    told = [views.overview_of(here, here.opened.connections.get(name), seen) for name in names[:CONNECTIONS_MAX]]
    return render(request, "connections.html", told=told, further=names[CONNECTIONS_MAX:])


@routes.page("/c/{name}", twin="/connections/{name}/overview")
def show(request: Request, connection: Connected, here: Here) -> Response:
    """A connection at a glance."""
    return render(request, "home.html", connection=connection.name, view=views.overview_of(here, connection))
