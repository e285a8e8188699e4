"""A small OpenID Connect provider that answers over HTTP, strict where a real one is, spoilt where a test says so."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CLIENT, SECRET = "ml-connector", "s3cr3t & more="
KEY, STRANGE = (rsa.generate_private_key(65537, 2048) for _ in range(2))
PERSON: dict[str, Any] = {"sub": "u1", "preferred_username": "Kari", "groups": ["ap"]}
Spoil = Callable[[dict[str, Any]], None]


def public(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    """A key as a provider publishes it."""
    return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig", "alg": "RS256"}


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """The public half as text, which some take for a secret."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hs256(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """A token signed with a secret, which PyJWT would not do with a public key."""
    import hmac

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head = part(json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"}).encode())
    body = f"{head}.{part(json.dumps(claims).encode())}"
    return f"{body}.{part(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


@dataclass
class Identity:
    """The provider: who signs in next (`claims`), how tokens are signed, and what is spoilt."""

    server: HTTPServer
    claims: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    spoil: Spoil = lambda claims: None
    sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(claims, KEY, "RS256", {"kid": "k1"})
    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(KEY, "k1")])
    says: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"http://127.0.0.1:{self.server.port}/realm"

    def visit(self, url: str) -> str:
        """What a browser does at the provider, where somebody signs in; where it is sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def discovery(self, _request: Request) -> Response:
        """What it says of itself."""
        self.asked.append("discovery")
        at = self.issuer
        told = {"issuer": at, "authorization_endpoint": f"{at}/auth", "token_endpoint": f"{at}/token"}
        return _json(told | {"jwks_uri": f"{at}/keys"} | self.says)

    def published(self, _request: Request) -> Response:
        """Its keys."""
        self.asked.append("keys")
        return _json({"keys": self.keys})

    def token(self, request: Request) -> Response:
        """A code for a token: once, to the right client, with the right verifier."""
        self.asked.append("token")
        asked = self.codes.pop(request.form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:s3cr3t%20%26%20more%3D".encode()).decode()
        known = request.headers.get("Authorization") == f"Basic {basic}" or request.form.get("client_secret") == SECRET
        verifier = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if asked is None or not known or challenge != asked["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        if request.form.get("redirect_uri") != asked["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.claims
        self.spoil(claims)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)})


@contextmanager
def identity() -> Generator[Identity]:
    """A provider on this machine."""
    server = HTTPServer("127.0.0.1", 0)
    server.start()
    try:
        made = Identity(server)
        server.expect_request("/realm/.well-known/openid-configuration").respond_with_handler(made.discovery)
        server.expect_request("/realm/keys").respond_with_handler(made.published)
        server.expect_request("/realm/token", method="POST").respond_with_handler(made.token)
        yield made
    finally:
        server.stop()


def _json(data: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json")
