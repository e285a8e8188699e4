"""Replay: records are looked at again, after it was shown what would become of them.

Rule: the page tells at once which records it is about; what would happen takes both systems, and comes after.
Must not know: SQL.
"""

import hashlib
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import Form, Query, Request, Response
from pydantic import Field

from ml_connector.console.api.shapes import Asked, Connected, Key, Text
from ml_connector.console.looking_ahead import joined
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.site import Here, Site
from ml_connector.console.views import replay
from ml_connector.errors import BusyError, SettingsError
from ml_connector.store.connections import Connection
from ml_connector.store.rights import May
from ml_connector.wiring import replaying
from ml_connector.wiring.replaying import Choice, Chosen

TWIN = "/connections/{name}/replay"
KEYS_MAX = 200

routes = Pages()


class Which(Asked):
    """Which records: these, or those that need a person, by flow and cause."""

    flow: Text = ""
    cause: Text = ""
    key: list[Key] = Field([], max_length=KEYS_MAX)


class Pressed(Which):
    """The same, as a form has it."""

    once: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    csrf: str = ""


Seen = Annotated[Which, Query()]


@routes.page("/c/{name}/replay", twin=TWIN)
def show(request: Request, connection: Connected, here: Here, which: Seen) -> Response:
    """Which records would be looked at again."""
    return _page(request, here, connection, which, _chosen(here, connection, which), None)


@routes.page("/c/{name}/replay/preview", twin=TWIN, right=May.WORK)
def show_preview(request: Request, connection: Connected, here: Here, who: Who, which: Seen) -> Response:
    """What would become of them."""
    chosen = _chosen(here, connection, which)
    try:
        with joined(here, connection.name, who.name) as both:
            preview = replay.preview(both, chosen)
    except BusyError:
        if not request.headers.get("hx-request"):
            raise
        return render(request, "replay_later.html", connection=connection.name)
    return _page(request, here, connection, which, chosen, preview)


@routes.act("/c/{name}/replay", May.WORK)
def act(request: Request, connection: Connected, here: Here, who: Who, pressed: Annotated[Pressed, Form()]) -> Response:
    """Have them looked at again; a second press of the same form does nothing more."""
    chosen = _chosen(here, connection, pressed)
    orders = replaying.orders_for(here.opened, connection.name, chosen, who.name)
    placed = replay.place(here.opened.database, orders, _press(connection, who, pressed))
    here.nudge()
    total, base = sum(len(keys) for keys in chosen.values()), f"/c/{quote(connection.name, safe='')}"
    sentence = f"{total:,} record{' is' if total == 1 else 's are'} being looked at again."
    return done(request, f"{base}/orders/{placed[0]}" if len(placed) == 1 else f"{base}/runs", sentence)


def _press(connection: Connection, who: Who, pressed: Pressed) -> str:
    """What is the same only when the same person sends the same form again."""
    what = [connection.id, who.id, pressed.flow, pressed.cause, pressed.key, pressed.once]
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:32]


def _page(
    request: Request, here: Site, connection: Connection, which: Which, chosen: Chosen, preview: replay.Preview | None
) -> Response:
    part = preview is not None and request.headers.get("hx-request")
    view = replay.asked(here.opened, connection, chosen, which.flow, which.cause)
    template = "replay_preview.html" if part else "replay.html"
    return render(request, template, connection=connection.name, view=view, keys=which.key, preview=preview)


def _chosen(here: Site, connection: Connection, which: Which) -> Chosen:
    if not (which.flow or which.cause or which.key):
        raise SettingsError("which records? Choose them among the exceptions, or open a record and replay it")
    chosen = replaying.select(here.opened, connection.name, Choice(tuple(which.key), which.flow, which.cause))
    if not chosen:
        raise SettingsError("none of these waits any more: what held them is gone, or a run has seen to them")
    return chosen
