"""Approvals over HTTP: what waits for somebody to agree.

Rule: to be looked at only; a person approves in the console or on the command line, no program does.
Must not know: SQL.
"""

from fastapi import APIRouter

from ml_connector.console.api.shapes import Connected
from ml_connector.console.auth import Guarded, Reader
from ml_connector.console.site import Here
from ml_connector.console.views import approvals as views
from ml_connector.console.views.approvals import Approvals

routes = APIRouter(tags=["approvals"], route_class=Guarded)


@routes.get("/connections/{name}/approvals")
def list_approvals(connection: Connected, here: Here, who: Reader) -> Approvals:
    """Plans that a gate stopped, edits and versions of the settings that wait for somebody to agree."""
    return views.approvals(here, connection.name, who.person)
