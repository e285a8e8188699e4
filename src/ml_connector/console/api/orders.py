"""Orders over HTTP: what was ordered, order something, take it back.

Rule: whoever orders is named by their token.
Must not know: how an order is carried out.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StrictBool

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import Asked, Connected, Key, Listing, Page, Shown, Text
from ml_connector.console.auth import Guarded, Operator
from ml_connector.console.refusals import Refused, absent, documented
from ml_connector.console.site import Here, Site
from ml_connector.store.connections import Connection
from ml_connector.store.orders import Placed
from ml_connector.sync.orders import Cause, Extent, Order, State
from ml_connector.wiring import choice, replaying, ticking
from ml_connector.wiring.replaying import Choice

routes = APIRouter(tags=["orders"], route_class=Guarded)
KEYS_SHOWN, KEYS_MAX = 20, 1000
OrderId = Annotated[str, Path(max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$", description="An order's id.")]
At = tuple[datetime, Annotated[str, msgspec.Meta(max_length=300, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]]


class ExtentShown(Shown):
    """How much of a flow: what changed, all, some records, or what is dated from a day on."""

    census: bool
    keys: list[str] = Field(description="The records; in lists, the first of them.")
    keys_total: int
    since: date | None


class OrderShown(Shown):
    """An order, and what became of it."""

    id: str
    connection: str = Field(description="Empty: the connection was removed.")
    flow: str
    extent: ExtentShown
    cause: Cause
    person: str
    state: State
    attempts: int
    placed_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    run_id: str
    figures: dict[str, int]
    error: str


class OrderListing(Listing):
    """Which orders."""

    connection: Text = Field("", description="Only of this connection.")
    flow: Text = Field("", description="Only of this flow.")
    state: State | None = Field(None, description="Only in this state.")


class OrderAsked(Asked):
    """What to run; at most one of census, keys and since."""

    flow: Text
    census: StrictBool = Field(False, description="Compare everything on both sides, not only what changed.")
    keys: list[Key] = Field([], max_length=KEYS_MAX, description="Only these records, of several parts A/B.")
    since: date | None = Field(None, description="Everything that is dated from this day on.")


class Ordered(Shown):
    """The orders that were placed, or that wait already and cover it."""

    orders: list[str]


@routes.get("/orders")
def list_orders(listing: Annotated[OrderListing, Query()], here: Here) -> Page[OrderShown]:
    """What was ordered, newest first."""
    names = _names(here)
    chosen = next((number for number, name in names.items() if name == listing.connection), None)
    if listing.connection and chosen is None:
        raise absent("there is no connection of this name")
    at = shapes.after(listing, At)
    rows = here.orders.recent(
        chosen, listing.flow or None, listing.limit + 1, listing.state, (shapes.zoned(at[0]), at[1]) if at else None
    )
    return shapes.page(listing, rows, lambda one: shown(one, names, KEYS_SHOWN), _place)


@routes.get("/orders/{order_id:path}")
def get_order(order_id: OrderId, here: Here) -> OrderShown:
    """One order."""
    return shown(_found(here, order_id), _names(here))


@routes.delete("/orders/{order_id:path}", responses=documented(403))
def cancel_order(order_id: OrderId, here: Here, who: Operator) -> OrderShown:
    """Take back an order that nobody has begun."""
    cancelled = here.orders.cancel(order_id, who.person)
    found = _found(here, order_id)
    if not cancelled:
        raise Refused(409, "begun", f"it is {found.order.state} by now; only what is queued can be taken back")
    return shown(found, _names(here))


@routes.post("/connections/{name}/orders", status_code=202, responses=documented(403))
def place_order(asked: OrderAsked, connection: Connected, here: Here, who: Operator, response: Response) -> Ordered:
    """Run a flow now: a worker does it."""
    if sum((asked.census, bool(asked.keys), asked.since is not None)) > 1:
        raise Refused(422, "invalid", "at most one of census, keys and since")
    placed = place(here, _wanted(asked, connection, here, who.person))
    response.headers["Location"] = f"/api/v1/orders/{placed.orders[0]}"
    return placed


def place(here: Site, wanted: list[Order]) -> Ordered:
    """Place orders, and have the worker beside look for them."""
    placed = [here.orders.place(order) for order in wanted]
    here.nudge()
    return Ordered(orders=list(dict.fromkeys(placed)))


def shown(one: Placed, names: dict[int, str], keys_max: int = KEYS_MAX) -> OrderShown:
    """An order as it is answered."""
    order, extent = one.order, one.order.extent
    listed = [shapes.shown_key(key) for key in extent.keys[:keys_max]]
    return OrderShown(
        id=order.id,
        connection=names.get(order.connection_id, ""),
        flow=order.flow,
        extent=ExtentShown(census=extent.census, keys=listed, keys_total=len(extent.keys), since=extent.since),
        cause=order.cause,
        person=order.person,
        state=order.state,
        attempts=order.attempts,
        placed_at=order.placed_at,
        started_at=one.started_at,
        finished_at=one.finished_at,
        run_id=one.run_id,
        figures=one.figures,
        error=one.error,
    )


def _wanted(asked: OrderAsked, connection: Connection, here: Site, person: str) -> list[Order]:
    if asked.since:
        return [replaying.backfill_order(here.opened, connection.name, asked.flow, asked.since, person)]
    at = ticking.place(here.opened, connection.name)
    choice.chosen([asked.flow], set(at.flows), at.off)
    extent = Extent(census=asked.census)
    if asked.keys:
        chosen = replaying.select(here.opened, connection.name, Choice(tuple(asked.keys), asked.flow))
        extent = Extent(keys=tuple(chosen[asked.flow]))
    return [Order(f"now/{uuid4().hex}", connection.id, asked.flow, extent, Cause.PERSON, person)]


def _found(here: Site, order_id: str) -> Placed:
    found = here.orders.get(order_id)
    if found is None:
        raise absent("there is no order of this id; ended ones are forgotten after a while")
    return found


def _names(here: Site) -> dict[int, str]:
    return {number: name for number, (name, _) in here.opened.connections.versions().items()}


def _place(one: Placed) -> tuple[datetime | None, str]:
    return (one.order.placed_at, one.order.id)
