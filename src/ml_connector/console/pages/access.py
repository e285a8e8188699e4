"""Access: people with their roles, tokens of the API, who is signed in.

Rule: what lets somebody in is shown once, in the answer to the form that made it.
Must not know: SQL.
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Path, Request, Response
from fastapi.responses import JSONResponse

from ml_connector.console import cookies
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here, Site
from ml_connector.console.views import access
from ml_connector.errors import SettingsError
from ml_connector.records.sheet import sheet
from ml_connector.store.api_tokens import DAYS_MAX, Right
from ml_connector.store.rights import May, Role

PLACE = "/access"
BLANK: dict[str, Any] = {"name": "", "chosen": [], "error": "", "token": "", "scope": "read", "days": "90"}
Name = Annotated[str, Path(max_length=64)]
Typed = Annotated[str, Form(max_length=100)]
Roles = Annotated[list[Role], Form(max_length=len(Role))]

routes = Pages()


@routes.page(PLACE, twin="/users", right=May.ADMINISTER)
def show(request: Request, here: Here) -> Response:
    """Who has access, and which programs."""
    return _page(request, here, 200)


@routes.page("/access.csv", right=May.ADMINISTER)
def as_table(here: Here) -> Response:
    """The access list as a table: people, then tokens."""
    people = sheet(access.PERSON_HEADINGS, access.person_rows(access.people(here).users))
    tokens = sheet(access.TOKEN_HEADINGS, access.token_rows(access.tokens(here).tokens))
    kept = {"content-disposition": 'attachment; filename="access.csv"'}
    return Response(f"{people}\r\n{tokens}", media_type="text/csv; charset=utf-8", headers=kept)


@routes.page("/access.json", right=May.ADMINISTER)
def as_data(here: Here) -> Response:
    """The access list as data."""
    both = access.people(here).model_dump(mode="json") | access.tokens(here).model_dump(mode="json")
    return JSONResponse(both, headers={"content-disposition": 'attachment; filename="access.json"'})


@routes.act("/access/people", May.ADMINISTER)
def invite(request: Request, who: Who, here: Here, name: Typed = "", roles: Roles = []) -> Response:  # noqa: B006 - FastAPI copies it
    """Invite somebody; the link is shown this once."""
    try:
        token = here.access.invite(name, roles, who.name)
    except SettingsError as error:
        return _page(request, here, 422, name=name, chosen=roles, error=str(error))
    return _link(request, here, name.strip().lower(), token)


@routes.page("/access/people/{name}", twin="/users", right=May.ADMINISTER)
def show_person(request: Request, here: Here, name: Name) -> Response:
    """Somebody's access, and what can be done about it."""
    found = access.person(here, name)
    if found is None:
        raise absent("there is nobody of this name")
    waits = here.installation.access_two_persons
    return render(request, "access_person.html", one=found, all_roles=list(Role), two_persons=waits)


@routes.act("/access/people/{name}/roles", May.ADMINISTER)
def set_roles(request: Request, who: Who, here: Here, name: Name, roles: Roles = []) -> Response:  # noqa: B006 - FastAPI copies it
    """Give somebody other roles."""
    waits = here.access.set_roles(name, roles, who.name)
    return _done(request, name, "The roles wait for another administrator." if waits else "The roles are changed.")


@routes.act("/access/people/{name}/confirm", May.ADMINISTER)
def confirm(request: Request, who: Who, here: Here, name: Name) -> Response:
    """Let somebody have the roles that wait."""
    here.access.decide(name, who.name, approved=True)
    return _done(request, name, "The roles are confirmed.")


@routes.act("/access/people/{name}/reject", May.ADMINISTER)
def reject(request: Request, who: Who, here: Here, name: Name) -> Response:
    """Don't let somebody have the roles that wait."""
    here.access.decide(name, who.name, approved=False)
    return _done(request, name, "The roles are rejected.")


@routes.act("/access/people/{name}/link", May.ADMINISTER)
def new_link(request: Request, who: Who, here: Here, name: Name) -> Response:
    """A new link with which somebody chooses a password, shown this once."""
    return _link(request, here, name, here.access.link(name, who.name))


@routes.act("/access/people/{name}/disable", May.ADMINISTER)
def disable(request: Request, who: Who, here: Here, name: Name) -> Response:
    """Let somebody in no longer."""
    here.access.disable(name, who.name)
    return _done(request, name, f"Disabled; they are signed out everywhere.{here.tokens.left_by(name)}")


@routes.act("/access/people/{name}/enable", May.ADMINISTER)
def enable(request: Request, who: Who, here: Here, name: Name) -> Response:
    """Let somebody in again."""
    here.access.enable(name, who.name)
    return _done(request, name, "They can sign in again.")


@routes.act("/access/people/{name}/sign-out", May.ADMINISTER)
def sign_out(request: Request, who: Who, here: Here, name: Name) -> Response:
    """End all sessions of somebody."""
    here.access.sign_out(name, who.name)
    return _done(request, name, "They are signed out everywhere.")


@routes.act("/access/tokens", May.ADMINISTER)
def make_token(
    request: Request,
    who: Who,
    here: Here,
    token: Typed = "",
    scope: Annotated[Right, Form()] = Right.READ,
    days: Typed = "",
) -> Response:
    """Make a token for a program; it is shown this once."""
    try:
        shown = here.tokens.create(token.strip(), scope, who.name, _days(days))
    except SettingsError as error:
        return _page(request, here, 422, token=token, scope=scope, days=days, token_error=str(error))
    return render(request, "access_token.html", token=shown, name=token.strip(), scope=scope)


@routes.act("/access/tokens/{name}/revoke", May.ADMINISTER)
def revoke_token(request: Request, who: Who, here: Here, name: Name) -> Response:
    """Accept a token no longer."""
    here.tokens.revoke(name, who.name)
    return done(request, PLACE, f"The token {name} is revoked.")


def _page(request: Request, here: Site, status: int, **typed: Any) -> Response:
    return render(
        request,
        "access.html",
        status,
        people=access.people(here).users,
        tokens=access.tokens(here).tokens,
        signed_in=access.sessions(here),
        all_roles=list(Role),
        scopes=list(Right),
        two_persons=here.installation.access_two_persons,
        sso=here.installation.oidc_issuer,
        **BLANK | {"token_error": ""} | typed,
    )


def _link(request: Request, here: Site, name: str, token: str) -> Response:
    link = f"{cookies.base_url(request)}/set-up/{token}"
    return render(request, "access_link.html", link=link, name=name, two_persons=here.installation.access_two_persons)


def _done(request: Request, name: str, sentence: str) -> Response:
    return done(request, f"{PLACE}/people/{quote(name)}", sentence)


def _days(text: str) -> int | None:
    """For how many days a token is valid. Raises: SettingsError."""
    plain = text.strip()
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) < 6):
        raise SettingsError(f"{plain[:20]!r} is no number of days; give 1 to {DAYS_MAX:,}, or leave it empty")
    return int(plain)
