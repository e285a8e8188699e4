"""The cookie of a session, and whether a form comes from a page of ours before there is a session.

Rule: behind https a cookie goes over https only and no other host can set it; scripts see none.
Must not know: whose a session is.
"""

from urllib.parse import urlsplit

from fastapi import Request, Response

from ml_connector.console.refusals import Refused
from ml_connector.console.site import Site

COOKIE = "mlc_session"
HOST_ONLY = "__Host-"
OURS = ("same-origin", "none")


def is_secure(request: Request) -> bool:
    """Whether whoever looks is reached by https, maybe through a proxy."""
    return request.url.scheme == "https" or public_url(request).startswith("https://")


def public_url(request: Request) -> str:
    """Where others reach this installation; "": nobody said so."""
    site: Site = request.app.state.site
    return site.installation.public_url.rstrip("/")


def base_url(request: Request) -> str:
    """Where whoever looks reaches this installation."""
    return public_url(request) or str(request.base_url).rstrip("/")


def named(request: Request, name: str) -> str:
    """How a cookie of ours is called here."""
    return f"{HOST_ONLY}{name}" if is_secure(request) else name


def session_of(request: Request) -> str:
    """What the browser shows of its session; "": nothing."""
    return request.cookies.get(named(request, COOKIE), "")


def keep(request: Request, answer: Response, name: str, value: str, max_age_s: int | None = None) -> None:
    """Have the browser keep a cookie; None: until it is closed."""
    secure = is_secure(request)
    answer.set_cookie(
        named(request, name), value, max_age=max_age_s, path="/", httponly=True, samesite="lax", secure=secure
    )


def forget(request: Request, answer: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    answer.delete_cookie(named(request, name), path="/", httponly=True, samesite="lax", secure=is_secure(request))


def check_origin(request: Request) -> None:
    """Make sure that a form without a session is not sent by a page of somebody else's. Raises: Refused."""
    told, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    hosts = {request.headers.get("host", ""), urlsplit(public_url(request)).netloc} - {""}
    ours = told in OURS if told else origin is None or urlsplit(origin).netloc in hosts
    if not ours:
        raise Refused(403, "forged", "this form was not sent from a page of this console; open the page and try again")
