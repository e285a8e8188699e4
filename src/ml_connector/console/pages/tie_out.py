"""Tie-outs: both sides counted and summed, period by period; signed off by a person, taken along as a file.

Rule: what is signed off is named by its digest, so that it is what was looked at.
Must not know: SQL, how the sides are compared.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Annotated, Any
from urllib.parse import quote

from fastapi import Form, Request, Response
from fastapi.responses import StreamingResponse

from ml_connector.compare.tieout import tables
from ml_connector.console.api.shapes import Connected
from ml_connector.console.api.tie_outs import PERIOD, Numbered, Period
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.site import Here, Site
from ml_connector.console.views import tie_out as views
from ml_connector.store.rights import May
from ml_connector.store.tie_outs import NOTE_MAX, Kept
from ml_connector.wiring import replaying, tie_outs
from ml_connector.wiring.looking import Kind

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE, LINES, SHOWN = 65_536, 500, 100

routes = Pages()


@routes.page("/c/{name}/tie-out", twin="/connections/{name}/tie-outs")
def show_all(request: Request, connection: Connected, here: Here) -> Response:
    """The tie-outs that were made, and the form for another."""
    view = views.listed(here, connection)
    shown: dict[str, Any] = {"view": view, "news": views.is_news(view.making, "", view.tie_outs)}
    usual = views.usual_period(datetime.now(replaying.zone_of(here.opened, connection.name)).date())
    return render(request, "tie_outs.html", connection=connection.name, usual=usual, **shown)


@routes.act("/c/{name}/tie-out", May.WORK)
def make(
    request: Request, who: Who, connection: Connected, here: Here, period: Annotated[str, Form(pattern=PERIOD)]
) -> Response:
    """Make one, in the background."""
    here.looks.start(connection.name, Kind.TIE_OUT, who.name, period)
    begun = views.making(here, connection)
    other = begun.period if begun and begun.period != period else ""
    said = f"Period {other} is being tied out just now; do {period} again when that is done." if other else ""
    return done(request, _place(connection.name, other or period), said)


@routes.page("/c/{name}/tie-out/{period}", twin="/connections/{name}/tie-outs/{period}")
def show(request: Request, who: Who, connection: Connected, here: Here, period: Period) -> Response:
    """The tie-out of a period that counts."""
    one = views.chosen(tie_outs.of(here.opened, connection.name), period)
    return _page(request, who, here, connection, period, one)


@routes.page("/c/{name}/tie-out/{period}/{number}", twin="/connections/{name}/tie-outs/{period}/{number}")
def show_one(request: Request, who: Who, connection: Connected, here: Here, period: Period, one: Numbered) -> Response:
    """One tie-out of a period."""
    return _page(request, who, here, connection, period, one)


@routes.act("/c/{name}/tie-out/{period}/{number}/sign", May.APPROVE)
def sign(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    one: Numbered,
    digest: Annotated[str, Form(max_length=64)] = "",
    note: Annotated[str, Form(max_length=NOTE_MAX)] = "",
) -> Response:
    """Sign one off."""
    signed = tie_outs.sign(here.opened, connection.name, one.number, digest, who.name, note)
    said = f"Signed off: tie-out {signed.number}, SHA-256 {signed.short}…. It does not change any more."
    return done(request, f"{_place(connection.name, one.period)}/{one.number}", said)


@routes.page("/c/{name}/tie-out/{period}/{number}/documents.csv")
def as_csv(connection: Connected, here: Here, one: Numbered) -> Response:
    """Its documents as a table."""
    lines = tie_outs.of(here.opened, connection.name).lines(one.number)
    return _file(_some(tables.as_csv(lines)), "text/csv; charset=utf-8", connection.name, one, "csv")


@routes.page("/c/{name}/tie-out/{period}/{number}/tie-out.xlsx")
def as_workbook(connection: Connected, here: Here, one: Numbered) -> Response:
    """All of it as a workbook."""
    from ml_connector.console import workbook  # here, as few need it

    kept = tie_outs.of(here.opened, connection.name)
    facts = tables.kept_as(one.number, one.digest, one.signed_at, one.signed_by, one.note)
    with ExitStack() as unless_sent:
        file = unless_sent.enter_context(TemporaryFile())
        workbook.write(file, tables.sheets(kept.content(one.number), kept.lines(one.number), facts))
        file.seek(0)
        unless_sent.pop_all()
    return _file(_pieces(file), XLSX, connection.name, one, "xlsx")


def _some(lines: Iterator[str]) -> Iterator[str]:
    """Many lines at a time, as each time costs."""
    while some := "".join(islice(lines, LINES)):
        yield some


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _file(content: Iterator[str] | Iterator[bytes], kind: str, name: str, one: Kept, ending: str) -> Response:
    called = quote(f"tie-out-{name}-{one.period}-{one.number}.{ending}")
    kept = {"content-disposition": f"attachment; filename=\"tie-out.{ending}\"; filename*=UTF-8''{called}"}
    return StreamingResponse(content, media_type=kind, headers=kept)


def _page(request: Request, who: Who, here: Site, connection: Connected, period: str, one: Kept | None) -> Response:
    view = views.shown(here, connection, one, who.name, SHOWN) if one else None
    history = views.listed(here, connection, period)
    shown: dict[str, Any] = {"view": view, "history": history.tie_outs, "making": history.making, "period": period}
    news = views.is_news(history.making, period, history.tie_outs)
    return render(request, "tie_out.html", connection=connection.name, news=news, **shown)


def _place(name: str, period: str) -> str:
    return f"/c/{quote(name, safe='')}/tie-out/{period}"
