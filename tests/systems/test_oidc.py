"""A single sign-on against a provider that answers: what is let in, and each way in which a token is not."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity import CLIENT, KEY, SECRET, STRANGE, Identity, hs256, identity, pem, public

from ml_connector.errors import AuthError, MalformedError, RemoteError, SettingsError, UnreachableError
from ml_connector.settings import Installation
from ml_connector.store.rights import Role
from ml_connector.systems.id_token import pick
from ml_connector.systems.oidc import Client, Provider
from ml_connector.wiring.sso import mapping, single_sign_on

BACK = "https://connector.example.com/sign-in/sso/back"
ROLES = "ap=clerk,controllers=approver,controllers=viewer"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def there() -> Iterator[Identity]:
    with identity() as made:
        yield made


def provider(there: Identity, now: Callable[[], float] = time.monotonic) -> Provider:
    return Provider(Client(there.issuer, CLIENT, SECRET), now)


def sign_in(there: Identity, with_: Provider | None = None) -> dict[str, Any]:
    made = with_ or provider(there)
    place, begun = made.begin(BACK)
    code = there.visit(place).partition("code=")[2].partition("&")[0]
    return made.claims(code, BACK, begun)


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"]])
def test_who_comes_back_is_told(there: Identity, methods: list[str]) -> None:
    there.says = {"token_endpoint_auth_methods_supported": methods}
    assert sign_in(there)["sub"] == "u1"
    assert there.asked == ["discovery", "token", "keys"]


SPOILT: dict[str, Callable[[dict[str, Any]], None]] = {
    "another nonce": lambda claims: claims.update(nonce="x"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "nonce of another kind": lambda claims: claims.update(nonce=["x"]),
    "another audience": lambda claims: claims.update(aud="other"),
    "several audiences, made for another": lambda claims: claims.update(aud=[CLIENT, "other"], azp="other"),
    "several audiences, made for nobody": lambda claims: claims.update(aud=[CLIENT, "other"]),
    "another issuer": lambda claims: claims.update(iss="https://evil.example.com"),
    "expired": lambda claims: claims.update(exp=int(time.time()) - 120),
    "no end": lambda claims: claims.pop("exp"),
    "not begun": lambda claims: claims.update(nbf=int(time.time()) + 600),
    "of the future": lambda claims: claims.update(iat=int(time.time()) + 600),
    "nobody": lambda claims: claims.pop("sub"),
    "an empty subject": lambda claims: claims.update(sub=""),
    "a subject that breaks lines": lambda claims: claims.update(sub="a\nb"),
    "a long subject": lambda claims: claims.update(sub="x" * 256),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_token_that_is_not_as_it_should_be_is_refused(there: Identity, how: str) -> None:
    there.spoil = SPOILT[how]
    with pytest.raises(AuthError):
        sign_in(there)


SIGNED: dict[str, Callable[[dict[str, Any]], str]] = {
    "not at all": lambda claims: jwt.encode(claims, "", "none", {"kid": "k1"}),
    "with the public key as a secret": lambda claims: hs256(claims, pem(KEY), "k1"),
    "with the modulus as a secret": lambda claims: hs256(claims, public(KEY, "k1")["n"].encode(), "k1"),
    "with the client's secret": lambda claims: jwt.encode(claims, SECRET.ljust(32, "x"), "HS256", {"kid": "k1"}),
    "with another key": lambda claims: jwt.encode(claims, STRANGE, "RS256", {"kid": "k1"}),
    "with a key not published": lambda claims: jwt.encode(claims, STRANGE, "RS256", {"kid": "k2"}),
    "another way than the key's": lambda claims: jwt.encode(claims, KEY, "RS512", {"kid": "k1"}),
    "and changed": lambda claims: jwt.encode(claims, KEY, "RS256", {"kid": "k1"})[:-4] + "AAAA",
    "and cut": lambda claims: jwt.encode(claims, KEY, "RS256", {"kid": "k1"}).rpartition(".")[0],
    "by something else": lambda _claims: "no token",
    "by much": lambda _claims: "x" * 100_000,
}


@pytest.mark.parametrize("how", SIGNED)
def test_a_token_that_is_signed_otherwise_is_refused(there: Identity, how: str) -> None:
    there.sign = SIGNED[how]
    with pytest.raises(AuthError):
        sign_in(there)


def test_a_secret_among_the_keys_signs_nothing(there: Identity) -> None:
    secret = b"x" * 32
    there.keys = [{"kty": "oct", "kid": "k1", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg", "alg": "HS256"}]
    there.sign = lambda claims: hs256(claims, secret, "k1")
    with pytest.raises(AuthError):
        sign_in(there)


def test_a_code_is_redeemed_once_with_its_own_verifier_and_address(there: Identity) -> None:
    made = provider(there)
    (place, begun), (_, other) = made.begin(BACK), made.begin(BACK)

    def code() -> str:
        return there.visit(place).partition("code=")[2].partition("&")[0]

    used = code()
    made.claims(used, BACK, begun)
    for given_code, back, kept in ((used, BACK, begun), (code(), BACK, other), (code(), "https://x.example", begun)):
        with pytest.raises(AuthError):
            made.claims(given_code, back, kept)
    for odd in ("", "x" * 5000):
        with pytest.raises(AuthError):
            made.claims(odd, BACK, begun)
    assert other.nonce != begun.nonce


def test_a_new_key_is_found_but_not_asked_for_at_every_try(there: Identity) -> None:
    clock = Clock()
    made = provider(there, clock)
    sign_in(there, made)
    there.keys.append(public(STRANGE, "k2"))
    there.sign = lambda claims: jwt.encode(claims, STRANGE, "RS256", {"kid": "k2"})
    for _ in range(3):
        with pytest.raises(AuthError):
            sign_in(there, made)
    assert there.asked.count("keys") == 1
    clock.now += 61
    assert sign_in(there, made)["sub"] == "u1"
    assert (there.asked.count("keys"), there.asked.count("discovery")) == (2, 1)
    clock.now += 3601
    sign_in(there, made)
    assert there.asked.count("discovery") == 2


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example.com"},
        {"jwks_uri": 5},
        {"token_endpoint": None},
    ],
)
def test_what_a_provider_says_of_itself_has_to_fit(there: Identity, says: dict[str, Any]) -> None:
    there.says = says
    with pytest.raises(MalformedError):
        provider(there).begin(BACK)


@pytest.mark.parametrize("address", ["http://evil.example.com/auth", "ftp://x/y", "javascript:alert(1)", "//x/y", "x"])
def test_nobody_is_sent_to_an_address_that_is_none(there: Identity, address: str) -> None:
    there.says = {"authorization_endpoint": address}
    with pytest.raises(SettingsError):
        provider(there).begin(BACK)


def test_a_redirect_is_not_followed_and_much_is_not_read(there: Identity) -> None:
    there.says = {"jwks_uri": f"{there.issuer}/elsewhere"}
    there.server.expect_request("/realm/elsewhere").respond_with_data("", 302, {"Location": f"{there.issuer}/keys"})
    with pytest.raises(RemoteError):
        sign_in(there)
    there.says = {"filling": "x" * 600_000}
    with pytest.raises(UnreachableError):
        provider(there).begin(BACK)


def test_no_error_and_no_text_form_shows_a_secret(there: Identity) -> None:
    there.spoil = SPOILT["another audience"]
    made = provider(there)
    place, begun = made.begin(BACK)
    code = there.visit(place).partition("code=")[2].partition("&")[0]
    with pytest.raises(AuthError) as refused:
        made.claims(code, BACK, begun)
    said = repr((refused.value, refused.value.args, begun, Client(there.issuer, CLIENT, SECRET)))
    for secret in (SECRET, code, begun.verifier, begun.state, begun.nonce):
        assert secret not in said


def test_groups_give_roles(there: Identity) -> None:
    made: dict[str, Any] = {"oidc_issuer": there.issuer, "oidc_client_id": CLIENT, "oidc_roles": ROLES}
    sso = single_sign_on(Installation(**made))
    nested = single_sign_on(Installation(**made, oidc_roles_claim="realm.roles"))
    assert sso
    assert nested
    both = sso.known({"sub": "u1", "groups": ["ap", "controllers", 5, "x"], "preferred_username": "Åse Ødegård"})
    assert (both.subject, set(both.roles)) == (f"{there.issuer}|u1", {Role.CLERK, Role.APPROVER, Role.VIEWER})
    assert both.name == "ase-degard"
    for groups in (None, [], "other", {"ap": 1}, [["ap"]]):
        assert sso.known({"sub": "u1", "groups": groups}).roles == ()
    assert nested.known({"sub": "u1", "realm": {"roles": "ap"}}).roles == (Role.CLERK,)
    assert nested.known({"sub": "u1", "realm": "ap"}).roles == ()
    assert single_sign_on(Installation()) is None


@pytest.mark.parametrize("text", ["", "ap", "ap=king", "=clerk", "ap=clerk,x"])
def test_a_mapping_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="OIDC_ROLES"):
        mapping(text)


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(AuthError):
        pick([], text)
