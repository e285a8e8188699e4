"""From values to HTML: templates, what every page shows around them, and what was just said.

Rule: everything is escaped; a page's policy allows nothing but our own scripts, styles and pictures.
Must not know: what a page is about.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ml_connector.console.pages import words
from ml_connector.console.pages.routing import TWIN
from ml_connector.console.person import Person, local
from ml_connector.console.site import Site
from ml_connector.console.static import address

SAID_COOKIE = "mlc_said"
SAID_MAX = 600
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "same-origin"}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# pyright: ignore below - Jinja declares neither as open to more, which they are
TEMPLATES.filters.update(words.FILTERS)  # pyright: ignore[reportUnknownMemberType]
TEMPLATES.globals.update(asset=address)  # pyright: ignore[reportUnknownMemberType, reportCallIssue, reportArgumentType]


def render(request: Request, template: str, status: int = 200, *, connection: str = "", **values: Any) -> HTMLResponse:
    """A page; `connection`: the one it is about."""
    said = request.cookies.get(SAID_COOKIE, "")
    shown = _around(request, connection) | {"said": unquote(said)[:SAID_MAX]} | values
    page = HTMLResponse(TEMPLATES.get_template(template).render(shown), status, dict(HEADERS))
    if said:
        page.delete_cookie(SAID_COOKIE, path="/")
    return page


def done(request: Request, place: str, sentence: str = "") -> Response:
    """After something was done: on to a page of ours, which says so once."""
    target = local(place)
    there = (
        Response(status_code=204, headers={"HX-Redirect": target})
        if request.headers.get("hx-request")
        else RedirectResponse(target, 303)
    )
    if sentence:
        secure = request.url.scheme == "https"
        there.set_cookie(
            SAID_COOKIE, quote(sentence[:SAID_MAX]), max_age=60, httponly=True, samesite="lax", secure=secure
        )
    return there


def problem(request: Request, status: int, sentence: str) -> HTMLResponse:
    """A page that says why something can't be done, and what to do."""
    return render(request, "problem.html", status, title=HTTPStatus(status).phrase, sentence=sentence)


def _around(request: Request, connection: str) -> dict[str, Any]:
    person: Person | None = getattr(request.state, "person", None)
    site: Site = request.app.state.site
    extra: dict[str, str] = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    twin = extra.get(TWIN, "")
    return {
        "person": person,
        "connection": connection,
        "connections": site.opened.connections.names() if person else [],
        "now": datetime.now(UTC),
        "path": request.url.path,
        "twin": twin.format_map(request.path_params) if twin else "",
    }
