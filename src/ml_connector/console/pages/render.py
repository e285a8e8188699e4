"""From values to HTML: templates, what every page shows around them, and what was just said.

Rule: everything is escaped; a page's policy allows nothing but our own scripts, styles and pictures.
Must not know: what a page is about.
"""

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
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
from ml_connector.errors import ConnectorError
from ml_connector.store import overview

SAID_COOKIE = "mlc_said"
THEME_COOKIE, THEMES = "mlc_theme", ("light", "dark")
SAID_MAX = 600
TITLES = {
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Nothing to look at",
    409: "Not just now",
    422: "Not like this",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
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
TEMPLATES.globals.update(asset=address, once=partial(token_urlsafe, 12))  # pyright: ignore[reportUnknownMemberType, reportCallIssue, reportArgumentType]


def render(request: Request, template: str, status: int = 200, *, connection: str = "", **values: Any) -> HTMLResponse:
    """A page; `connection`: the one it is about."""
    said = request.cookies.get(SAID_COOKIE, "")
    shown = _around(request, connection) | {"said": unquote(said)[:SAID_MAX]} | values
    page = HTMLResponse(TEMPLATES.get_template(template).render(shown), status, dict(HEADERS))
    if said:
        page.delete_cookie(SAID_COOKIE, path="/")
    return page


def piece(template: str, **values: Any) -> str:
    """A part of a page."""
    return TEMPLATES.get_template(template).render({"now": datetime.now(UTC), "person": None} | values)


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
    title = TITLES.get(status) or HTTPStatus(status).phrase.capitalize()
    return render(request, "problem.html", status, title=title, sentence=sentence)


def _around(request: Request, connection: str) -> dict[str, Any]:
    person: Person | None = getattr(request.state, "person", None)
    extra: dict[str, str] = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    twin = extra.get(TWIN, "")
    theme = request.cookies.get(THEME_COOKIE, "")
    shown = {
        "person": person,
        "connection": connection,
        "connections": [],
        "open_count": "",
        "now": datetime.now(UTC),
        "path": request.url.path,
        "query": [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"],
        "theme": theme if theme in THEMES else "",
        "twin": twin.format_map(request.path_params) if twin else "",
    }
    if person:
        with suppress(ConnectorError):  # also a page about the store being away has something around it
            shown |= _there(request.app.state.site, connection)
    return shown


def _there(site: Site, connection: str) -> dict[str, Any]:
    found = overview.open_count(site.opened.database, connection, datetime.now(UTC)) if connection else 0
    told = f"{overview.COUNTED_MAX - 1:,}+" if found >= overview.COUNTED_MAX else f"{found:,}" if found else ""
    return {"connections": site.opened.connections.names(), "open_count": told}
