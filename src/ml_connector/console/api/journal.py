"""The journal over HTTP: looked at, verified, of a connection or of the installation.

Rule: entries are read from the end, a bounded stretch at a time; what is not found in it may lie further back.
Must not know: how entries are kept.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator, Field, WithJsonSchema

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import Asked, Connected, Listing, Shown, Text
from ml_connector.console.auth import Guarded, Operator, administering
from ml_connector.console.refusals import documented
from ml_connector.console.site import Here, Site
from ml_connector.console.verifying import Found
from ml_connector.console.views import journal as view
from ml_connector.console.views.journal import JournalShown
from ml_connector.store.journal import Journal
from ml_connector.store.journal_pages import NO_MORE, Filter, JournalPages
from ml_connector.store.schema import INSTALLATION
from ml_connector.wiring import installation_journal, replaying

routes = APIRouter(tags=["journal"], route_class=Guarded)
ADMIN = [Depends(administering)]
Before = Annotated[int, msgspec.Meta(ge=1, le=NO_MORE)]
Key = Annotated[str, Field(max_length=500, pattern=shapes.PLAIN)]
# a form sends what was left empty, too
DAY = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "maxLength": 0}]}


def _day(given: str | None) -> date | None:
    """A day as it is written, and nothing that could be taken for one."""
    if not given:
        return None
    if len(given) != len("2026-09-01"):
        raise ValueError("a day looks like 2026-09-01")
    return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC).date()


Day = Annotated[date | None, BeforeValidator(_day), WithJsonSchema(DAY)]


class Which(Asked):
    """Which entries."""

    kind: Text = Field("", description="Only of this kind, such as settled or held.")
    flow: Text = Field("", description="Only of this flow.")
    key: Key = Field("", description="Only of this record; of several parts A/B.")
    run: Text = Field("", description="Only of this run.")
    person: Text = Field("", description="Only what this person did.")
    since: Day = Field(None, description="From this day on, in the connection's zone.")
    until: Day = Field(None, description="Up to this day, and all of it.")


class Search(Which, Listing):
    """Which entries, and from where on."""


class BrokenShown(Shown):
    """An entry that is not as it was written."""

    seq: int
    what: str


class VerdictShown(Shown):
    """Whether a journal is whole, as it was last found; `at` null: it was not verified by this process yet."""

    at: datetime | None
    busy: bool
    ok: bool
    entries: int
    broken: list[BrokenShown]
    error: str


@routes.get("/connections/{name}/journal")
def list_journal(asked: Annotated[Search, Query()], connection: Connected, here: Here) -> JournalShown:
    """What was done in a connection, newest first."""
    return listed(here, connection.id, asked, replaying.zone_of(here.opened, connection.name))


@routes.get("/connections/{name}/journal/verdict")
def get_verdict(connection: Connected, here: Here) -> VerdictShown:
    """Whether the journal of a connection was found whole."""
    return _verdict(here.verifying.latest(connection.id))


@routes.post("/connections/{name}/journal/verdict", status_code=202, responses=documented(403))
def verify_journal(connection: Connected, here: Here, who: Operator) -> VerdictShown:
    """Check every entry of the journal, in the background."""
    del who
    here.verifying.start(connection.id, Journal(here.opened.database, here.opened.vault, connection.id))
    return _verdict(here.verifying.latest(connection.id))


@routes.get("/journal", dependencies=ADMIN, responses=documented(403))
def list_installation_journal(asked: Annotated[Search, Query()], here: Here) -> JournalShown:
    """What was done in the installation, such as who signed in, newest first."""
    return listed(here, INSTALLATION, asked, ZoneInfo("UTC"))


@routes.get("/journal/verdict", dependencies=ADMIN, responses=documented(403))
def get_installation_verdict(here: Here) -> VerdictShown:
    """Whether the journal of the installation was found whole."""
    return _verdict(here.verifying.latest(INSTALLATION))


@routes.post("/journal/verdict", status_code=202, dependencies=ADMIN, responses=documented(403))
def verify_installation_journal(here: Here) -> VerdictShown:
    """Check every entry of the installation's journal, in the background."""
    here.verifying.start(INSTALLATION, installation_journal(here.opened))
    return _verdict(here.verifying.latest(INSTALLATION))


def listed(here: Site, connection_id: int, asked: Search, zone: ZoneInfo) -> JournalShown:
    """A part of a journal."""
    at = shapes.after(asked, tuple[Before])
    part = pages_of(here, connection_id).part(chosen(asked, zone), asked.limit, at[0] if at else NO_MORE)
    return view.shown(part).model_copy(update={"next": shapes.cursor((part.before,)) if part.before else None})


def pages_of(here: Site, connection_id: int) -> JournalPages:
    """A journal, to be looked at."""
    return JournalPages(here.opened.database, here.opened.vault, connection_id)


def chosen(asked: Which, zone: ZoneInfo) -> Filter:
    """Which entries are meant; days begin in a zone. Raises: Refused for a day that no calendar has."""
    since, until = (_begin(day, zone, plus) for day, plus in ((asked.since, 0), (asked.until, 1)))
    key = shapes.key_of(asked.key)
    return Filter(asked.kind, asked.flow, key, asked.run, asked.person, since, until)


def _begin(day: date | None, zone: ZoneInfo, plus: int) -> datetime | None:
    if day is None or (plus and day == date.max):
        return None
    return shapes.zoned(datetime.combine(day + timedelta(days=plus), time(), zone)).astimezone(UTC)


def _verdict(found: Found | None) -> VerdictShown:
    if found is None:
        return VerdictShown(at=None, busy=False, ok=False, entries=0, broken=[], error="")
    told: dict[str, Any] = {"at": found.at, "busy": found.busy, "entries": found.entries, "error": found.error}
    ok = not (found.busy or found.broken or found.error)
    return VerdictShown(**told, ok=ok, broken=[BrokenShown(seq=seq, what=what) for seq, what in found.broken])
