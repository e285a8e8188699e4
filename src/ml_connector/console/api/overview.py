"""A connection at a glance over HTTP: what its first page shows.

Rule: the view as it is.
Must not know: how it is put together.
"""

from fastapi import APIRouter

from ml_connector.console.api.shapes import Connected
from ml_connector.console.auth import Guarded
from ml_connector.console.site import Here
from ml_connector.console.views import home
from ml_connector.console.views.home import Overview

routes = APIRouter(tags=["connections"], route_class=Guarded)


@routes.get("/connections/{name}/overview")
def get_overview(connection: Connected, here: Here) -> Overview:
    """How a connection stands: what needs a person, each flow, what was asked of the systems."""
    return home.overview_of(here, connection)
