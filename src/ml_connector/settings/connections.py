"""What a connection is made of: its tenants, and how they are joined.

Rule: a connection whose records are linked still leads to them.
Must not know: how a tenant is reached.
"""

from typing import Annotated, Any, Literal

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.settings import alerting
from ml_connector.settings.decoding import convert
from ml_connector.settings.profiles import Profile
from ml_connector.settings.texts import origin


class Ifs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach an IFS Cloud tenant; `public_only`: never inside the network, as the console set the address.

    Units: requests_max a minute.
    """

    url: str
    realm: str
    client_id: str
    companies: tuple[str, ...]
    requests_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1000
    ca_file: str = ""
    public_only: bool = False


class Airbase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach an Airbase tenant; `public_only`: never inside the network, as the console set the address.

    Units: requests_max a minute (the real window is not known; the connector also slows down by the rate headers).
    """

    url: str
    auth: Literal["bearer", "token"] = "bearer"
    requests_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 450
    ca_file: str = ""
    public_only: bool = False


class Further(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach a system beside IFS and Airbase; only the command line says so. Units: requests_max a minute."""

    url: str
    requests_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 450
    ca_file: str = ""
    public_only: bool = False


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One IFS tenant, one Airbase tenant, and how they are joined; `off`: flows that are switched off by hand.

    `systems`: further ones, by the name that the ends of flows call them.
    """

    ifs: Ifs
    airbase: Airbase
    profile: Profile = Profile()
    off: tuple[str, ...] = ()
    systems: dict[str, Further] = {}


def connection(data: dict[str, Any]) -> Connection:
    """A connection from its stored form; what an earlier program let be said is put right from there, so it is read.

    Raises: SettingsError.
    """
    result = convert(data, Connection)
    origin(result.ifs.url)
    origin(result.airbase.url)
    for further in result.systems.values():
        origin(further.url)
    if not result.ifs.companies:
        raise SettingsError("no IFS company given; name at least one (--ifs-company)")
    alerting.check(result.profile.alerts)
    return result


def check_move(name: str, before: Connection, after: Connection, *, same_tenants: bool) -> None:
    """Make sure that a connection with linked records still leads to them.

    Raises: SettingsError.
    """
    places = [(one.ifs.url, one.ifs.realm, one.airbase.url) for one in (before, after)]
    if places[0] != places[1] and not same_tenants:
        raise SettingsError(
            f"{name} has records linked in {before.ifs.url} and {before.airbase.url}; connect other systems under "
            "another name, or say --same-tenants if only the address of the same ones has changed"
        )
    moved = [
        one for one in before.systems if one not in after.systems or after.systems[one].url != before.systems[one].url
    ]
    if moved and not same_tenants:
        raise SettingsError(
            f"{name} has linked records, and {moved[0]} would be another system; say --same-tenants if not"
        )
    dropped = sorted(set(before.ifs.companies) - set(after.ifs.companies))
    if dropped:
        raise SettingsError(
            f"{name} has linked records, and company {', '.join(dropped)} is missing: its records would look deleted "
            "and be switched off; name all companies, or connect the others under another name"
        )
