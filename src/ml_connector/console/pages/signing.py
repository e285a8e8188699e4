"""Signing in and out, and choosing a password with a link.

Rule: whether a name is known can't be told from an answer; each sign-in begins a new session.
Must not know: what passwords look like in the store.
"""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from ml_connector.console import cookies
from ml_connector.console.hooks import source_of
from ml_connector.console.pages.render import done, problem, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import SIGN_IN, Who, known, local
from ml_connector.console.site import Here, Site
from ml_connector.errors import SettingsError
from ml_connector.store.api_tokens import digest
from ml_connector.store.invitations import OVER

WRONG = "The name or the password is wrong. After five wrong ones in a row an account rests: a minute, then longer."
MANY = "Too many wrong passwords from this address, or for this name. Wait a minute and try again."
SIGNED_IN = 303
REFUSED_S = 0.5  # a refusal takes so long, whatever was written down about it

Typed = Annotated[str, Form(max_length=400)]
Token = Annotated[str, Path(max_length=100)]

open_to_all = APIRouter(include_in_schema=False)
own = Pages()
routes = APIRouter()


@open_to_all.get(SIGN_IN)
def sign_in_page(request: Request, here: Here, next: str = "/", again: str = "") -> Response:  # noqa: A002 - the address says next
    """Where somebody signs in; the first time, how they come by the link."""
    if known(request) is not None:
        return done(request, local(next))
    said = "Your session is over. Sign in, then do it again." if again else ""
    return _form(request, here, 200, next=local(next), remark=said)


@open_to_all.post(SIGN_IN)
async def sign_in(
    request: Request,
    here: Here,
    name: Typed = "",
    password: Typed = "",
    next: Typed = "/",  # noqa: A002 - the address says next
) -> Response:
    """Begin a session."""
    began = time.monotonic()
    answer = await run_in_threadpool(_sign_in, request, here, name, password, next)
    if answer.status_code != SIGNED_IN:
        await asyncio.sleep(max(0.0, REFUSED_S - (time.monotonic() - began)))
    return answer


@open_to_all.get("/set-up/{token}")
def choose_page(request: Request, here: Here, token: Token) -> Response:
    """Where somebody chooses their password, and the first person their name; looking uses nothing up."""
    return _choosing(request, here, token, 200)


@open_to_all.post("/set-up/{token}")
def choose(
    request: Request, here: Here, token: Token, name: Typed = "", password: Typed = "", again: Typed = ""
) -> Response:
    """Keep the password, and begin a session."""
    cookies.check_origin(request)
    try:
        if password != again:
            raise SettingsError("the two passwords are not the same; type both again")
        session = here.invitations.accept(token, name, password)
    except SettingsError as error:
        return _choosing(request, here, token, 422, name=name, error=str(error))
    return entered(request, session, "/", "Welcome. You are signed in.")


@own.post("/sign-out")
def sign_out(request: Request, who: Who, here: Here) -> Response:
    """End the session."""
    here.entry.sign_out(who.session, who.name)
    there = done(request, SIGN_IN, "You are signed out.")
    cookies.forget(request, there, cookies.COOKIE)
    return there


def _sign_in(request: Request, here: Site, name: str, password: str, place: str) -> Response:
    cookies.check_origin(request)
    address, whose = source_of(request), digest(name.strip().lower())
    # The address of a name that signed in lately does not count, but the name does: each try takes a processor's time.
    if here.entries.wait_s(address, whose) or here.entries.wait_s(whose, ""):
        return _form(request, here, 429, next=local(place), name=name, error=MANY)
    session = here.entry.sign_in(name, password, digest(cookies.session_of(request)))
    if session is None:
        here.entries.failed(address)
        here.entries.failed(whose)
        return _form(request, here, 422, next=local(place), name=name, error=WRONG)
    here.entries.succeeded(whose)
    return entered(request, session, place)


def entered(request: Request, session: str, place: str, sentence: str = "") -> Response:
    """On with a new session."""
    there = done(request, place, sentence)
    cookies.keep(request, there, cookies.COOKIE, session)
    return there


def _form(request: Request, here: Site, status: int, **more: Any) -> Response:
    shown: dict[str, Any] = {"name": "", "error": "", "remark": "", "sso": bool(here.installation.oidc_issuer)}
    return render(request, "sign_in.html", status, first=here.users.empty(), **shown | more)


def _choosing(request: Request, here: Site, token: str, status: int, name: str = "", error: str = "") -> Response:
    invited = here.invitations.find(token)
    if invited is None:
        return problem(request, 404, OVER)
    return render(request, "set_up.html", status, invited=invited.name, name=name, error=error)


routes.include_router(open_to_all)
routes.include_router(own)
