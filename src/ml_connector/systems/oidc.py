"""A single sign-on by OpenID Connect: where to send somebody, and who came back.

Rule: authorization code with PKCE, state and nonce; what the provider says of itself has to be what was set; answers
are bounded, redirects are not followed, codes and tokens are in no error.
Must not know: who may do what.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec

from ml_connector.errors import AuthError, MalformedError, SettingsError, UnreachableError
from ml_connector.systems.address import clean_origin, clean_target
from ml_connector.systems.exchange import Answer, Exchange, LostError, NotSentError, Reach
from ml_connector.systems.http import json_object
from ml_connector.systems.id_token import OPERATION, SYSTEM, claims_of, keys_of, pick

TIMEOUT_S = 10.0
BODY_MAX = 512 * 1024
FRESH_S = 3600.0
AGAIN_S = 60.0  # how soon the keys are asked for again, as a token names one that is not there
CODE_MAX = 4096
WELL_KNOWN = "/.well-known/openid-configuration"


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way: what comes back has to fit to it."""

    state: str
    nonce: str
    verifier: str

    def __repr__(self) -> str:
        return "Begun(…)"


class Client(msgspec.Struct, frozen=True):
    """What the provider knows us as; its text form shows no secret."""

    issuer: str
    id: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"Client({self.issuer!r}, {self.id!r})"


class _Place(msgspec.Struct, frozen=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Provider:
    """A provider; what it says of itself is asked once an hour. Units: now in seconds, from any start."""

    def __init__(self, client: Client, now: Callable[[], float] = time.monotonic) -> None:
        """Raises: SettingsError."""
        _place_of(client.issuer)
        if not client.id:
            raise SettingsError(
                "ML_CONNECTOR_OIDC_CLIENT_ID is not set; it is how the single sign-on knows this console"
            )
        self._client = client
        self._now = now
        self._guard = threading.Lock()
        self._known: tuple[float, _Place] | None = None
        self._keys: tuple[float, list[jwt.PyJWK]] | None = None

    def begin(self, back: str) -> tuple[str, Begun]:
        """Where to send somebody, to come back to `back`; and what to keep until then. Raises: RemoteError."""
        begun = Begun(*(secrets.token_urlsafe(32) for _ in range(3)))
        hashed = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode().rstrip("=")
        asked = {"response_type": "code", "client_id": self._client.id, "redirect_uri": back}
        asked |= {"scope": "openid profile email", "state": begun.state, "nonce": begun.nonce}
        asked |= {"code_challenge": hashed, "code_challenge_method": "S256"}
        place = self._place().authorization_endpoint
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}", begun

    def claims(self, code: str, back: str, begun: Begun) -> dict[str, Any]:
        """What the provider says of who came back with this code. Raises: RemoteError."""
        if not 0 < len(code) <= CODE_MAX:
            raise AuthError(SYSTEM, OPERATION, "there is no code to sign in with", 400)
        token = self._redeem(code, back, begun)
        key = pick(self._signing(FRESH_S), token) or pick(self._signing(AGAIN_S), token)
        if key is None:
            raise AuthError(
                SYSTEM, OPERATION, "the ID token is signed with a key that the provider does not publish", 401
            )
        return claims_of(token, key, self._client.issuer, self._client.id, begun.nonce)

    def _redeem(self, code: str, back: str, begun: Begun) -> str:
        place = self._place()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        form |= {"code_verifier": begun.verifier, "client_id": self._client.id}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._client.secret and "client_secret_basic" in place.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(self._client)
        elif self._client.secret:
            form["client_secret"] = self._client.secret
        answer = _ask("POST", place.token_endpoint, headers, urlencode(form).encode())
        token = json_object(answer, SYSTEM, OPERATION).get("id_token")
        if not isinstance(token, str):
            raise MalformedError(
                SYSTEM, OPERATION, "the provider gave no ID token; does the client have the scope openid?"
            )
        return token

    def _place(self) -> _Place:
        with self._guard:
            if self._known is None or self._now() - self._known[0] >= FRESH_S:
                self._known = (self._now(), _discovered(self._client.issuer))
            return self._known[1]

    def _signing(self, age_s: float) -> list[jwt.PyJWK]:
        """The provider's keys, not older than this."""
        place = self._place()
        with self._guard:
            if self._keys is None or self._now() - self._keys[0] >= age_s:
                answer = _ask("GET", place.jwks_uri, {}, b"")
                self._keys = (self._now(), keys_of(json_object(answer, SYSTEM, "keys")))
            return self._keys[1]


def _discovered(issuer: str) -> _Place:
    answer = _ask("GET", issuer.rstrip("/") + WELL_KNOWN, {}, b"")
    try:
        place = msgspec.convert(json_object(answer, SYSTEM, "discovery"), _Place)
    except msgspec.ValidationError:
        raise MalformedError(SYSTEM, "discovery", "what it says of itself is not OpenID Connect") from None
    if place.issuer != issuer:
        said = f"it calls itself {place.issuer[:200]!r}; set ML_CONNECTOR_OIDC_ISSUER to exactly that if it is right"
        raise MalformedError(SYSTEM, "discovery", said)
    _place_of(place.authorization_endpoint)
    return place


def _ask(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    origin, target = _place_of(url)
    exchange = Exchange(origin, Reach(body_max=BODY_MAX))
    try:
        answer = exchange.send(method, target, {"Accept": "application/json", **headers}, body, TIMEOUT_S)
    except (NotSentError, LostError) as error:
        raise UnreachableError(SYSTEM, OPERATION, f"not reached: {error}") from None
    finally:
        exchange.close()
    if answer.status != 200:
        raise AuthError(SYSTEM, OPERATION, f"the provider answered {answer.status}", answer.status)
    return answer


def _place_of(url: str) -> tuple[str, str]:
    """Origin and target of an address of the provider. Raises: SettingsError."""
    try:
        parts = urlsplit(url)
        return clean_origin(f"{parts.scheme}://{parts.netloc}"), clean_target(parts.path or "/", parts.query)
    except ValueError:
        raise SettingsError(f"{url[:200]!r} is no address of a single sign-on") from None


def _basic(client: Client) -> str:
    pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
