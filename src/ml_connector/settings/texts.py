"""Values as people write them: addresses, lengths of time, times of day, zones.

Rule: what can't be meant is refused, with an example of what can.
Must not know: which setting it is.
"""

import re
from datetime import time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ml_connector.errors import SettingsError

HERE = ("127.0.0.1", "localhost", "::1")
_SPAN = re.compile(r"(\d{1,4})\s?([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


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


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises: SettingsError.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"there is no time zone {name!r}; it looks like Europe/Oslo") from error
