"""Records over HTTP: looked for, and all that is known of one.

Rule: what is looked for is found by words; bodies lie sealed and are opened only for what is answered.
Must not know: how records are found.
"""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field

from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import PLAIN, Connected, Flow, Listing, Text
from ml_connector.console.auth import Guarded
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here
from ml_connector.console.views import record as one_record
from ml_connector.console.views import records
from ml_connector.console.views.record import RecordShown
from ml_connector.console.views.records import RecordList

routes = APIRouter(tags=["records"], route_class=Guarded)
At = tuple[
    Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[a-z_]+\Z")],
    Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\A[^\x00-\x1e\x7f]+\Z")],
]
KeyPath = Annotated[str, Path(max_length=500, pattern=PLAIN, description="A record's key; of several parts A/B.")]


class Search(Listing):
    """Which records."""

    q: Text = Field("", description="Words, numbers, amounts: all of them have to be said of a record.")
    flow: Text = Field("", description="Only of this flow.")


@routes.get("/connections/{name}/records")
def search_records(asked: Annotated[Search, Query()], connection: Connected, here: Here) -> RecordList:
    """Records that were looked for, by flow and key; nothing asked for: those to which something happened last."""
    kept = records.of(here.opened, connection.id)
    if not records.searchable(asked.q):
        return records.lately(kept)
    at = shapes.after(asked, At)
    listed, following = records.found(kept, asked.q, asked.flow, at, asked.limit)
    return listed.model_copy(update={"next": shapes.cursor(following) if following else None})


@routes.get("/connections/{name}/record/{flow}/{key:path}")
def get_record(flow: Flow, key: KeyPath, connection: Connected, here: Here) -> RecordShown:
    """One record: how it stands, its way, what was sent and answered, what hangs together with it."""
    found = one_record.shown(here.opened, connection, flow, key)
    if found is None:
        raise absent("nothing is known of this record in this flow")
    return found
