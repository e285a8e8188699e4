"""Signing in and out.

Rule: whether a name is known can't be told from an answer.
Must not know: what passwords look like in the store.
"""

from fastapi import Request, Response

from ml_connector.console.pages.render import done
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import COOKIE, Who
from ml_connector.console.site import Here
from ml_connector.store.rights import May

routes = Pages()


@routes.act("/sign-out", May.READ)
def sign_out(request: Request, who: Who, here: Here) -> Response:
    """End the session."""
    here.sessions.end(who.session)
    there = done(request, "/", "")
    there.delete_cookie(COOKIE, path="/")
    return there
