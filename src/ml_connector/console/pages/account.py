"""One's own account: password, sessions.

Rule: needs no role, as who has lost all theirs may still leave; another password ends every other session.
Must not know: what passwords look like in the store.
"""

from typing import Annotated

from fastapi import Form, Request, Response

from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import TWIN, Pages
from ml_connector.console.pages.signing import entered
from ml_connector.console.person import SIGN_IN, Who
from ml_connector.console.site import Here, Site
from ml_connector.console.views import access
from ml_connector.errors import SettingsError

PLACE = "/account"
Typed = Annotated[str, Form(max_length=400)]

routes = Pages()


@routes.get(PLACE, openapi_extra={TWIN: "/users"})
def show(request: Request, who: Who, here: Here) -> Response:
    """One's own account."""
    return _page(request, who, here, 200)


@routes.post("/account/password")
def change_password(
    request: Request, who: Who, here: Here, old: Typed = "", password: Typed = "", again: Typed = ""
) -> Response:
    """Set another password."""
    try:
        if password != again:
            raise SettingsError("the two new passwords are not the same; type both again")
        session = here.entry.change_password(who.name, old, password)
    except SettingsError as error:
        return _page(request, who, here, 422, str(error))
    return entered(request, session, PLACE, "Your password is changed; you are signed out everywhere else.")


@routes.post("/account/sign-out")
def sign_out_everywhere(request: Request, who: Who, here: Here) -> Response:
    """End all one's own sessions."""
    here.access.sign_out(who.name, who.name)
    return done(request, SIGN_IN, "You are signed out everywhere.")


def _page(request: Request, who: Who, here: Site, status: int, error: str = "") -> Response:
    return render(
        request,
        "account.html",
        status,
        one=access.person(here, who.name),
        sessions=access.sessions(here, who.id),
        current=who.session,
        error=error,
    )
