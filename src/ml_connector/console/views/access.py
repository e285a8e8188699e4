"""Who has access: people, sessions, tokens.

Rule: nothing with which somebody could sign in or ask is shown.
Must not know: HTML, requests.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from ml_connector.console.api.shapes import Shown
from ml_connector.console.site import Site
from ml_connector.store.api_tokens import ApiToken, Right
from ml_connector.store.rights import Role
from ml_connector.store.users import User

TOKENS_MAX = 500
PERSON_HEADINGS = ("name", "roles", "waiting roles", "state", "signs in by", "made at", "made by", "last signed in at")
TOKEN_HEADINGS = ("token", "scope", "state", "made at", "made by", "expires at", "last used at")


class PersonShown(Shown):
    """Somebody who has, had or will have access."""

    name: str
    roles: tuple[Role, ...]
    wanted: tuple[Role, ...] = Field(description="Roles that wait for another administrator.")
    wanted_by: str
    state: Literal["active", "invited", "locked", "disabled"]
    by: Literal["password", "single sign-on"] = Field(description="How they sign in.")
    created_at: datetime
    created_by: str
    last_at: datetime | None = Field(description="When they last signed in.")
    sessions: int


class TokenShown(Shown):
    """A token of the API, without what makes it usable."""

    name: str
    scope: Right
    state: Literal["in force", "expired", "revoked"]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_at: datetime | None


class People(Shown):
    """Everybody."""

    users: list[PersonShown]


class Tokens(Shown):
    """All tokens, the newest first."""

    tokens: list[TokenShown]


class SessionShown(Shown):
    """Somebody is signed in."""

    digest: str
    name: str
    created_at: datetime
    last_at: datetime


def people(site: Site) -> People:
    """Everybody there ever was."""
    now = datetime.now(UTC)
    sessions = Counter(one.name for one in site.sessions.in_force())
    return People(users=[_person(one, sessions[one.name], now) for one in site.users.all()])


def person(site: Site, name: str) -> PersonShown | None:
    """One of them."""
    return next((one for one in people(site).users if one.name == name), None)


def sessions(site: Site, user_id: int | None = None) -> list[SessionShown]:
    """Who is signed in, last used first."""
    return [SessionShown.model_validate(one) for one in site.sessions.in_force(user_id)]


def tokens(site: Site) -> Tokens:
    """The tokens there are."""
    now = datetime.now(UTC)
    there = sorted(site.tokens.all(), key=lambda one: (not one.in_force(now), -one.id))
    return Tokens(tokens=[_token(one, now) for one in there[:TOKENS_MAX]])


def person_rows(people: Sequence[PersonShown]) -> list[Sequence[Any]]:
    """People as lines of a table."""
    return [
        (
            one.name,
            " ".join(one.roles),
            " ".join(one.wanted),
            one.state,
            one.by,
            one.created_at.isoformat(),
            one.created_by,
            one.last_at.isoformat() if one.last_at else "",
        )
        for one in people
    ]


def token_rows(tokens: Sequence[TokenShown]) -> list[Sequence[Any]]:
    """Tokens as lines of a table."""
    return [
        (
            one.name,
            one.scope,
            one.state,
            one.created_at.isoformat(),
            one.created_by,
            one.expires_at.isoformat() if one.expires_at else "",
            one.last_at.isoformat() if one.last_at else "",
        )
        for one in tokens
    ]


def _person(one: User, sessions: int, now: datetime) -> PersonShown:
    return PersonShown(
        name=one.name,
        roles=one.roles,
        wanted=one.wanted,
        wanted_by=one.wanted_by,
        state=_state(one, now),
        by="single sign-on" if one.subject else "password",
        created_at=one.created_at,
        created_by=one.created_by,
        last_at=one.last_at,
        sessions=sessions,
    )


def _state(one: User, now: datetime) -> Literal["active", "invited", "locked", "disabled"]:
    if one.disabled_at:
        return "disabled"
    if not one.able:
        return "invited"
    return "locked" if one.locked_until and one.locked_until > now else "active"


def _token(one: ApiToken, now: datetime) -> TokenShown:
    state = "revoked" if one.revoked_at else "in force" if one.in_force(now) else "expired"
    return TokenShown(
        name=one.name,
        scope=one.right,
        state=state,
        created_at=one.created_at,
        created_by=one.created_by,
        expires_at=one.expires_at,
        last_at=one.last_at,
    )
