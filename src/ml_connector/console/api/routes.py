"""The whole API: all nouns behind a token.

Rule: nothing is answered without a token; what is not a GET needs one that may operate. Endpoints are plain functions,
which the web server runs in threads, so that the store may be waited for.
Must not know: SQL.
"""

from fastapi import APIRouter, Depends

from ml_connector.console.api import (
    access,
    approvals,
    connections,
    evidence,
    exceptions,
    inbox,
    journal,
    looks,
    orders,
    overview,
    plans,
    records,
    runs,
    schedules,
    tie_outs,
    versions,
    workers,
)
from ml_connector.console.auth import bearer
from ml_connector.console.refusals import documented

PREFIX = "/api/v1"
ALWAYS = documented(400, 401, 404, 409, 413, 414, 422, 429, 500, 503)
NOUNS = (
    connections,
    overview,
    orders,
    runs,
    exceptions,
    inbox,
    schedules,
    plans,
    workers,
    looks,
    access,
    approvals,
    records,
    journal,
    versions,
    tie_outs,
    evidence,
)

routes = APIRouter(prefix=PREFIX, dependencies=[Depends(bearer)], responses=ALWAYS)
for noun in NOUNS:
    routes.include_router(noun.routes)
