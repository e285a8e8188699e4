"""Who looks at a page: a session, what its person may do, and the proof that a form comes from one of our pages.

Rule: nothing of a request but its cookie is read before it is known who asks; what changes something needs a right
beyond reading and a form that one of our pages made for this session.
Must not know: what is asked for.
"""

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from ml_connector.console.cookies import session_of
from ml_connector.console.refusals import KINDS, Refused, own
from ml_connector.console.site import Site
from ml_connector.store.rights import May

CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf"
FIELDS_MAX = 500
SIGN_IN = "/sign-in"
SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in. `session`: the digest of their session; `csrf`: what their forms carry."""

    id: int
    name: str
    may: frozenset[May]
    session: str
    csrf: str

    def can(self, right: str) -> bool:
        """Whether they may do this."""
        return May(right) in self.may


class PersonRoute(APIRoute):
    """A route for people who have signed in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answering = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            person = await run_in_threadpool(known, request)
            if person is None:
                return to_sign_in(request)
            request.state.person = person
            if request.method not in SAFE:
                await _check_form(request, person)
            try:
                return await answering(request)
            except KINDS:
                raise
            except Exception as error:
                raise own(error) from None

        return guarded


def known(request: Request) -> Person | None:
    """Who asks, by the cookie of their session."""
    token = session_of(request)
    site: Site = request.app.state.site
    session = site.sessions.find(token) if token else None
    if session is None:
        return None
    return Person(session.user.id, session.user.name, session.user.may, session.digest, csrf_of(token))


def csrf_of(token: str) -> str:
    """What the forms of a session carry."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def to_sign_in(request: Request) -> Response:
    """Where somebody goes who has not signed in, or whose session is over; afterwards back to where they were."""
    asked = str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    back = asked if request.method in SAFE else urlsplit(request.headers.get("referer", "")).path
    place = f"{SIGN_IN}?next={quote(local(back), safe='')}" + ("" if request.method in SAFE else "&again=1")
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)


def local(place: str) -> str:
    """An address of ours to go to; anything else is the first page."""
    plain = place.startswith("/") and not place.startswith("//") and "\\" not in place and place.isprintable()
    return place if plain and not urlsplit(place).netloc else "/"


async def _check_form(request: Request, person: Person) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not given:
        form = await request.form(max_files=1, max_fields=FIELDS_MAX)
        given = str(form.get(CSRF_FIELD, ""))
    if not hmac.compare_digest(given.encode(), person.csrf.encode()):
        await request.close()  # lets go of files that came with the form
        raise Refused(403, "forged", "this form is not of your session any more; go back, reload the page, do it again")


def _person(request: Request) -> Person:
    return request.state.person


@dataclass(frozen=True)
class Needs:
    """Lets through who may do this; the right is there to be read, so that every address can be asked for its own."""

    right: May

    def __call__(self, request: Request) -> None:
        """Raises: Refused for anybody else."""
        if self.right not in _person(request).may:
            said = f"your roles do not let you {self.right} here; an administrator can change that"
            raise Refused(403, "forbidden", said)


Who = Annotated[Person, Depends(_person)]
