"""All checks of a connection: both systems, the mapping of companies, and whether webhooks arrive.

Rule: nothing is written anywhere; a check that can't be made says so, and what to do.
Must not know: how steps are shown.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2
import msgspec

from ml_connector.settings import Connection, Installation
from ml_connector.store.hooks import Hook, Hooks
from ml_connector.systems import doors, signature
from ml_connector.systems.airbase import check as airbase_check
from ml_connector.systems.doors import Door
from ml_connector.systems.ifs import check as ifs_check
from ml_connector.systems.step import Said, Step, timed
from ml_connector.wiring import hooking, parts
from ml_connector.wiring.further import title
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.receiving import PING, PONG, TELLERS, Teller, how_of, received, verifies

LOOP_S = 10.0


def steps(both: Joined, installation: Installation) -> Iterator[Step]:
    """The steps, each as soon as it is done."""
    yield from systems(both)
    yield from webhooks(both, installation)


def systems(both: Joined) -> Iterator[Step]:
    """Ping all systems, step by step."""
    own, profile = both.settings, both.settings.profile
    landing = both.read.landing
    in_ifs = ifs_check.steps(
        both.tenants.ifs, parts.of_ifs(both.had, landing), connection=both.stored.name, more=parts.properties(both.had)
    )
    in_airbase = airbase_check.steps(both.tenants.airbase, profile.mapping.subsidiaries, parts.of_airbase(both.had))
    sides = both.tenants.sides.items()
    beside = ((one.system.title, own.systems[name], one.system.check(one.client)) for name, one in sides)
    for system, side, named in (("IFS", own.ifs, in_ifs), ("Airbase", own.airbase, in_airbase), *beside):
        for step in _until_closed(doors.steps(Door(side.url, side.ca_file, side.public_only)), named):
            seconds = round(step.seconds, 4)
            yield msgspec.structs.replace(step, name=f"{system} {step.name}", seconds=seconds)
    if landing and landing.kind == "file":
        yield timed("voucher folder", partial(_folder, Path(landing.folder)), str)
    yield _mapped_companies(both.stored.name, own)


def webhooks(both: Joined, installation: Installation) -> Iterator[Step]:
    """Whether what the systems tell would arrive."""
    hooks = {hook.system: hook for hook in Hooks(both.opened.database, both.opened.vault).of(both.stored.id)}
    for system in reversed(TELLERS):
        hook = hooks.get(system)
        yield timed(f"{title(system)} webhook", lambda hook=hook, system=system: _hook(hook, system, installation), str)


def _hook(hook: Hook | None, system: Teller, installation: Installation) -> Said:
    if hook is None:
        return Said(True, "Not set up: changes are found by looking.", f"Set one up in Inbox, if {title(system)} can.")
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


def _until_closed(way: Iterator[Step], rest: Iterator[Step]) -> Iterator[Step]:
    """The steps to a system's door, and if it is open, the rest."""
    opened = True
    for step in way:
        opened = step.ok
        yield step
    if opened:
        yield from rest


def _folder(folder: Path) -> Said:
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Said(True, f"{folder} can be written to")
    return Said(False, f"{folder} is no folder that can be written to", "Make it, or mount it, and check again.")


def _mapped_companies(name: str, own: Connection) -> Step:
    companies, mapped = set(own.ifs.companies), own.profile.mapping.subsidiaries
    missing = ", ".join(sorted(companies - mapped.keys()))
    unused = ", ".join(sorted(mapped.keys() - companies))
    said = f"; {unused} is mapped, but not connected" if unused else ""
    if missing:
        first = missing.split(", ")[0]
        command = f"ml-connector connect {name} --subsidiary {first}=<Airbase reference>"
        remedy = f"Say which subsidiary it is, in the console or by: {command}"
        return Step("mapping of companies", False, 0, f"without a subsidiary: {missing}{said}", remedy)
    return Step("mapping of companies", True, 0, f"each company has its subsidiary{said}")
