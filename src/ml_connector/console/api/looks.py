"""Looks over HTTP: the checks of a connection, and its fit report.

Rule: a look reads both systems in the background and writes to neither; what was found last is answered.
Must not know: what is looked at.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool

from ml_connector.console.api.shapes import Connected
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import documented
from ml_connector.console.site import Here
from ml_connector.console.views import connect
from ml_connector.console.views.connect import ChecksShown, ConnectShown, FitShown
from ml_connector.wiring.looking import Kind


@asynccontextmanager
async def _ended(app: FastAPI) -> AsyncGenerator[None]:
    yield
    await run_in_threadpool(app.state.site.looks.stop)


routes = APIRouter(tags=["looks"], route_class=Guarded, lifespan=_ended)


@routes.get("/connections/{name}/connect")
def get_connect(connection: Connected, here: Here) -> ConnectShown:
    """A connection on its way to live: how it is reached, its checks, its fit, its flows."""
    return connect.connect(here, connection)


@routes.get("/connections/{name}/checks")
def get_checks(connection: Connected, here: Here) -> ChecksShown:
    """The latest checks, also while they are made."""
    return connect.checks(here, connection)


@routes.post("/connections/{name}/checks", status_code=202, responses=documented(403))
def start_checks(connection: Connected, here: Here, who: Operator) -> ChecksShown:
    """Check both systems, step by step; nothing is written. Under way already: nothing more is done."""
    here.looks.start(connection.name, Kind.CHECK, who.person)
    return connect.checks(here, connection)


@routes.get("/connections/{name}/fit")
def get_fit(connection: Connected, here: Here) -> FitShown:
    """The latest fit report, also while it is made."""
    return connect.fit(here, connection)


@routes.post("/connections/{name}/fit", status_code=202, responses=documented(403))
def start_fit(connection: Connected, here: Here, who: Operator) -> FitShown:
    """Look whether all that both systems have would go through; nothing is written."""
    here.looks.start(connection.name, Kind.FIT, who.person)
    return connect.fit(here, connection)
