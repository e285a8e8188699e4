"""Tokens of IFS IAM by client credentials.

Rule: a token is shared by all that use the connection and renewed by one of them at a time; neither token nor secret
gets into an error, a log or a `repr`.
Must not know: what the token is used for.
"""

import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote, urlencode

import msgspec

from ml_connector.errors import AuthError, MalformedError, NotFoundError, RefusedError
from ml_connector.systems.http import Answer, Wire

SCOPE = "openid microprofile-jwt"
LIFE_SHARE = 0.8  # of its life, a token is used
USE_MAX_S = 3000.0  # and no longer than this, so that a changed grant is noticed
_OPERATION = "get a token"

Fetch = Callable[[], tuple[str, float]]


class TokenShelf(Protocol):
    """Where the token is kept; a token comes with the time (seconds since 1970) until which it is used."""

    def get(self) -> tuple[str, float] | None:
        """The token, however old."""
        ...

    def renew(self, stale: str | None, fetch: Fetch) -> tuple[str, float]:
        """The token that is there if it is not the stale one, else a fetched one; one fetch at a time."""
        ...


class Granted(msgspec.Struct, frozen=True):
    """The parts of a token answer that are used."""

    access_token: str
    expires_in: float
    token_type: str = "Bearer"  # noqa: S105 - the kind, not a token


class _Failure(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


def token_path(realm: str) -> str:
    """Where a realm gives tokens."""
    return f"/auth/realms/{quote(realm, safe='')}/protocol/openid-connect/token"


def discovery_path(realm: str) -> str:
    """Where a realm describes itself."""
    return f"/auth/realms/{quote(realm, safe='')}/.well-known/openid-configuration"


def explain(answer: Answer) -> tuple[str, str]:
    """Code and message of a token error."""
    try:
        failure = msgspec.json.decode(answer.body, type=_Failure)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "", ""
    return failure.error, failure.error_description or failure.error


class ClientCredentials:
    """The Authorization header of a confidential IAM client.

    `wire` goes to the same host without credentials, with `explain` from here.
    """

    def __init__(
        self,
        wire: Wire,
        realm: str,
        client_id: str,
        secret: str,
        shelf: TokenShelf,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.wire = wire
        self.realm = realm
        self._client_id = client_id
        self._form = lambda: urlencode(_form(client_id, secret), quote_via=quote).encode()  # kept out of vars()
        self._shelf = shelf
        self._now = now

    def __repr__(self) -> str:
        return f"ClientCredentials({self.realm!r}, {self._client_id!r})"

    def header(self) -> str:
        """The header's value. Raises: AuthError, NotFoundError, RemoteError."""
        held = self._shelf.get()
        if held is None or held[1] <= self._now():
            held = self._shelf.renew(held[0] if held else None, self._fetch)
        return f"Bearer {held[0]}"

    def renew(self, refused: str) -> bool:
        """Whether another token than the refused one is there now. Raises: RemoteError."""
        stale = refused.removeprefix("Bearer ")
        return self._shelf.renew(stale, self._fetch)[0] != stale

    def grant(self) -> Granted:
        """Ask for a token. Raises: AuthError, NotFoundError, RemoteError."""
        try:
            answer = self.wire.call(
                _OPERATION,
                "POST",
                token_path(self.realm),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=self._form(),
                repeatable=True,
            )
        except NotFoundError as error:
            raise NotFoundError(
                self.wire.system, _OPERATION, f"there is no realm {self.realm!r} on this host", 404
            ) from error
        except RefusedError as error:
            raise self._refused(error) from error
        return _granted(self.wire.system, answer)

    def _fetch(self) -> tuple[str, float]:
        asked_at = self._now()
        granted = self.grant()
        return granted.access_token, asked_at + min(USE_MAX_S, LIFE_SHARE * granted.expires_in)

    def _refused(self, error: RefusedError) -> AuthError:
        if error.code in ("invalid_client", "unauthorized_client"):
            said = f"client {self._client_id!r} or its secret is not accepted, or its service account is off"
        else:
            said = f"the token was refused to client {self._client_id!r}"
        return AuthError(
            self.wire.system, _OPERATION, f"{said} ({error.detail})", error.status, error.code, error.request_id
        )


def _form(client_id: str, secret: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": SCOPE}


def _granted(system: str, answer: Answer) -> Granted:
    try:
        granted = msgspec.json.decode(answer.body, type=Granted)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedError(system, _OPERATION, "the answer holds no token") from None
    usable = granted.access_token and all("!" <= character <= "~" for character in granted.access_token)
    if not usable or granted.expires_in <= 0 or granted.token_type.lower() != "bearer":
        raise MalformedError(system, _OPERATION, "the answer holds no usable bearer token")
    return granted
