"""A connection at a glance over HTTP, and how its flows are set up.

Rule: the views as they are.
Must not know: how they are put together.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from ml_connector.console.api.shapes import Connected
from ml_connector.console.auth import Guarded
from ml_connector.console.site import Here
from ml_connector.console.views import flows, home
from ml_connector.console.views.flows import FlowsSetUp, Slots
from ml_connector.console.views.home import Overview

routes = APIRouter(tags=["connections"], route_class=Guarded)


@routes.get("/connections/{name}/overview")
def get_overview(connection: Connected, here: Here) -> Overview:
    """How a connection stands: what needs a person, each flow, what was asked of the systems."""
    return home.overview_of(here, connection)


@routes.get("/connections/{name}/set-up")
def get_set_up(connection: Connected, here: Here) -> FlowsSetUp:
    """How the flows of a connection are set up: on or off, schedules, limits, blackouts."""
    return flows.set_up(here, connection)


@routes.get("/connections/{name}/slots")
def get_slots(
    connection: Connected,
    here: Here,
    spec: Annotated[str, Query(max_length=300, description='Cron "*/15 * * * *" or "every 15m".')] = "",
    blackout: Annotated[bool, Query(description="It is a blackout: “0 18 L * * for 60h”.")] = False,
) -> Slots:
    """What a schedule or a blackout would mean: in words, and by when it comes next."""
    return (flows.echo_blackout if blackout else flows.echo)(here, connection, spec)
