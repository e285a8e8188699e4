"""The single sign-on of an installation: the provider that was set, and which groups give which roles.

Rule: who is in no group that gives a role is not let in; issuer and subject tell who somebody is, never a name.
Must not know: cookies, pages.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.settings import Installation
from ml_connector.store.rights import Role
from ml_connector.store.users import NAME_MAX
from ml_connector.systems.oidc import Client, Provider

GROUPS_MAX = 2000


class Known(msgspec.Struct, frozen=True):
    """Whom the provider vouches for."""

    subject: str
    name: str
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class SingleSignOn:
    """A provider, and which value of which claim gives which roles."""

    provider: Provider
    issuer: str
    claim: str
    roles: dict[str, frozenset[Role]]

    def known(self, claims: dict[str, Any]) -> Known:
        """Who it is, with which roles."""
        given = [self.roles[one] for one in _groups(claims, self.claim) if one in self.roles]
        name = claims.get("preferred_username") or claims.get("email") or claims["sub"]
        return Known(f"{self.issuer}|{claims['sub']}", _name(str(name)), tuple(sorted(frozenset[Role]().union(*given))))


def single_sign_on(installation: Installation) -> SingleSignOn | None:
    """The single sign-on that was set, if one was. Raises: SettingsError."""
    if not installation.oidc_issuer:
        return None
    secret = installation.oidc_client_secret
    client = Client(installation.oidc_issuer, installation.oidc_client_id, secret.get_secret_value() if secret else "")
    roles = mapping(installation.oidc_roles)
    return SingleSignOn(Provider(client), installation.oidc_issuer, installation.oidc_roles_claim, roles)


def mapping(text: str) -> dict[str, frozenset[Role]]:
    """Which group gives which roles, from `ap-team=clerk,controllers=approver`. Raises: SettingsError."""
    found: dict[str, frozenset[Role]] = {}
    for pair in filter(None, (one.strip() for one in text.split(","))):
        group, _, role = (part.strip() for part in pair.rpartition("="))
        if not group or role not in list(Role):
            roles = ", ".join(Role)
            raise SettingsError(f"ML_CONNECTOR_OIDC_ROLES: {pair!r} should be group=role, where a role is: {roles}")
        found[group] = found.get(group, frozenset()) | {Role(role)}
    if not found:
        raise SettingsError("ML_CONNECTOR_OIDC_ROLES is not set, so nobody would be let in; such as ap-team=clerk")
    return found


def _groups(claims: dict[str, Any], claim: str) -> list[str]:
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
    several: list[Any] = cast("list[Any]", found) if isinstance(found, list) else [found]
    return [one for one in several[:GROUPS_MAX] if isinstance(one, str)]


def _name(text: str) -> str:
    """A name of the provider's as we write names."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._@+-]+", "-", plain).strip("-._@+")[:NAME_MAX] or "somebody"
