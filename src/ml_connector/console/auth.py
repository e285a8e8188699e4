"""Who asks: a bearer token, and whether it may do this.

Rule: without a token in force nothing is answered; what changes something needs more than reading.
Must not know: what is asked for.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ml_connector.console.refusals import Refused
from ml_connector.console.site import Here
from ml_connector.store.api_tokens import ApiToken, Right, digest

ASK = {"WWW-Authenticate": 'Bearer realm="ml-connector"'}
_BEARER = HTTPBearer(
    scheme_name="token",
    description="Made by `ml-connector token create`. Scopes: read, operate, admin; each may do what the former may.",
    auto_error=False,
)
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def bearer(request: Request, given: _Given, here: Here) -> ApiToken:
    """The token of whoever asks; each may read."""
    if given is None:
        raise Refused(401, "unauthorized", "send a token: Authorization: Bearer mlc_…", ASK)
    address, shown = request.client.host if request.client else "", digest(given.credentials)
    if wait_s := here.attempts.wait_s(address, shown):
        after = {"Retry-After": str(int(wait_s) + 1)}
        raise Refused(429, "slow_down", "too many wrong tokens from this address; wait a minute", after)
    token = here.tokens.find(given.credentials)
    if token is None:
        here.attempts.failed(address)
        raise Refused(401, "unauthorized", "this token is not known, has expired or was revoked", ASK)
    here.attempts.succeeded(shown)
    return token


Reader = Annotated[ApiToken, Depends(bearer)]


def _operating(token: Reader) -> ApiToken:
    if not token.right.covers(Right.OPERATE):
        raise Refused(403, "forbidden", f"token {token.name} may only read; this needs one with the scope operate")
    return token


Operator = Annotated[ApiToken, Depends(_operating)]
