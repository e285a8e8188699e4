"""Settings: where the store is, and what a connection is made of.

Rule: everything is checked when it is read; a mistake names the setting and the nearest one that exists.
Must not know: how a setting is used. Secrets are not settings: they go straight to the vault.
"""

import os
import pwd
import re
import tomllib
from datetime import time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_connector.errors import SettingsError

T = TypeVar("T")

HOME = Path.home() / ".ml-connector"
PROFILE_BYTES_MAX = 1_000_000
RECIPIENTS_MAX = 50
FREE_MAX = 1_000_000  # records that a gate lets through uncounted
HERE = ("127.0.0.1", "localhost", "::1")
_ADDRESS = re.compile(r"[^@\s,;<>\"()]{1,64}@[A-Za-z0-9.-]{1,255}")
_SPAN = re.compile(r"(\d{1,4})\s?([mhd])")
_KINDS = {"str": "a text", "array": "a list", "object": "a table", "null": "nothing", "bool": "true or false"}
_BOUNDS = {">": "least", "<": "most"}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Installation(BaseSettings):
    """What comes from the environment (`ML_CONNECTOR_…`): the store, its key, how long things are kept, who is told.

    `smtp_url`, `mail_from`: through which server and from whom alerts are mailed. `metrics_token`: who asks for figures
    has to bear it. `public_url`: where others reach this installation, such as `https://connector.example.com`.
    `access_two_persons`: roles wait for a second administrator. `oidc_…`: the single sign-on; `oidc_roles` says which
    value of the claim `oidc_roles_claim` gives which role: `ap-team=clerk,controllers=approver`.
    """

    model_config = SettingsConfigDict(env_prefix="ML_CONNECTOR_", env_ignore_empty=True)

    store: str = f"sqlite:///{HOME / 'store.db'}"
    key: SecretStr | None = None
    key_file: Path | None = None
    keep_journal_years: int = Field(default=7, ge=1, le=100)
    keep_runs_days: int = Field(default=400, ge=1, le=36500)
    keep_changes_days: int = Field(default=90, ge=1, le=36500)
    smtp_url: SecretStr | None = None
    mail_from: str = ""
    metrics_token: SecretStr | None = None
    allow_private_webhooks: bool = False
    allow_private_systems: bool = False
    public_url: str = ""
    access_two_persons: bool = False
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr | None = None
    oidc_roles_claim: str = "groups"
    oidc_roles: str = ""


def installation(store: str = "") -> Installation:
    """The installation, with the store that was named, if one was.

    Raises: SettingsError.
    """
    try:
        return Installation(store=store) if store else Installation()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise SettingsError(f"ML_CONNECTOR_{str(first['loc'][0]).upper()}: {first['msg']}") from None


def store_file(url: str) -> Path | None:
    """The file of an SQLite store; None for a server.

    Raises: SettingsError when it is SQLite, but not a plain file.
    """
    scheme, _, path = url.partition(":///")
    if not scheme.startswith("sqlite"):
        return None
    if scheme != "sqlite" or not path or path == ":memory:" or any(mark in path for mark in "?%"):
        raise SettingsError(f"{url!r} is no usable store; it looks like sqlite:////var/lib/ml-connector/store.db")
    return Path(path)


def key_file(installation: Installation) -> Path:
    """Where the key file is: as set, else beside an SQLite store, else in the home folder.

    Raises: SettingsError.
    """
    file = store_file(installation.store)
    path = installation.key_file or (file.with_suffix(".key") if file else HOME / "store.key")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"{path.parent}: {error.strerror}") from error
    return path


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


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told when something is wrong: by e-mail, by a POST to `webhook`.

    `dead_man`: by flow, how long it may go without a good run ("2h"). `digest_at`: when to tell all that is open, every
    day. Units: for_s is how long something has to be wrong, or right again, before it is told.
    """

    email: tuple[str, ...] = ()
    webhook: str = ""
    dead_man: dict[str, str] = {}
    digest_at: str = ""
    for_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60.0


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


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One IFS tenant, one Airbase tenant, and how they are joined; `off`: flows that are switched off by hand.

    `systems`: further ones, by the name that the ends of flows call them.
    """

    ifs: Ifs
    airbase: Airbase
    profile: Profile = Profile()
    off: tuple[str, ...] = ()
    systems: dict[str, Further] = {}


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
    _known("the profile", data, Profile)
    for name, kind in (
        ("mapping", Mapping),
        ("payment_terms", Terms),
        ("invoices", Invoices),
        ("alerts", Alerts),
        ("web", Web),
    ):
        if isinstance(data.get(name), dict):
            _known(f"[{name}]", data[name], kind)
    result = _convert(data, Profile)
    zone(result.calendar_zone)
    _check_alerts(result.alerts)
    _check_gates(result.gate)
    _check_web(result.web)
    return result


def connection(data: dict[str, Any]) -> Connection:
    """A connection from its stored form, checked.

    Raises: SettingsError.
    """
    result = _convert(data, Connection)
    origin(result.ifs.url)
    origin(result.airbase.url)
    for further in result.systems.values():
        origin(further.url)
    if not result.ifs.companies:
        raise SettingsError("no IFS company given; name at least one (--ifs-company)")
    _check_alerts(result.profile.alerts)
    _check_gates(result.profile.gate)
    _check_web(result.profile.web)
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


def origin(url: str) -> str:
    """The scheme, host and port of a URL; https, or http on loopback.

    Raises: SettingsError.
    """
    text = url.strip()
    told = "an address with a name or password in it" if "@" in text else repr(text)  # a password is told nobody
    unusable = SettingsError(f"{told} is not a usable address; it looks like https://company.ifs.cloud")
    try:
        parts = urlsplit(text)
        odd = parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment or not parts.hostname
    except ValueError:
        raise unusable from None
    if odd or parts.scheme not in ("https", "http") or " " in text or not text.isprintable():
        raise unusable
    if parts.path not in ("", "/"):
        raise SettingsError(f"{url!r} has a path; give only {parts.scheme}://{parts.netloc}")
    if parts.scheme == "http" and parts.hostname not in HERE:
        raise SettingsError(f"{url!r} is not encrypted; use https (http is for this machine only)")
    return f"{parts.scheme}://{parts.netloc}"


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


def _check_alerts(alerts: Alerts) -> None:
    if len(alerts.email) > RECIPIENTS_MAX:
        raise SettingsError(f"[alerts] email has more than {RECIPIENTS_MAX} addresses; use a distribution list")
    for address in alerts.email:
        if not _ADDRESS.fullmatch(address):
            raise SettingsError(f"[alerts] email: {address!r} is no address; it looks like ap@example.com")
    if alerts.webhook:
        _check_callback(alerts.webhook)
    for limit in alerts.dead_man.values():
        span(limit)
    if alerts.digest_at:
        clock(alerts.digest_at)


def _check_callback(url: str) -> None:
    unusable = SettingsError("[alerts] webhook is no usable address; it looks like https://hooks.example.com/…")
    try:
        parts = urlsplit(url)
        odd = parts.port == 0 or "@" in parts.netloc or parts.fragment or not parts.hostname
    except ValueError:
        raise unusable from None
    if odd or " " in url or not (url.isascii() and url.isprintable()):
        raise unusable
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in HERE):
        raise SettingsError("[alerts] webhook is not encrypted; use https (http is for this machine only)")


def span(text: str) -> timedelta:
    """A length of time as people write it: 90m, 2h, 3d. Raises: SettingsError."""
    found = _SPAN.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise SettingsError(f"{text!r} is no length of time; it looks like 90m, 2h or 3d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def clock(text: str) -> time:
    """A time of day: 07:00. Raises: SettingsError."""
    if not _CLOCK.fullmatch(text.strip()):
        raise SettingsError(f"{text!r} is no time of day; it looks like 07:00")
    return time.fromisoformat(text.strip())


def person() -> str:
    """Who runs this process: the account of the operating system, which no option can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises: SettingsError.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"there is no time zone {name!r}; it looks like Europe/Oslo") from error


def _known(where: str, data: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    for name in data:
        if name not in kind.__struct_fields__:
            near = get_close_matches(name, kind.__struct_fields__, 1)
            hint = f"; nearest: {near[0]}" if near else f"; there are: {', '.join(kind.__struct_fields__)}"
            raise SettingsError(f"{where} has no setting {name!r}{hint}")


def _convert(data: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(_in_words(str(error))) from error


def _in_words(said: str) -> str:
    """What msgspec says of a value, with the names that TOML has for kinds of values."""
    what, _, place = said.partition(" - at `$")
    if what.startswith("Expected"):  # other sentences name a setting
        what = re.sub(r"`([a-z]+)( \| null)?`", lambda kind: _KINDS.get(kind[1], "a number"), what)
        what = re.sub(r" ([<>])= (\d+)(?:\.0)?", lambda bound: f" of at {_BOUNDS[bound[1]]} {bound[2]}", what)
    where = place.strip("`").lstrip(".")
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else what
