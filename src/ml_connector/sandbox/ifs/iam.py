"""The identity provider: tokens for service accounts, as Keycloak gives them in front of IFS.

Rule: a token's life is real time, whatever the world's clock says.
It must not know what a token opens.
"""

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.wire import JSON, encode
from ml_connector.sandbox.web import Request, Response

_KEPT = 10_000


class Iam:
    """Gives tokens out and knows them again."""

    def __init__(self, options: IfsOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._ends_at: dict[str, float] = {}

    def answer(self, request: Request) -> Response:
        """Answer a request below ``/auth/realms/``."""
        realm, _, rest = request.path.removeprefix("/auth/realms/").partition("/")
        if realm != self._options.realm:
            return _json(404, {"error": "Realm does not exist"})
        if rest == ".well-known/openid-configuration":
            return self._discovery(request)
        if rest == "protocol/openid-connect/token":
            return self._token(request)
        return _json(404, {"error": "HTTP 404 Not Found"})

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries a token that lives."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        with self._lock:
            ends_at = self._ends_at.get(token.strip(), 0.0)
        return scheme.lower() == "bearer" and time.monotonic() < ends_at

    def revoke(self) -> None:
        """Make every token worthless."""
        with self._lock:
            self._ends_at.clear()

    def _discovery(self, request: Request) -> Response:
        if request.method != "GET":
            return _json(405, {"error": "HTTP 405 Method Not Allowed"})
        issuer = f"http://{request.host}/auth/realms/{self._options.realm}"
        connect = f"{issuer}/protocol/openid-connect"
        return _json(
            200,
            {
                "issuer": issuer,
                "authorization_endpoint": f"{connect}/auth",
                "token_endpoint": f"{connect}/token",
                "jwks_uri": f"{connect}/certs",
                "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            },
        )

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return _json(405, {"error": "HTTP 405 Method Not Allowed"})
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _json(415, {"error": "HTTP 415 Unsupported Media Type"})
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        refusal = self._refusal(form)
        return _json(*refusal) if refusal else _json(200, self._issue(form))

    def _refusal(self, form: dict[str, str]) -> tuple[int, dict[str, str]] | None:
        grant = form.get("grant_type")
        if not grant:
            return 400, _oauth("invalid_request", "Missing form parameter: grant_type")
        if grant != "client_credentials":
            return 400, _oauth("unsupported_grant_type", "Unsupported grant_type")
        given = form.get("client_id", ""), form.get("client_secret", "")
        if given != (self._options.client_id, self._options.client_secret):
            return 401, _oauth("invalid_client", "Invalid client or Invalid client credentials")
        return None

    def _issue(self, form: dict[str, str]) -> dict[str, Any]:
        token, now = _jwt(), time.monotonic()
        life_s = self._options.token_life_s
        with self._lock:
            if len(self._ends_at) > _KEPT:
                self._ends_at = {known: end for known, end in self._ends_at.items() if end > now}
            self._ends_at[token] = now + life_s
        return {
            "access_token": token,
            "expires_in": int(life_s),
            "refresh_expires_in": 1800,
            "refresh_token": _jwt(),
            "token_type": "Bearer",
            "id_token": _jwt(),
            "not-before-policy": 0,
            "session_state": str(uuid4()),
            "scope": _scope(form.get("scope", "")),
        }


def _scope(asked: str) -> str:
    known = ("openid", "audience", "microprofile-jwt", "profile", "email")
    return " ".join(name for name in known if name != "microprofile-jwt" or name in asked.split())


def _jwt() -> str:
    parts = (b'{"alg":"RS256","typ":"JWT"}', secrets.token_bytes(500), secrets.token_bytes(256))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _oauth(error: str, text: str) -> dict[str, str]:
    return {"error": error, "error_description": text}


def _json(status: int, body: dict[str, Any]) -> Response:
    return Response(status, {"Content-Type": JSON, "Cache-Control": "no-store"}, encode(body))
