"""Who asks: a bearer token, and whether it may do this.

Rule: without a token in force nothing is read or answered; what changes something needs more than reading.
Must not know: what is asked for.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from ml_connector.console.hooks import source_of
from ml_connector.console.refusals import Refused
from ml_connector.console.site import Site
from ml_connector.store.api_tokens import ApiToken, Right, digest

ASK = {"WWW-Authenticate": 'Bearer realm="ml-connector"'}
_BEARER = HTTPBearer(
    scheme_name="token",
    description="Made by `ml-connector token create`. Scopes: read, operate, admin; each may do what the former may.",
    auto_error=False,
)


class Guarded(APIRoute):
    """A route that reads nothing of a request, its body neither, before it knows who asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answering = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.token = await run_in_threadpool(_known, request, request.app.state.site)
            return await answering(request)

        return guarded


def bearer(request: Request, _described: Annotated[object, Depends(_BEARER)]) -> ApiToken:
    """The token of whoever asks; each may read."""
    return request.state.token


def _known(request: Request, site: Site) -> ApiToken:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise Refused(401, "unauthorized", "send a token: Authorization: Bearer mlc_…", ASK)
    address, shown = source_of(request), digest(given)
    if wait_s := site.attempts.wait_s(address, shown):
        after = {"Retry-After": str(int(wait_s) + 1)}
        raise Refused(429, "slow_down", "too many wrong tokens from this address; wait a minute", after)
    token = site.tokens.find(given)
    if token is None:
        site.attempts.failed(address)
        raise Refused(401, "unauthorized", "this token is not known, has expired or was revoked", ASK)
    site.attempts.succeeded(shown)
    return token


Reader = Annotated[ApiToken, Depends(bearer)]


def _operating(token: Reader) -> ApiToken:
    if not token.right.covers(Right.OPERATE):
        raise Refused(403, "forbidden", f"token {token.name} may only read; this needs one with the scope operate")
    return token


Operator = Annotated[ApiToken, Depends(_operating)]


def administering(token: Reader) -> ApiToken:
    """The token of whoever asks, which may do all."""
    if not token.right.covers(Right.ADMIN):
        raise Refused(403, "forbidden", f"token {token.name} may not administer; this needs one with the scope admin")
    return token
