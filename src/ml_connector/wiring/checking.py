"""All checks of a connection: both systems, the mapping of companies, and whether webhooks arrive.

Rule: nothing is written anywhere; a check that can't be made says so, and what to do.
Must not know: how steps are shown.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2

from ml_connector.settings import Installation
from ml_connector.store.hooks import Hook, Hooks
from ml_connector.systems import signature
from ml_connector.systems.step import Said, Step, timed
from ml_connector.wiring import hooking
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.receiving import PING, PONG, SYSTEMS, System, how_of, received, verifies

LOOP_S = 10.0
NAMES: dict[System, str] = {"ifs": "IFS", "airbase": "Airbase"}


def steps(both: Joined, installation: Installation) -> Iterator[Step]:
    """The steps, each as soon as it is done."""
    yield from both.check()
    yield from webhooks(both, installation)


def webhooks(both: Joined, installation: Installation) -> Iterator[Step]:
    """Whether what the systems tell would arrive."""
    hooks = {hook.system: hook for hook in Hooks(both.opened.database, both.opened.vault).of(both.stored.id)}
    for system in reversed(SYSTEMS):
        hook = hooks.get(system)
        yield timed(f"{NAMES[system]} webhook", lambda hook=hook, system=system: _hook(hook, system, installation), str)


def _hook(hook: Hook | None, system: System, installation: Installation) -> Said:
    if hook is None:
        return Said(True, "Not set up: changes are found by looking.", f"Set one up in Inbox, if {NAMES[system]} can.")
    if not verifies(hook):
        return Said(True, "Not tried: its events show nothing that could be checked.", "Set a secret if you can.")
    headers = _headers(hook)
    if received(hook, headers, PING, datetime.now(UTC)) is not PONG:
        return Said(False, "An event signed with its own secret is refused.", "Set the webhook up anew in Inbox.")
    if not installation.public_url:
        said = "An event signed with its secret is taken; from outside it can't be tried."
        return Said(True, said, "Set ML_CONNECTOR_PUBLIC_URL to where this installation is reached.")
    return _looped(hooking.address(installation, hook), headers)


def _headers(hook: Hook) -> dict[str, str]:
    scheme, now = how_of(hook).scheme, datetime.now(UTC)
    return {"content-type": "application/json"} | signature.signed(scheme, hook.kept.current, PING, now.timestamp())


def _looped(address: str, headers: dict[str, str]) -> Said:
    """Send an event to ourselves the way that a system would. Its address is a secret, so no error repeats it."""
    remedy = "Check ML_CONNECTOR_PUBLIC_URL, and that the proxy hands /hooks/ on to this process."
    try:
        with httpx2.stream("POST", address, headers=headers, content=PING, timeout=LOOP_S) as answer:
            status = answer.status_code
    except Exception as error:
        said = f"Our own public address is not reached from here: {type(error).__name__}."
        return Said(False, said, remedy, unreachable=True)
    if status != 200:
        return Said(False, f"Our own public address answers {status} to a signed event.", remedy)
    return Said(True, "A signed event reached us by the public address; it left no trace.")
