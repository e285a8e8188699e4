"""Tie-outs over HTTP: made in the background, listed, told down to their documents.

Rule: a tie-out reads both systems and writes to neither; a person signs one off, no program does.
Must not know: how the sides are compared.
"""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import NUMBER_MAX, Connected, Listing, Page
from ml_connector.console.auth import Guarded, Operator, Reader
from ml_connector.console.refusals import absent, documented
from ml_connector.console.site import Here
from ml_connector.console.views import tie_out as views
from ml_connector.console.views.tie_out import LineShown, TieOutShown, TieOutsShown
from ml_connector.errors import SettingsError
from ml_connector.store.tie_outs import Kept
from ml_connector.wiring import tie_outs
from ml_connector.wiring.looking import Kind

routes = APIRouter(tags=["tie-outs"], route_class=Guarded)
PERIOD = r"^[0-9]{4}-[0-9]{2}$"
Period = Annotated[str, Path(pattern=PERIOD, description="An accounting period, such as 2026-10.")]
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="A tie-out's number.")]


def _numbered(connection: Connected, here: Here, period: Period, number: Number) -> Kept:
    try:
        found = tie_outs.of(here.opened, connection.name).get(number)
    except SettingsError as error:
        raise absent(str(error)) from None
    if found.period != period:
        raise absent(f"tie-out {number} is of period {found.period}")
    return found


Numbered = Annotated[Kept, Depends(_numbered)]


@routes.get("/connections/{name}/tie-outs")
def list_tie_outs(connection: Connected, here: Here) -> TieOutsShown:
    """The tie-outs that were made, the latest first, and how the one stands that was begun last."""
    return views.listed(here, connection)


@routes.post("/connections/{name}/tie-outs/{period}", status_code=202, responses=documented(403))
def make_tie_out(connection: Connected, here: Here, who: Operator, period: Period) -> TieOutsShown:
    """Count and sum both sides of a period, in the background. One under way already: nothing more is done."""
    here.looks.start(connection.name, Kind.TIE_OUT, who.person, period)
    return views.listed(here, connection, period)


@routes.get("/connections/{name}/tie-outs/{period}")
def get_tie_out(connection: Connected, here: Here, who: Reader, period: Period) -> TieOutShown:
    """The tie-out of a period that counts: the one that was signed off last, or else the latest."""
    one = views.chosen(tie_outs.of(here.opened, connection.name), period)
    if one is None:
        raise absent(f"no tie-out of {period} was made yet; make one")
    return views.shown(here, connection, one, who.person)


@routes.get("/connections/{name}/tie-outs/{period}/{number}")
def get_tie_out_by_number(connection: Connected, here: Here, who: Reader, one: Numbered) -> TieOutShown:
    """One tie-out."""
    return views.shown(here, connection, one, who.person)


@routes.get("/connections/{name}/tie-outs/{period}/{number}/documents")
def list_documents(
    listing: Annotated[Listing, Query()], connection: Connected, here: Here, one: Numbered
) -> Page[LineShown]:
    """Every document that it tells of, in the order in which they were read."""
    at = shapes.after(listing, tuple[Annotated[int, Query(ge=0)]])
    after = at[0] if at else 0
    told = list(islice(tie_outs.of(here.opened, connection.name).lines(one.number, after), listing.limit + 1))
    following = shapes.cursor((after + listing.limit,)) if len(told) > listing.limit else None
    return Page(items=[views.line(each) for each in told[: listing.limit]], next=following)
