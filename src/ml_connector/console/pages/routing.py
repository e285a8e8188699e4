"""How pages are declared: what they need, and where the same is found as data.

Rule: a page that changes something says which right it needs; there is no default for it.
Must not know: what a page shows.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from ml_connector.console.person import Needs, PersonRoute
from ml_connector.store.rights import May

F = TypeVar("F", bound=Callable[..., Any])
TWIN = "x-twin"


class Pages(APIRouter):
    """Pages of one noun."""

    def __init__(self) -> None:
        super().__init__(route_class=PersonRoute, include_in_schema=False, default_response_class=HTMLResponse)

    def page(self, path: str, *, twin: str = "", right: May = May.READ) -> Callable[[F], F]:
        """Declare a page to look at; `twin`: where the API has the same, as in its description."""
        return self.get(path, dependencies=[Depends(Needs(right))], openapi_extra={TWIN: twin})

    def act(self, path: str, right: May) -> Callable[[F], F]:
        """Declare what a form does."""
        return self.post(path, dependencies=[Depends(Needs(right))])
