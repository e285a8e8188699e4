"""Runs and orders: what ran, and what is at work while it is.

Rule: a page that follows an order is told by the server, at most once a second; so many may follow at a time, in all
and of each person, for a while, after which their browser asks again.
Must not know: SQL.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from ml_connector import flows
from ml_connector.console.api.shapes import Connected, Listing, Text
from ml_connector.console.pages.render import done, piece, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import Refused, absent
from ml_connector.console.site import Here, Site
from ml_connector.console.views import runs as views
from ml_connector.store.connections import Connection
from ml_connector.store.rights import May

EACH = 50
STREAMS_MAX, STREAMS_EACH_MAX = 50, 10
LIFE_S, EVERY_S = 60, 1.0
OrderPath = Annotated[str, Path(max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
RunPath = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]
Cursor = Annotated[str, Query(max_length=400, pattern=r"^[A-Za-z0-9_-]*$")]

routes = Pages()
_followed: list[int] = []  # who follows an order in this process


@routes.page("/c/{name}/runs", twin="/connections/{name}/runs")
def show_all(request: Request, connection: Connected, here: Here, flow: Text = "", cursor: Cursor = "") -> Response:
    """What ran, newest first."""
    return render(
        request,
        "runs.html",
        connection=connection.name,
        view=views.listed(here, connection, Listing(limit=EACH, cursor=cursor), flow),
        work=views.at_work(here, connection).orders,
        flow_chosen=flow,
        flow_names=list(flows.FLOWS),
    )


@routes.page("/c/{name}/runs/{run_id}", twin="/connections/{name}/runs/{run_id}")
def show_run(request: Request, connection: Connected, here: Here, run_id: RunPath) -> Response:
    """One run."""
    view = views.one(here, connection, run_id)
    if view is None:
        raise absent("there is no such run; old ones are forgotten after a while")
    return render(request, "run.html", connection=connection.name, view=view)


@routes.page("/c/{name}/orders/{order_id:path}/events")
async def follow(request: Request, connection: Connected, here: Here, who: Who, order_id: OrderPath) -> Response:
    """How far an order is, as it goes on."""
    await run_in_threadpool(_found, here, connection, order_id)
    if len(_followed) >= STREAMS_MAX or _followed.count(who.id) >= STREAMS_EACH_MAX:
        raise Refused(503, "busy", "too many pages are following runs; reload this one to see how far it is")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_told(request, here, connection, order_id, who.id), 200, headers, "text/event-stream")


@routes.page("/c/{name}/orders/{order_id:path}", twin="/orders/{order_id}")
def show_order(request: Request, connection: Connected, here: Here, order_id: OrderPath) -> Response:
    """One order, and how far it is."""
    view = _found(here, connection, order_id)
    return render(request, "order.html", connection=connection.name, view=view)


@routes.act("/c/{name}/orders/{order_id:path}/cancel", May.WORK)
def cancel(request: Request, connection: Connected, here: Here, who: Who, order_id: OrderPath) -> Response:
    """Take back an order that nobody has begun."""
    _found(here, connection, order_id)
    taken = here.orders.cancel(order_id, who.name)
    said = "It is taken back." if taken else "It was begun already; only what waits can be taken back."
    return done(request, f"/c/{connection.name}/orders/{order_id}", said)


def _found(here: Site, connection: Connection, order_id: str) -> views.OrderView:
    view = views.order(here, connection, order_id)
    if view is None:
        raise absent("there is no such order; ended ones are forgotten after a while")
    return view


async def _told(
    request: Request, here: Site, connection: Connection, order_id: str, person: int
) -> AsyncGenerator[str]:
    """What has changed, until it is over, nobody listens, or it is time to ask again."""
    _followed.append(person)
    try:
        last = ""
        for _ in range(int(LIFE_S / EVERY_S)):
            if await request.is_disconnected():
                return
            view = await run_in_threadpool(views.order, here, connection, order_id)
            if view is None or view.over:
                yield _event("over", "")
                return
            part = piece("order_part.html", view=view)
            yield _event("part", part) if part != last else ": still the same\n\n"
            last = part
            await asyncio.sleep(EVERY_S)
    finally:
        _followed.remove(person)


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
