"""Connect: credentials, live checks, the fit report, and going live one flow at a time.

Rule: a secret that was given is never shown again; what was wrong is entered again without the rest.
Must not know: SQL, what is checked.
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, Request, Response

from ml_connector.console import entered
from ml_connector.console.api.shapes import Connected
from ml_connector.console.entered import Entered
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.pasted import plain
from ml_connector.console.person import Who
from ml_connector.console.site import Here, Site
from ml_connector.console.views import connect
from ml_connector.engine import schedule as rules
from ml_connector.errors import SettingsError
from ml_connector.settings import Connection
from ml_connector.store.rights import May
from ml_connector.store.schedules import ALL
from ml_connector.store.versions import State, Version
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.wiring import Secrets, switching, versions
from ml_connector.wiring import connect as keep
from ml_connector.wiring.looking import Kind

EVERY = "every 15m"
Short = Annotated[str, Form(max_length=500)]
Long = Annotated[str, Form(max_length=10_000)]
Once = Annotated[str, Form(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")]

routes = Pages()


def _given(
    ifs_url: Short = "",
    realm: Short = "",
    client_id: Short = "",
    secret: Long = "",
    companies: Long = "",
    airbase_url: Short = "",
    auth: Short = "",
    token: Long = "",
    subsidiaries: Long = "",
) -> Entered:
    return Entered(ifs_url, realm, client_id, secret, companies, airbase_url, auth, token, subsidiaries)


Given = Annotated[Entered, Depends(_given)]


@routes.page("/connect", twin="/connections", right=May.ADMINISTER)
def show_new(request: Request) -> Response:
    """The form for a new connection."""
    return _new(request, "", Entered())


@routes.act("/connect", May.ADMINISTER)
def make(request: Request, who: Who, here: Here, given: Given, name: Short = "") -> Response:
    """Keep a new connection, all of its flows off, and check it."""
    called = plain(name)
    try:
        if called in here.opened.connections.names():
            raise SettingsError(f"there is a connection called {called} already; choose another name")
        _save(here, called, given, None, who.name)
    except SettingsError as error:
        return _new(request, called, given, str(error), 422)
    here.looks.start(called, Kind.CHECK, who.name)
    return done(request, _place(called), "Kept. The checks are under way.")


@routes.page("/c/{name}/connect", twin="/connections/{name}/connect")
def show(request: Request, connection: Connected, here: Here) -> Response:
    """A connection on its way to live."""
    return _page(request, here, connection)


@routes.act("/c/{name}/connect", May.ADMINISTER)
def change(request: Request, who: Who, here: Here, connection: Connected, given: Given) -> Response:
    """Keep other credentials, and check them."""
    base = versions.number_in_force(here.opened, connection.name)
    try:
        made = _save(here, connection.name, given, versions.present(here.opened, connection.name), who.name, base)
    except SettingsError as error:
        return _page(request, here, connection, 422, given=given, error=str(error))
    here.looks.start(connection.name, Kind.CHECK, who.name)
    if made and made.state is State.PROPOSED:
        return done(request, _place(connection.name), f"Somebody else has to agree: it waits as version {made.number}.")
    return done(request, _place(connection.name), "Kept. The checks are under way.")


@routes.act("/c/{name}/connect/check", May.CONFIGURE)
def check(request: Request, who: Who, here: Here, connection: Connected) -> Response:
    """Check once more."""
    here.looks.start(connection.name, Kind.CHECK, who.name)
    return done(request, _place(connection.name))


@routes.page("/c/{name}/fit", twin="/connections/{name}/fit")
def show_fit(request: Request, connection: Connected, here: Here) -> Response:
    """The fit report."""
    return render(request, "fit.html", connection=connection.name, view=connect.fit(here, connection))


@routes.act("/c/{name}/fit", May.CONFIGURE)
def start_fit(request: Request, who: Who, here: Here, connection: Connected) -> Response:
    """Look whether the two fit."""
    here.looks.start(connection.name, Kind.FIT, who.name)
    return done(request, f"/c/{quote(connection.name)}/fit")


@routes.act("/c/{name}/connect/live", May.CONFIGURE)
def go_live(
    request: Request,
    who: Who,
    here: Here,
    connection: Connected,
    flow: Short = "",
    every: Short = "",
    run: Short = "",
    once: Once = "",
) -> Response:
    """Switch a flow on; give it a schedule and a first run where that is wanted."""
    said = [switching.switch(here.opened, connection.name, flow, on=True, person=who.name)]
    if flow not in versions.present(here.opened, connection.name).off:
        said += _scheduled(here, connection.id, flow, who.name) if every else []
        said += _ordered(here, connection.id, flow, who.name, once) if run and once else []
    return done(request, _place(connection.name), " ".join(said))


@routes.act("/c/{name}/connect/post", May.CONFIGURE)
def post(request: Request, who: Who, here: Here, connection: Connected, flow: Short = "") -> Response:
    """Have documents of a flow among those that are posted."""
    return done(request, _place(connection.name), switching.post(here.opened, connection.name, flow, person=who.name))


def _scheduled(here: Site, connection_id: int, flow: str, person: str) -> list[str]:
    """Give a flow a schedule, unless there is one that runs it."""
    there = [one for one in here.schedules.all(connection_id) if one.flow in (flow, ALL) and not one.census]
    if there:
        return ["It follows the schedule there is."]
    here.schedules.set(connection_id, flow, EVERY, person, census=False, catch_up=True)
    return [f"It runs {rules.in_words(rules.parse(EVERY))}."]


def _ordered(here: Site, connection_id: int, flow: str, person: str, once: str) -> list[str]:
    here.orders.place(Order(f"live/{once}", connection_id, flow, Extent(), Cause.PERSON, person))
    here.nudge()
    return ["Its first run is ordered."]


def _save(
    here: Site, name: str, given: Entered, before: Connection | None, person: str, base: int | None = None
) -> Version | None:
    made = entered.connection(given, before, private=here.installation.allow_private_systems)
    secrets: Secrets = entered.secrets(given, made, before)
    return keep(here.opened, name, made, secrets, person=person, note="entered in the console", base=base)


def _new(request: Request, name: str, given: Entered, error: str = "", status: int = 200) -> Response:
    return render(request, "connect_new.html", status, name=name, given=given, error=error)


def _page(
    request: Request, here: Site, connection: Any, status: int = 200, given: Entered | None = None, error: str = ""
) -> Response:
    view = connect.connect(here, connection)
    values = {"view": view, "given": given, "error": error, "every": rules.in_words(rules.parse(EVERY))}
    return render(request, "connect.html", status, connection=connection.name, **values)


def _place(name: str) -> str:
    return f"/c/{quote(name)}/connect"
