"""Flows and schedules: on or off, when they run, what to run now, when nothing starts.

Rule: what is typed is told in words before it is kept; an order is placed once, however often a form is sent.
Must not know: SQL.
"""

import hashlib
from datetime import date
from typing import Annotated, Literal

from fastapi import Form, Path, Query, Request, Response

from ml_connector.console.api.orders import place
from ml_connector.console.api.schedules import BLACKOUTS_MAX
from ml_connector.console.api.shapes import NUMBER_MAX, Connected, Flow, Listing
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who, local
from ml_connector.console.refusals import Refused, absent
from ml_connector.console.site import Here
from ml_connector.console.views import flow_words as words
from ml_connector.console.views import flows as views
from ml_connector.console.views import runs as run_views
from ml_connector.engine import schedule as rules
from ml_connector.errors import SettingsError
from ml_connector.store.rights import May
from ml_connector.store.schedules import ALL
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.wiring import choice, replaying, switching, ticking

RUNS_SHOWN = 10
Once = Annotated[str, Form(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Spec = Annotated[str, Form(max_length=300)]
SpecAsked = Annotated[str, Query(max_length=300)]
Scheduled = Annotated[str, Form(max_length=64, pattern=r"^[a-z_]+$")]
Typed = Annotated[str, Form(max_length=200)]
Checked = Annotated[str, Form(max_length=10)]

routes = Pages()


@routes.page("/c/{name}/flows", twin="/connections/{name}/set-up")
def show(request: Request, connection: Connected, here: Here) -> Response:
    """All flows, their schedules, and when nothing starts."""
    return _shown(request, connection.name, here)


@routes.page("/c/{name}/flows/echo", twin="/connections/{name}/slots")
def echo(request: Request, connection: Connected, here: Here, spec: SpecAsked = "") -> Response:
    """A schedule that is being typed, in words and by its next slots."""
    slots = views.echo(here, connection, spec)
    return render(request, "flow_echo.html", connection=connection.name, slots=slots)


@routes.page("/c/{name}/blackouts/echo", twin="/connections/{name}/slots")
def echo_blackout(request: Request, connection: Connected, here: Here, spec: SpecAsked = "") -> Response:
    """A blackout that is being typed, in words and by when it begins next."""
    slots = views.echo_blackout(here, connection, spec)
    return render(request, "flow_echo.html", connection=connection.name, slots=slots)


@routes.page("/c/{name}/flows/{flow}", twin="/connections/{name}/set-up")
def show_one(request: Request, connection: Connected, flow: Flow, here: Here) -> Response:
    """One flow: when it runs, what it may do, what to do with it."""
    view = views.set_up(here, connection)
    mine = next(one for one in view.flows if one.flow == flow)
    runs = run_views.listed(here, connection, Listing(limit=RUNS_SHOWN, cursor=""), flow)
    return render(request, "flow.html", connection=connection.name, view=view, flow=mine, runs=runs)


@routes.act("/c/{name}/flows/{flow}/switch", May.CONFIGURE)
def switch(
    request: Request,
    connection: Connected,
    flow: Flow,
    here: Here,
    who: Who,
    state: Annotated[Literal["on", "off"], Form()],
    back: Typed = "",
) -> Response:
    """Switch a flow on or off."""
    said = switching.switch(here.opened, connection.name, flow, on=state == "on", person=who.name)
    return done(request, local(back) if back else f"/c/{connection.name}/flows/{flow}", words.sentence(said))


@routes.act("/c/{name}/flows/{flow}/run", May.WORK)
def run(
    request: Request,
    connection: Connected,
    flow: Flow,
    here: Here,
    who: Who,
    once: Once,
    extent: Annotated[Literal["changed", "census", "since"], Form()] = "changed",
    since: Typed = "",
) -> Response:
    """Run a flow now: what changed, everything, or from a day on."""
    at = ticking.place(here.opened, connection.name)
    choice.chosen([flow], set(at.flows), at.off)
    wanted = Extent(census=extent == "census")
    if extent == "since":
        wanted = replaying.backfill(here.opened, connection.name, flow, _day(since))
    number = hashlib.sha256(f"{connection.id}/{flow}/{extent}/{since}/{once}".encode()).hexdigest()[:32]
    cause = Cause.BACKFILL if wanted.since else Cause.PERSON
    (order,) = place(here, [Order(f"now/{number}", connection.id, flow, wanted, cause, who.name)]).orders
    return done(request, f"/c/{connection.name}/orders/{order}")


@routes.act("/c/{name}/schedules", May.CONFIGURE)
def set_schedule(
    request: Request,
    connection: Connected,
    here: Here,
    who: Who,
    flow: Scheduled = ALL,
    spec: Spec = "",
    census: Checked = "",
    catch_up: Checked = "",
) -> Response:
    """Set a schedule, or replace the one of the same flow."""
    _known(here, connection.name, flow)
    try:
        parsed = rules.parse(spec)
    except SettingsError as error:
        wrong = {
            "flow": flow,
            "spec": spec,
            "census": census,
            "catch_up": catch_up,
            "error": words.sentence(str(error)),
        }
        return _shown(request, connection.name, here, 422, schedule=wrong)
    tidy = " ".join(spec.split())
    here.schedules.set(connection.id, flow, tidy, who.name, census=bool(census), catch_up=bool(catch_up))
    return done(request, _place(connection.name), f"It runs {rules.in_words(parsed)} from now on.")


@routes.act("/c/{name}/schedules/{flow}/{what}", May.CONFIGURE)
def change_schedule(
    request: Request,
    connection: Connected,
    flow: Annotated[str, Path(max_length=64, pattern=r"^[a-z_]+$")],
    what: Annotated[Literal["pause", "resume", "remove"], Path()],
    here: Here,
    who: Who,
    census: Checked = "",
) -> Response:
    """Pause, resume or remove a schedule."""
    if what == "remove":
        found = here.schedules.remove(connection.id, flow, who.name, census=bool(census))
    else:
        paused = what == "pause"
        found = here.schedules.pause(connection.id, flow, who.name, census=bool(census), paused=paused)
    if not found:
        raise absent("that schedule is gone already; reload the page")
    said = {"pause": "It is paused.", "resume": "It goes on.", "remove": "It is removed."}[what]
    return done(request, _place(connection.name), said)


@routes.act("/c/{name}/blackouts", May.CONFIGURE)
def add_blackout(
    request: Request,
    connection: Connected,
    here: Here,
    who: Who,
    spec: Spec = "",
    flow: Scheduled = ALL,
    reason: Typed = "",
) -> Response:
    """Add a time in which nothing starts by itself."""
    _known(here, connection.name, flow)
    try:
        rules.Blackout.parse(spec)
    except SettingsError as error:
        wrong = {"spec": spec, "flow": flow, "reason": reason, "error": words.sentence(str(error))}
        return _shown(request, connection.name, here, 422, blackout=wrong)
    if len(here.schedules.blackouts(connection.id)) >= BLACKOUTS_MAX:
        raise SettingsError(f"there are {BLACKOUTS_MAX:,} blackouts already; remove those that are over")
    here.schedules.add_blackout(connection.id, flow, " ".join(spec.split()), reason.strip(), who.name)
    return done(
        request, _place(connection.name), "Nothing starts by itself in that time; one run catches up afterwards."
    )


@routes.act("/c/{name}/blackouts/{number}/remove", May.CONFIGURE)
def remove_blackout(
    request: Request,
    connection: Connected,
    number: Annotated[int, Path(ge=1, le=NUMBER_MAX)],
    here: Here,
    who: Who,
) -> Response:
    """Remove a blackout."""
    if not here.schedules.remove_blackout(connection.id, number, who.name):
        raise absent("that blackout is gone already; reload the page")
    return done(request, _place(connection.name), "The blackout is removed.")


def _shown(request: Request, name: str, here: Here, status: int = 200, **typed: dict[str, str]) -> Response:
    """The page, with what was typed where that was wrong."""
    view = views.set_up(here, here.opened.connections.get(name))
    forms = {"schedule": {}, "blackout": {}} | typed
    return render(request, "flows.html", status, connection=name, view=view, typed=forms)


def _known(here: Here, name: str, flow: str) -> None:
    if flow != ALL:
        at = ticking.place(here.opened, name)
        choice.chosen([flow], {*at.flows, *at.off})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(422, "invalid", "name the day from which on to read, such as 2026-09-01") from None


def _place(name: str) -> str:
    return f"/c/{name}/flows#schedules"
