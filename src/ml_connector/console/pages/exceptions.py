"""Exceptions: why records need a person, by cause; the records of one cause; what is over; notes at them.

Rule: what is noted at many is noted at those that were chosen, or at all of a cause, never at more.
Must not know: SQL.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Form, Path, Query, Request, Response

from ml_connector.console.api.shapes import NUMBER_MAX, Connected, Flow, Listing
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.pages.words import count
from ml_connector.console.person import Person, Who
from ml_connector.console.site import Here, Site
from ml_connector.console.views import exceptions as views
from ml_connector.console.views.exceptions import ExceptionListing
from ml_connector.errors import SettingsError
from ml_connector.store.connections import Connection
from ml_connector.store.exceptions import Stage
from ml_connector.store.noting import Which
from ml_connector.store.rights import May
from ml_connector.wiring import noting
from ml_connector.wiring.noting import Wish

EACH = 50
KEEP, NOBODY = "", "-"
RESTS = ((KEEP, "as it is"), ("1d", "for a day"), ("7d", "for a week"), ("30d", "for a month"), (NOBODY, "wake now"))
FORM: dict[str, Any] = {"to": KEEP, "rest": KEEP, "day": "", "text": "", "chosen": (), "every": "", "error": ""}
CausePath = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9_]+$")]
Cursor = Annotated[str, Query(max_length=400, pattern=r"^[A-Za-z0-9_-]*$")]
Numbers = Annotated[list[Annotated[int, Form(ge=1, le=NUMBER_MAX)]], Form(max_length=EACH)]
Typed = Annotated[str, Form(max_length=200)]

routes = Pages()


@routes.page("/c/{name}/exceptions", twin="/connections/{name}/exceptions/groups")
def show(request: Request, connection: Connected, here: Here, stage: Stage = Stage.OPEN) -> Response:
    """Why records need a person, by flow and cause."""
    view = views.groups(here, connection, stage)
    return render(request, "exceptions.html", connection=connection.name, view=view, stage=stage)


@routes.page("/c/{name}/exceptions/resolved", twin="/connections/{name}/exceptions/resolved")
def show_resolved(request: Request, connection: Connected, here: Here, cursor: Cursor = "") -> Response:
    """What is over, the latest first."""
    view = views.resolved(here, connection, Listing(limit=EACH, cursor=cursor))
    return render(request, "exceptions_resolved.html", connection=connection.name, view=view)


@routes.page("/c/{name}/exceptions/{flow}/{cause}", twin="/connections/{name}/exceptions?flow={flow}&cause={cause}")
def show_cause(
    request: Request,
    connection: Connected,
    here: Here,
    flow: Flow,
    cause: CausePath,
    stage: Stage = Stage.OPEN,
    assignee: Annotated[str, Query(max_length=64)] = "",
    cursor: Cursor = "",
) -> Response:
    """The records of one cause."""
    listing = ExceptionListing(limit=EACH, cursor=cursor, flow=flow, cause=cause, stage=stage, assignee=assignee)
    return _cause(request, connection, here, listing)


@routes.act("/c/{name}/exceptions/note", May.WORK)
def note(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    number: Numbers = [],  # noqa: B006 - FastAPI copies it
    every: Typed = "",
    flow: Typed = "",
    cause: Typed = "",
    stage: Annotated[Stage, Form()] = Stage.OPEN,
    to: Typed = KEEP,
    rest: Typed = KEEP,
    day: Typed = "",
    text: Annotated[str, Form(max_length=2 * noting.COMMENT_MAX)] = "",
    back: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Say who sees to records, let them rest, comment on them; whatever of it was given."""
    which = Which(() if every else tuple(number), flow, cause, stage)
    place = back or _place(connection.name, which)
    try:
        if not every and not number:
            raise SettingsError("choose records first, or all of them")
        wish = Wish(_given(to), text.strip(), _given(day or rest))
        said = _said(noting.note(here.opened, connection.name, which, wish, who.name), wish)
    except SettingsError as error:
        if not (flow and cause):
            raise
        typed = {"to": to, "rest": rest, "day": day, "text": text, "chosen": number, "every": every}
        listing = ExceptionListing(limit=EACH, cursor="", flow=flow, cause=cause, stage=stage, assignee="")
        return _cause(request, connection, here, listing, 422, error=str(error), **typed)
    return done(request, place, said)


def _said(noted: noting.Noted, wish: Wish) -> str:
    """What was noted, in a sentence."""
    told: list[str] = []
    if wish.to is not None:
        told.append(f"{count(noted.assigned, 'record')} {f'given to {wish.to}' if wish.to else 'given back'}")
    if wish.comment:
        told.append(f"{count(noted.commented, 'record')} commented on")
    if wish.until is not None:
        told.append(f"{count(noted.rested, 'record')} {'put to rest' if wish.until else 'woken'}")
    return f"{', '.join(told)}."


def _given(text: str) -> str | None:
    """What was chosen: nothing, nobody or nothing more, or something."""
    return None if text == KEEP else "" if text == NOBODY else text


def _cause(
    request: Request, connection: Connection, here: Site, listing: ExceptionListing, status: int = 200, **typed: Any
) -> Response:
    form = FORM | typed
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    person: Person = request.state.person
    others = [(one, one) for one in noting.people(here.opened) if one != person.name]
    shown: dict[str, Any] = {"others": others, "rests": RESTS, "tomorrow": tomorrow, "form": form}
    view = views.group(here, connection, listing)
    return render(request, "exceptions_cause.html", status, connection=connection.name, view=view, at=listing, **shown)


def _place(name: str, which: Which) -> str:
    here = f"/c/{quote(name, safe='')}/exceptions"
    if not (which.flow and which.cause):
        return here
    stage = "" if which.stage is Stage.OPEN else f"?{urlencode({'stage': which.stage})}"
    return f"{here}/{quote(which.flow, safe='')}/{quote(which.cause, safe='')}{stage}"
