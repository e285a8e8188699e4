"""The pages of the console, one file a noun.

Rule: a page renders what `console.views` gives, which the API gives as data; what a form does, the command line can do.
Must not know: SQL.
"""

from fastapi import APIRouter

from ml_connector.console.pages import (
    access,
    account,
    approvals,
    connect,
    evidence,
    exceptions,
    flows,
    home,
    inbox,
    journal,
    mapping,
    records,
    replay,
    runs,
    signing,
    sso,
    tie_out,
)

NOUNS = (
    home,
    runs,
    flows,
    signing,
    account,
    access,
    exceptions,
    sso,
    approvals,
    connect,
    inbox,
    records,
    replay,
    journal,
    mapping,
    tie_out,
    evidence,
)

routes = APIRouter(include_in_schema=False)
for noun in NOUNS:
    routes.include_router(noun.routes)
