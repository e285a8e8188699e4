"""Who is told when something is wrong.

Rule: what would never reach anybody is refused when it is read.
Must not know: what is alarming, how somebody is told.
"""

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.settings.texts import HERE, clock, span

RECIPIENTS_MAX = 50
_ADDRESS = re.compile(r"[^@\s,;<>\"()]{1,64}@[A-Za-z0-9.-]{1,255}")


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


def check(alerts: Alerts) -> None:
    """Make sure that its values can be meant. Raises: SettingsError."""
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
