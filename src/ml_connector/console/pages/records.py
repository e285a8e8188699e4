"""Records: looked for, and each with all that is known of it.

Rule: what is looked for stands in the address, so that it can be shared; editing goes where the source is asked anew.
Must not know: SQL.
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Path, Query, Request, Response
from pydantic import Field

from ml_connector import flows
from ml_connector.console.api import shapes
from ml_connector.console.api.records import At, Search
from ml_connector.console.api.shapes import PLAIN, Asked, Connected, Flow, Key, Text
from ml_connector.console.looking_ahead import joined
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.console.views import record, records
from ml_connector.errors import SettingsError
from ml_connector.store.connections import Connection
from ml_connector.store.rights import May
from ml_connector.wiring import editing

routes = Pages()
KeyPath = Annotated[str, Path(max_length=500, pattern=PLAIN)]


class Edited(Asked):
    """A value that somebody puts right, and why; with `undo` its own value counts again."""

    flow: Text
    key: Key
    path: Annotated[str, Field(max_length=200, pattern=PLAIN)] = ""
    value: Annotated[str, Field(max_length=2000, pattern=PLAIN)] = ""
    reason: Annotated[str, Field(max_length=500, pattern=PLAIN)] = ""
    undo: bool = False
    csrf: str = ""


@routes.page("/c/{name}/records", twin="/connections/{name}/records")
def show_list(request: Request, connection: Connected, here: Here, asked: Annotated[Search, Query()]) -> Response:
    """Records that were looked for; nothing asked for: those to which something happened last."""
    kept, looked = records.of(here.opened, connection.id), records.searchable(asked.q)
    if looked:
        view, following = records.found(kept, asked.q, asked.flow, shapes.after(asked, At), records.PAGE)
        view = view.model_copy(update={"next": shapes.cursor(following) if following else None})
    else:
        view = records.lately(kept)
    titles = [(flow.name, flow.title) for flow in flows.FLOWS.values()]
    shown: dict[str, Any] = {"view": view, "asked": asked, "looked": looked, "flows": titles}
    return render(request, "records.html", 200, connection=connection.name, **shown)


@routes.page("/c/{name}/records/{flow}/{key:path}", twin="/connections/{name}/record/{flow}/{key}")
def show_one(request: Request, connection: Connected, here: Here, flow: Flow, key: KeyPath) -> Response:
    """One record."""
    return _page(request, here, connection, flow, key)


@routes.act("/c/{name}/edit", May.WORK)
def edit(request: Request, connection: Connected, here: Here, who: Who, edited: Annotated[Edited, Form()]) -> Response:
    """Put a value of a record right; it counts from the next run on, or when a second person agrees."""
    place = f"/c/{quote(connection.name, safe='')}/records/{edited.flow}/{quote(edited.key)}"
    try:
        with joined(here, connection.name, who.name) as both:
            if edited.undo:
                editing.undo(both, edited.flow, edited.key, edited.reason)
                return done(request, place, "The record's own values count again.")
            kept = editing.edit(both, edited.flow, edited.key, {edited.path: edited.value}, edited.reason)
    except SettingsError as error:
        return _page(request, here, connection, edited.flow, edited.key, error=str(error), typed=edited)
    waits = "A second person has to agree; until then nothing changes." if kept.waits else "It counts from now on."
    return done(request, place, f"{edited.path} is edited. {waits}")


def _page(
    request: Request,
    here: Here,
    connection: Connection,
    flow: str,
    key: str,
    *,
    error: str = "",
    typed: Edited | None = None,
) -> Response:
    view = record.shown(here.opened, connection, flow, key)
    if view is None:
        raise absent(f"nothing is known of {key!r} in {flow}; look for it by another number or name")
    shown = {"view": view, "error": error, "typed": typed}
    return render(request, "record.html", 422 if error else 200, connection=connection.name, **shown)
