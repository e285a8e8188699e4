"""ID tokens of a single sign-on: whether one is genuine, for us, and of this sign-in.

Rule: only algorithms with a public key, and only a key that the provider publishes; whatever is not as it should be
refuses the token, without a word of it.
Must not know: how a token arrives.
"""

import hmac
from typing import Any, cast

import jwt

from ml_connector.errors import AuthError, MalformedError

SYSTEM, OPERATION = "single sign-on", "sign in"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
TOKEN_MAX, SUBJECT_MAX, KEYS_MAX = 64_000, 255, 100
LEEWAY_S = 60


def keys_of(document: dict[str, Any]) -> list[jwt.PyJWK]:
    """The keys with which a provider signs. Raises: MalformedError."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise MalformedError(SYSTEM, "keys", "the provider's keys are not readable")
    found = [_key(one) for one in cast("list[Any]", listed)[:KEYS_MAX]]
    return [key for key in found if key is not None]


def pick(keys: list[jwt.PyJWK], token: str) -> jwt.PyJWK | None:
    """The key that a token says it is signed with. Raises: AuthError."""
    try:
        header = jwt.get_unverified_header(token) if len(token) <= TOKEN_MAX else {}
    except jwt.PyJWTError:
        header = {}
    if header.get("alg") not in ALGORITHMS:
        raise _refused("is not signed in a way that is accepted")
    kid = header.get("kid")
    fitting = [key for key in keys if (kid is None or key.key_id == kid)]
    return fitting[0] if len(fitting) == 1 else None


def claims_of(token: str, key: jwt.PyJWK, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """What a token says, when it is genuine, for us, and of the sign-in that `nonce` began. Raises: AuthError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _refused(f"is not accepted ({type(error).__name__})") from None
    _check(claims, client_id, nonce)
    return claims


def _check(claims: dict[str, Any], client_id: str, nonce: str) -> None:
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise _refused("is not of this sign-in")
    several = isinstance(claims["aud"], list) and len(cast("list[Any]", claims["aud"])) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise _refused("was made for another program")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise _refused("names nobody")


def _key(given: Any) -> jwt.PyJWK | None:
    """A key to check signatures with; None: one for something else, or of a kind that is not known."""
    if not isinstance(given, dict):
        return None
    data = cast("dict[str, Any]", given)
    if data.get("kty") == "oct" or data.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK(data)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _refused(detail: str) -> AuthError:
    return AuthError(SYSTEM, OPERATION, f"the ID token {detail}", 401)
