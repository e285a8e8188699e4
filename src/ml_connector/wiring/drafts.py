"""A profile that somebody is about to change: as text that a form carries, not kept anywhere.

Rule: what only the server's own people may set can't be changed here; what may be a secret is not shown.
Must not know: how anything is shown.
"""

import tomllib
from typing import Any
from urllib.parse import urlsplit

import msgspec
import tomli_w

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.settings import PROFILE_BYTES_MAX, Connection, Profile
from ml_connector.wiring import exporting, merging, versions
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.tables import Data

KEPT = "(kept; write another address to change it)"
DEPTH_MAX = 20
DOTS_MAX = 5_000_000  # in a line, squared, as that is how long they take


class Draft(msgspec.Struct, frozen=True):
    """A draft upon the version in force. `said`: what has to be told of it; `problem`: why it can't be saved."""

    data: Data
    base: int
    present: Connection
    said: str = ""
    problem: str = ""

    @property
    def text(self) -> str:
        """It as TOML."""
        return tomli_w.dumps(self.data)

    @property
    def touched(self) -> bool:
        """Whether it differs from what is in force."""
        return bool(merging.differences(shown(self.present.profile), self.data))

    @property
    def profile(self) -> Profile:
        """It as a profile. Raises: SettingsError."""
        return _profile(self.data, self.present)

    def having(self, data: Data) -> "Draft":
        """The draft with something else in it."""
        return msgspec.structs.replace(self, data=data)

    def checked(self, opened: Opened, name: str) -> "Draft":
        """The draft with what is wrong with it."""
        try:
            versions.check(opened, name, self.profile)
        except SettingsError as error:
            return msgspec.structs.replace(self, problem=str(error))
        return msgspec.structs.replace(self, problem="")


def start(opened: Opened, name: str) -> Draft:
    """A draft that is as what is in force."""
    present = versions.present(opened, name)
    return Draft(shown(present.profile), versions.number_in_force(opened, name), present)


def resume(opened: Opened, name: str, text: str, base: int) -> Draft:
    """A draft as a form carried it, put upon what is in force by now. Raises: SettingsError."""
    fresh = start(opened, name)
    if not text.strip():
        return fresh
    data = read(text)
    if base == fresh.base:
        return fresh.having(data)
    if not base:
        raise SettingsError("the settings were changed meanwhile; begin anew with what is in force now")
    old = settings.connection(versions.of(opened, name).get(base).settings).profile
    said = f"Version {fresh.base} came in force meanwhile; what you changed is put upon it."
    return msgspec.structs.replace(
        fresh, data=merging.merged(shown(old), data, shown(fresh.present.profile)), said=said
    )


def read(text: str) -> Data:
    """The tables of a TOML text. Raises: SettingsError."""
    if len(text.encode("utf-8", "replace")) > PROFILE_BYTES_MAX:
        raise SettingsError(f"a profile has at most {PROFILE_BYTES_MAX:,} bytes")
    try:
        data = tomllib.loads(_dotted(text.replace("\r\n", "\n")))
        _check_depth(data)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"this is not TOML: {error}") from None
    return data


def _dotted(text: str) -> str:
    """The text, if it has no keys of so many parts that reading them takes for ever. Raises: ValueError."""
    if sum(line.count(".") ** 2 for line in text.split("\n")) > DOTS_MAX:
        raise ValueError("too many dots in a line")
    return text


def _check_depth(data: Data) -> None:
    """Make sure that there are not tables in tables without end. Raises: ValueError."""
    level: list[Any] = [data]
    for _ in range(DEPTH_MAX):
        level = [one for each in level for one in _within(each)]
    if level:
        raise ValueError("tables in tables without end")


def _within(value: Any) -> list[Any]:
    inner: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()  # pyright: ignore
    return list(inner)


def shown(profile: Profile) -> Data:
    """A profile as it may be shown."""
    data = exporting.spare(profile)
    if profile.alerts.webhook:
        data["alerts"] = {**data["alerts"], "webhook": KEPT}
    return data


def _profile(data: Data, present: Connection) -> Profile:
    alerts: Any = data.get("alerts")
    if isinstance(alerts, dict) and alerts.get("webhook") == KEPT:  # pyright: ignore[reportUnknownMemberType]
        data = {**data, "alerts": {**alerts, "webhook": present.profile.alerts.webhook}}
    made = settings.profile(data)
    if _folder(made) != _folder(present.profile):
        raise SettingsError(
            "[posting.landing] folder is a place on the server, so it is set there: ml-connector config import"
        )
    webhook = made.alerts.webhook
    if webhook != present.profile.alerts.webhook and urlsplit(webhook).hostname in settings.HERE:
        raise SettingsError(
            "[alerts] webhook leads to the server itself, so it is set there: ml-connector config import"
        )
    return made


def _folder(profile: Profile) -> Any:
    landing: Any = profile.posting.get("landing")
    return landing.get("folder", "") if isinstance(landing, dict) else ""  # pyright: ignore
