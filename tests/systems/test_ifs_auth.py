"""Tokens: shared, renewed in time and once, and never shown."""

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from reaching import Shelf, unhurried

from ml_connector import errors
from ml_connector.systems.http import Anonymous, Patience, Reach, Wire
from ml_connector.systems.ifs import auth

SECRET = "s3cr3t & more="


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Iam:
    """Gives token-1, token-2, …"""

    def __init__(self, life_s: float = 180, answer: Callable[[], httpx2.Response] | None = None) -> None:
        self.given = 0
        self.asked: list[httpx2.Request] = []
        self.life_s = life_s
        self.answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.answer:
            return self.answer()
        time.sleep(0.01)
        self.given += 1
        return httpx2.Response(
            200, json={"access_token": f"token-{self.given}", "expires_in": self.life_s, "token_type": "Bearer"}
        )


def credentials(iam: Iam, clock: Clock, shelf: Any = None) -> auth.ClientCredentials:
    wire = Wire(
        "ifs",
        "https://acme.ifs.cloud",
        Anonymous(),
        unhurried(),
        explain=auth.explain,
        reach=Reach(transport=httpx2.MockTransport(iam)),
        patience=Patience(pause_s=0.001),
    )
    return auth.ClientCredentials(wire, "acme prod", "mlc", SECRET, shelf or Shelf(), clock)


def test_asks_as_ifs_wants_it() -> None:
    iam = Iam()
    assert credentials(iam, Clock()).header() == "Bearer token-1"
    assert iam.asked[0].url.raw_path == b"/auth/realms/acme%20prod/protocol/openid-connect/token"
    assert parse_qs(iam.asked[0].content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["mlc"],
        "client_secret": [SECRET],
        "scope": ["openid microprofile-jwt"],
    }
    assert "authorization" not in iam.asked[0].headers


@pytest.mark.parametrize(("life_s", "used_s"), [(180, 144), (100_000, 3000)])
def test_is_renewed_before_its_end(life_s: float, used_s: float) -> None:
    clock = Clock()
    mine = credentials(Iam(life_s), clock)
    mine.header()
    clock.now += used_s - 1
    assert mine.header() == "Bearer token-1"
    clock.now += 2
    assert mine.header() == "Bearer token-2"


def test_a_refused_token_is_replaced_once_for_all() -> None:
    iam = Iam()
    shelf = Shelf()
    one, other = credentials(iam, Clock(), shelf), credentials(iam, Clock(), shelf)
    assert one.header() == other.header() == "Bearer token-1"
    assert one.renew("Bearer token-1")
    assert other.renew("Bearer token-1")
    assert other.header() == "Bearer token-2"
    assert iam.given == 2


def test_threads_fetch_once() -> None:
    iam = Iam()
    mine = credentials(iam, Clock())
    headers: list[str] = []
    threads = [threading.Thread(target=lambda: headers.append(mine.header())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert headers == ["Bearer token-1"] * 16
    assert iam.given == 1


def _keycloak(status: int, error: str, description: str = "Invalid client or Invalid client credentials") -> Any:
    return lambda: httpx2.Response(status, json={"error": error, "error_description": description})


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (_keycloak(401, "invalid_client"), errors.AuthError, "'mlc' or its secret"),
        (_keycloak(401, "unauthorized_client"), errors.AuthError, "service account"),
        (_keycloak(400, "invalid_scope", "Invalid scopes"), errors.AuthError, "Invalid scopes"),
        (_keycloak(404, "Realm does not exist"), errors.NotFoundError, "no realm 'acme prod'"),
        (lambda: httpx2.Response(200, json={}), errors.MalformedError, "token"),
        (lambda: httpx2.Response(200, text="<html>"), errors.MalformedError, "JSON"),
        (lambda: httpx2.Response(200, json={"access_token": "a\nb", "expires_in": 9}), errors.MalformedError, "usable"),
        (lambda: httpx2.Response(200, json={"access_token": "ab", "expires_in": 0}), errors.MalformedError, "usable"),
        (
            lambda: httpx2.Response(200, json={"access_token": "ab", "expires_in": 9, "token_type": "mac"}),
            errors.MalformedError,
            "usable",
        ),
        (lambda: httpx2.Response(503), errors.UnreachableError, "503"),
    ],
)
def test_what_goes_wrong_is_said_without_secrets(answer: Any, kind: type[Exception], words: str) -> None:
    mine = credentials(Iam(answer=answer), Clock())
    with pytest.raises(kind, match=words) as caught:
        mine.header()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)
    assert "s3cr3t" not in shown


def test_secret_is_not_shown() -> None:
    mine = credentials(Iam(), Clock())
    mine.header()
    for shown in (repr(mine), str(mine), repr(vars(mine))):
        assert "s3cr3t" not in shown
        assert "token-1" not in shown
