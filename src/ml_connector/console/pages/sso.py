"""Signing in by the single sign-on: there, and back again.

Rule: who comes back has to be who was sent, which a sealed cookie tells that lives for ten minutes and works once.
Must not know: how a token is checked.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from ml_connector.console import cookies
from ml_connector.console.pages.render import render
from ml_connector.console.pages.signing import entered
from ml_connector.console.person import SIGN_IN, local
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here, Site
from ml_connector.errors import RemoteError, SettingsError, VaultError
from ml_connector.store.api_tokens import digest
from ml_connector.systems.oidc import Begun
from ml_connector.wiring.sso import SingleSignOn

_LOG = structlog.get_logger("ml_connector.console")
COOKIE = "mlc_sso"
LASTS = timedelta(minutes=10)
NEXT_MAX = 1000
BACK = f"{SIGN_IN}/sso/back"
AWAY = "The single sign-on can't be reached or is not set up rightly; the log of this process says why."
LOST = "This sign-in took too long, or was begun in another window. Begin it again."
REFUSED = "The single sign-on did not let you in. Begin again; if it stays so, tell an administrator."
NO_ROLE = "You are known, but have no role here. Ask for one of the groups that give access to ml-connector."

Text = Annotated[str, Query(max_length=4096)]
routes = APIRouter(include_in_schema=False)


class Kept(msgspec.Struct, frozen=True):
    """What the browser keeps, sealed, while somebody is away."""

    begun: Begun
    next: str
    at: datetime


@routes.get(f"{SIGN_IN}/sso")
def leave(request: Request, here: Here, next: Text = "/") -> Response:  # noqa: A002 - the address says next
    """Send somebody to the provider."""
    sso = _sso(here)
    try:
        place, begun = sso.provider.begin(cookies.base_url(request) + BACK)
    except (RemoteError, SettingsError) as error:
        return _refused(request, AWAY, error)
    there = RedirectResponse(place, 303)
    place = local(next) if len(next) <= NEXT_MAX else "/"
    kept = msgspec.json.encode(Kept(begun, place, datetime.now(UTC)))
    sealed = base64.urlsafe_b64encode(here.opened.vault.seal(kept, COOKIE)).decode()
    cookies.keep(request, there, COOKIE, sealed, int(LASTS.total_seconds()))
    return there


@routes.get(BACK)
def come_back(request: Request, here: Here, code: Text = "", state: Text = "", iss: Text = "") -> Response:
    """Let somebody in whom the provider vouches for."""
    sso, kept = _sso(here), _kept(request, here)
    if kept is None or not hmac.compare_digest(kept.begun.state.encode(), state.encode()):
        return _refused(request, LOST)
    if not code or (iss and iss != sso.issuer):
        return _refused(request, REFUSED)
    try:
        known = sso.known(sso.provider.claims(code, cookies.base_url(request) + BACK, kept.begun))
    except (RemoteError, SettingsError) as error:
        return _refused(request, REFUSED, error)
    session = here.entry.sign_in_by(known.subject, known.name, known.roles, digest(cookies.session_of(request)))
    if session is None:
        return _refused(request, NO_ROLE)
    there = entered(request, session, kept.next)
    cookies.forget(request, there, COOKIE)
    return there


def _sso(here: Site) -> SingleSignOn:
    if here.sso is None:
        raise absent("no single sign-on is set up; sign in with name and password")
    return here.sso


def _kept(request: Request, here: Site) -> Kept | None:
    sealed = request.cookies.get(cookies.named(request, COOKIE), "")
    try:
        plain = here.opened.vault.unseal(base64.urlsafe_b64decode(sealed), COOKIE)
        kept = msgspec.json.decode(plain, type=Kept)
    except (ValueError, VaultError):
        return None
    return kept if datetime.now(UTC) - kept.at < LASTS else None


def _refused(request: Request, sentence: str, error: Exception | None = None) -> Response:
    if error:
        _LOG.warning("single sign-on", error=str(error))
    page = render(request, "sign_in.html", 403, first=False, sso=True, next="/", name="", remark="", error=sentence)
    cookies.forget(request, page, COOKIE)
    return page
