"""What a profile may hold: names of a tenant, mapping tables, rules, limits, who is told.

Rule: a mistake names the setting and the nearest one that exists.
Must not know: flows, systems, what a setting does.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.settings import alerting
from ml_connector.settings.alerting import Alerts
from ml_connector.settings.decoding import convert, known
from ml_connector.settings.texts import zone

PROFILE_BYTES_MAX = 1_000_000
FREE_MAX = 1_000_000  # records that a gate lets through uncounted


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flow's limits where they differ from the flow's own; see `sync.policy`."""

    change_share_max: float | None = None
    deactivate_share_max: float | None = None
    free_max: int | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping tables, IFS value to Airbase value; `dimensions` is from the label of a tag to a code part."""

    subsidiaries: dict[str, str] = {}
    payment_terms: dict[str, str] = {}
    dimensions: dict[str, str] = {}


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payment terms: set in IFS only, or on both sides, and who wins when both changed."""

    both_ways: bool = False
    conflict: Literal["ifs", "airbase", "hold"] = "hold"


class Invoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of IFS supplier invoices: whether their status is set, and whether approval releases them.

    `entered_in`: where bills are entered; those of Airbase are proposed to IFS.
    """

    status: bool = False
    release: bool = False
    entered_in: Literal["ifs", "airbase"] = "ifs"


class Web(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a flow's records are to be looked at: addresses by flow, with {key}, {key1} … and {target_id} in them."""

    ifs: dict[str, str] = {}
    airbase: dict[str, str] = {}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a profile file may hold: names that this tenant uses, mapping tables, posting rules, limits.

    `systems`: names in further systems. `posting`: the rule book of the ledger flows; empty: they are off. `writable`:
    what of the chart Airbase lets the connector set. `new_vendors`: what becomes of vendors made in Airbase; "": held
    where there is posting. `two_persons`: who approves is not who runs. `calendar_zone`: where this connection's day
    begins. Units: quiet_s is how long an unanswered request may still take effect; timeout_s bounds one request.
    """

    ifs: dict[str, Any] = {}
    airbase: dict[str, Any] = {}
    systems: dict[str, dict[str, Any]] = {}
    mapping: Mapping = Mapping()
    gate: dict[str, Gate] = {}
    posting: dict[str, Any] = {}
    writable: tuple[Literal["accounts", "tags"], ...] = ()
    payment_terms: Terms = Terms()
    invoices: Invoices = Invoices()
    alerts: Alerts = Alerts()
    web: Web = Web()
    new_vendors: Literal["", "off", "hold", "create"] = ""
    two_persons: bool = False
    calendar_zone: str = "UTC"
    quiet_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 10.0
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=900)] = 120.0


def read_profile(path: Path) -> Profile:
    """A profile file (TOML).

    Raises: SettingsError.
    """
    try:
        with path.open("rb") as file:
            text = file.read(PROFILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    if len(text) > PROFILE_BYTES_MAX:
        raise SettingsError(f"{path}: larger than {PROFILE_BYTES_MAX:,} bytes; is it a profile?")
    try:
        return profile(tomllib.loads(text.decode("utf-8-sig")))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:  # also a number that is too long, or tables in tables without end
        raise SettingsError(f"{path}: not TOML: {error}") from error


def profile(data: dict[str, Any]) -> Profile:
    """A profile from its TOML tables, checked.

    Raises: SettingsError.
    """
    known("the profile", data, Profile)
    for name, kind in (
        ("mapping", Mapping),
        ("payment_terms", Terms),
        ("invoices", Invoices),
        ("alerts", Alerts),
        ("web", Web),
    ):
        if isinstance(data.get(name), dict):
            known(f"[{name}]", data[name], kind)
    result = convert(data, Profile)
    zone(result.calendar_zone)
    check_profile(result)
    return result


def check_profile(profile: Profile) -> None:
    """Make sure that its values can be meant. Raises: SettingsError."""
    alerting.check(profile.alerts)
    _check_gates(profile.gate)
    _check_web(profile.web)


def _check_gates(gates: dict[str, Gate]) -> None:
    for flow, gate in gates.items():
        for name in ("change_share_max", "deactivate_share_max"):
            share = getattr(gate, name)
            if share is not None and not 0 <= share <= 1:
                raise SettingsError(f"[gate.{flow}] {name} = {share:g} is no share; 0.2 is 20 %, and 1 is all")
        if gate.free_max is not None and not 0 <= gate.free_max <= FREE_MAX:
            raise SettingsError(f"[gate.{flow}] free_max = {gate.free_max} should be from 0 to {FREE_MAX:,} records")


def _check_web(web: Web) -> None:
    for system in Web.__struct_fields__:
        for flow, address in getattr(web, system).items():
            scheme, _, rest = address.partition("://")
            if not rest or scheme not in ("https", "http"):
                raise SettingsError(
                    f"[web.{system}] {flow}: {address!r} is no address; it looks like https://…/{{key}}"
                )
