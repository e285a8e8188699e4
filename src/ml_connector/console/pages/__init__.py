"""The pages of the console, one file a noun.

Rule: a page renders what `console.views` gives, which the API gives as data; what a form does, the command line can do.
Must not know: SQL.
"""

from fastapi import APIRouter

from ml_connector.console.pages import (
    access,
    account,
    approvals,
    exceptions,
    home,
    inbox,
    journal,
    records,
    replay,
    signing,
    sso,
)

NOUNS = (home, signing, account, access, exceptions, sso, approvals, inbox, records, replay, journal)

routes = APIRouter(include_in_schema=False)
for noun in NOUNS:
    routes.include_router(noun.routes)
