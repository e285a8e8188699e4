"""Where the secrets of a connection go once a version counts, told to whoever has to agree to it.

Rule: each system of which the address or the secret would be another is told with the address that its secret goes to.
Must not know: secrets, how anything is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_connector.store import schema
from ml_connector.store.versions import State, Version
from ml_connector.wiring import versions
from ml_connector.wiring.further import title
from ml_connector.wiring.opened import Opened


def destined(opened: Opened, name: str, one: Version) -> list[str]:
    """In sentences, which secret would go where; none where both stay as they are, or nothing waits."""
    return list(_told(opened, name, one)) if one.state is State.PROPOSED else []


def _told(opened: Opened, name: str, one: Version) -> Iterator[str]:
    new = versions.of(opened, name).laid_by(one.number)
    since = opened.connections.secrets_since(name)
    before, after = _addresses(opened.connections.get(name).settings), _addresses(one.settings)
    for system, url in after.items():
        old = before.get(system)
        if system not in new and url == old:
            continue
        kept = f"the secret kept since {schema.stamp(since[system])}" if system in since else "no secret"
        which = "a new secret, given with this version," if system in new else kept
        moved = f", not to {old} any more" if old and old != url else ""
        yield f"{title(system)}: {which} goes to {url}{moved}."


def _addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    """Whatever program wrote the settings, the addresses in them by system."""
    systems = {name: settings.get(name, {}) for name in ("ifs", "airbase")} | settings.get("systems", {})
    return {name: one.get("url", "") for name, one in systems.items()}
