"""Access over HTTP: who may do what, which tokens there are.

Rule: administrators only; people and tokens are changed in the console or on the command line.
Must not know: SQL.
"""

from fastapi import APIRouter, Depends

from ml_connector.console.auth import Guarded, administering
from ml_connector.console.refusals import documented
from ml_connector.console.site import Here
from ml_connector.console.views import access
from ml_connector.console.views.access import People, Tokens

routes = APIRouter(
    tags=["access"], route_class=Guarded, dependencies=[Depends(administering)], responses=documented(403)
)


@routes.get("/users")
def list_users(here: Here) -> People:
    """Everybody who has, had or will have access to the console, with their roles."""
    return access.people(here)


@routes.get("/tokens")
def list_tokens(here: Here) -> Tokens:
    """The tokens of this API, without what makes them usable."""
    return access.tokens(here)
