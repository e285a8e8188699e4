"""The journal: of a connection for whoever may look, of the installation for those who look after it or approve.

Rule: an export is sent entry by entry, in bounded memory; a table never holds a body.
Must not know: SQL.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from ml_connector import flows
from ml_connector.console.api import journal as api
from ml_connector.console.api.journal import Search, Which
from ml_connector.console.api.shapes import Connected, shown_key
from ml_connector.console.pages.render import TEMPLATES, done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import Refused
from ml_connector.console.site import Here, Site
from ml_connector.console.views import journal as view
from ml_connector.records.sheet import line
from ml_connector.store.journal import Journal, JournalEntry, Kind
from ml_connector.store.rights import May
from ml_connector.store.schema import INSTALLATION
from ml_connector.wiring import installation_journal, replaying

routes = Pages()
UTC = ZoneInfo("UTC")
HEADINGS = ("entry", "at", "kind", "flow", "record", "run", "facts", "hash")
SHOWN = 50
SENTENCE = "Every entry is being read. The verdict is shown here."
TEMPLATES.filters["body_text"] = view.body_text  # pyright: ignore[reportUnknownMemberType] - open to more
Asked = Annotated[Search, Query()]
Chosen = Annotated[Which, Query()]


def _trusted(who: Who) -> None:
    if not (who.can("administer") or who.can("approve")):
        raise Refused(403, "forbidden", "the installation's journal is for administrators and approvers")


TRUSTED = [Depends(_trusted)]


@routes.page("/c/{name}/journal", twin="/connections/{name}/journal")
def show(request: Request, connection: Connected, here: Here, asked: Asked) -> Response:
    """What was done in a connection."""
    zone = replaying.zone_of(here.opened, connection.name)
    return _page(request, here, connection.id, asked, zone, connection.name)


@routes.page("/c/{name}/journal/export.jsonl")
def export_lines(connection: Connected, here: Here, asked: Chosen) -> Response:
    """The same as JSON lines, oldest first."""
    zone = replaying.zone_of(here.opened, connection.name)
    return _file(_lines(_entries(here, connection.id, asked, zone)), f"journal-{connection.name}.jsonl")


@routes.page("/c/{name}/journal/export.csv")
def exporttable(connection: Connected, here: Here, asked: Chosen) -> Response:
    """The same as a table, oldest first."""
    zone = replaying.zone_of(here.opened, connection.name)
    return _file(table(_entries(here, connection.id, asked, zone)), f"journal-{connection.name}.csv")


@routes.act("/c/{name}/journal/verify", May.WORK)
def verify(request: Request, connection: Connected, here: Here) -> Response:
    """Check every entry; it changes nothing."""
    here.verifying.start(connection.id, Journal(here.opened.database, here.opened.vault, connection.id))
    return done(request, f"/c/{connection.name}/journal", SENTENCE)


@routes.get("/journal", dependencies=TRUSTED, openapi_extra={"x-twin": "/journal"})
def show_installation(request: Request, here: Here, asked: Asked) -> Response:
    """What was done in the installation."""
    return _page(request, here, INSTALLATION, asked, UTC, "")


@routes.get("/journal/export.jsonl", dependencies=TRUSTED)
def export_installation_lines(here: Here, asked: Chosen) -> Response:
    """The same as JSON lines."""
    return _file(_lines(_entries(here, INSTALLATION, asked, UTC)), "journal.jsonl")


@routes.get("/journal/export.csv", dependencies=TRUSTED)
def export_installationtable(here: Here, asked: Chosen) -> Response:
    """The same as a table."""
    return _file(table(_entries(here, INSTALLATION, asked, UTC)), "journal.csv")


@routes.act("/journal/verify", May.WORK)
def verify_installation(request: Request, here: Here, who: Who) -> Response:
    """Check every entry of the installation's journal."""
    _trusted(who)
    here.verifying.start(INSTALLATION, installation_journal(here.opened))
    return done(request, "/journal", SENTENCE)


def _page(request: Request, here: Site, connection_id: int, asked: Search, zone: ZoneInfo, name: str) -> Response:
    shown: dict[str, Any] = {
        "title": "Journal" if name else "Installation's journal",
        "view": api.listed(here, connection_id, asked.model_copy(update={"limit": SHOWN}), zone),
        "asked": asked,
        "verdict": here.verifying.latest(connection_id),
        "kinds": [(kind.value, view.SAID[kind][1]) for kind in Kind],
        "flows": [(flow.name, flow.title) for flow in flows.FLOWS.values()],
    }
    return render(request, "journal.html", 200, connection=name, **shown)


def _entries(here: Site, connection_id: int, asked: Which, zone: ZoneInfo) -> Iterator[JournalEntry]:
    return api.pages_of(here, connection_id).stream(api.chosen(asked, zone))


def _lines(entries: Iterable[JournalEntry]) -> Iterator[bytes]:
    return (msgspec.json.encode(one) + b"\n" for one in entries)


def table(entries: Iterable[JournalEntry]) -> Iterator[str]:
    """Entries as lines of CSV, without their bodies."""
    yield line(HEADINGS)
    for one in entries:
        facts = msgspec.json.encode(one.facts).decode()
        yield line([one.seq, one.at.isoformat(), one.kind, one.flow, shown_key(one.key), one.run_id, facts, one.hash])


def _file(content: Iterator[bytes] | Iterator[str], name: str) -> Response:
    kind = "text/csv; charset=utf-8" if name.endswith(".csv") else "application/jsonl"
    kept = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=kind, headers=kept)
