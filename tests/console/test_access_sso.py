"""Signing in by a single sign-on, as a browser does it, against a provider that answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from identity import CLIENT, SECRET, Identity, identity
from serving import answering

from ml_connector import wiring
from ml_connector.settings import Installation
from ml_connector.store.users import Users

BACK = "/sign-in/sso/back"


@dataclass
class World:
    """A console and the provider it trusts."""

    url: str
    there: Identity
    opened: wiring.Opened

    def browser(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Accept": "text/html"}, trust_env=False, timeout=60)

    def roles(self, name: str) -> list[str]:
        return next([str(role) for role in one.roles] for one in Users(self.opened.database).all() if one.name == name)


@pytest.fixture
def world(opened: wiring.Opened) -> Iterator[World]:
    with identity() as there:
        given: dict[str, Any] = {"oidc_issuer": there.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
        installation = Installation(**given, oidc_roles="ap=clerk,controllers=approver,it=administrator")
        with answering(opened, installation=installation) as url:
            yield World(url, there, opened)


def begin(world: World, client: httpx2.Client, place: str = "/account") -> str:
    """Begin to sign in; the address at which the provider sends somebody back."""
    assert "/sign-in/sso?" in client.get("/sign-in").text
    return world.there.visit(client.get("/sign-in/sso", params={"next": place}).headers["location"])


def test_who_is_in_a_group_comes_in_and_where_they_wanted_to(world: World) -> None:
    with world.browser() as client:
        answer = client.get(begin(world, client, "/account?deep=link"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?deep=link")
        assert "single sign-on" in client.get("/account").text
    assert world.roles("kari") == ["clerk"]


def test_roles_are_those_of_the_latest_sign_in(world: World) -> None:
    with world.browser() as client:
        client.get(begin(world, client))
        world.there.claims["groups"] = ["controllers"]
        with world.browser() as other:
            other.get(begin(world, other))
        assert client.get("/account").status_code == 303
        assert world.roles("kari") == ["approver"]
        world.there.claims["groups"] = []
        refused = client.get(begin(world, client))
        assert (refused.status_code, "have no role here" in refused.text) == (403, True)
    assert world.roles("kari") == []


def test_who_is_in_no_group_is_not_recorded(world: World) -> None:
    world.there.claims["groups"] = ["others"]
    with world.browser() as client:
        assert client.get(begin(world, client)).status_code == 403
        assert client.get("/account").status_code == 303
    assert Users(world.opened.database).all() == []


def test_a_callback_works_once_for_who_began_it(world: World) -> None:
    with world.browser() as client, world.browser() as other:
        back = begin(world, client)
        assert other.get(back).status_code == 403  # no state of theirs
        mine = begin(world, other)
        assert other.get(back).status_code == 403  # the state of somebody else
        assert other.get(mine).status_code == 403  # begun again, as that one was over
        kept = client.cookies["mlc_sso"]
        assert client.get(back).status_code == 303
        assert client.get(back).status_code == 403
        replayed = httpx2.get(
            world.url + back.removeprefix(world.url), headers={"Cookie": f"mlc_sso={kept}"}, trust_env=False
        )
        assert replayed.status_code == 403  # the provider takes a code once


@pytest.mark.parametrize(
    "tail", ["", "?state=x", "?code=x", "?error=access_denied&state=x", "?code=x&state=", "?code=%00&state=%00"]
)
def test_a_callback_out_of_nowhere_is_refused(world: World, tail: str) -> None:
    with world.browser() as client:
        assert client.get(BACK + tail).status_code == 403
        begin(world, client)
        refused = client.get(BACK + tail)
        assert (refused.status_code, "mlc_session" in refused.headers.get("set-cookie", "")) == (403, False)


def test_another_issuer_in_the_callback_is_refused(world: World) -> None:
    with world.browser() as client:
        assert client.get(f"{begin(world, client)}&iss=https%3A%2F%2Fevil.example.com").status_code == 403
        assert client.get(f"{begin(world, client)}&iss={world.there.issuer}").status_code == 303


def test_a_token_that_is_not_genuine_lets_nobody_in(world: World) -> None:
    world.there.spoil = lambda claims: claims.update(nonce="x")
    with world.browser() as client:
        refused = client.get(begin(world, client))
        assert (refused.status_code, "did not let you in" in refused.text) == (403, True)
        assert client.get("/account").status_code == 303


def test_a_cookie_that_was_made_up_begins_nothing(world: World) -> None:
    with world.browser() as client:
        back = begin(world, client)
        for made_up in ("x", "", "A" * 400, "é"):
            answer = httpx2.get(back, headers={b"Cookie": f"mlc_sso={made_up}".encode()}, trust_env=False, timeout=60)
            assert answer.status_code == 403


def test_a_provider_that_is_not_there_is_told_of(world: World) -> None:
    world.there.server.stop()
    with world.browser() as client:
        answer = client.get("/sign-in/sso")
        assert (answer.status_code, "be reached" in answer.text) == (403, True)
    world.there.server.start()


def test_without_a_single_sign_on_there_is_none(opened: wiring.Opened) -> None:
    with answering(opened) as url, httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        assert "/sign-in/sso" not in client.get("/sign-in").text
        assert client.get("/sign-in/sso").status_code == client.get(BACK).status_code == 404
