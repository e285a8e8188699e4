"""Changing a connection's settings: at once, later, or when a second person agrees; and going back.

Rule: whatever way a change comes, it becomes a version. Where two persons are asked for, it is in force once somebody
else agreed, and so are secrets, with or without another address; only to switch flows off takes nobody else.
Must not know: how anything is shown.
"""

from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
import structlog

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.flows import FLOWS
from ml_connector.settings import Connection, Profile
from ml_connector.store import versions as stored
from ml_connector.store.versions import Authored, State, Version, Versions
from ml_connector.sync.flow import Shape
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.wiring import agreeing, differing, merging
from ml_connector.wiring import profile as profiles
from ml_connector.wiring.differing import Difference
from ml_connector.wiring.opened import Opened, Secrets

EVERY_S = 5.0
NOTE_MAX = 500
YEARS_MAX = 5
NO_SECRETS = Secrets("", "")
_POSTING = [flow.name for flow in FLOWS.values() if flow.shape is Shape.POST]
_LOG = structlog.get_logger("ml_connector.versions")


def connect(
    opened: Opened,
    name: str,
    connection: Connection,
    secrets: Secrets,
    *,
    same_tenants: bool = False,
    person: str = "",
    note: str = "",
    base: int | None = None,
) -> Version | None:
    """Keep a connection, or make a version of one that is there; None: nothing but secrets changed.

    `base`: the version that was looked at. `same_tenants`: a changed address leads to the same systems as before.
    Raises: SettingsError when a name in the profile is wrong, or when records are linked that the connection would no
    longer lead to; StoreError.
    """
    if name.startswith("-"):
        raise SettingsError(f"a connection can't be called {name!r}: it would be taken for an option")
    how = Authored(person or settings.person(), _note(note), base=base)
    return _save(opened, name, connection, how, secrets, same_tenants=same_tenants)


def begins(day: str, profile: Profile) -> datetime | None:
    """When a version that counts from a day on begins; None: at once. Raises: SettingsError."""
    if not day.strip():
        return None
    try:
        began = datetime.combine(date.fromisoformat(day.strip()), time(), settings.zone(profile.calendar_zone))
        return began.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(f"{day[:40]!r} is no day; it looks like 2027-01-01") from None


def change(
    opened: Opened,
    name: str,
    profile: Profile,
    *,
    person: str,
    note: str = "",
    effective_at: datetime | None = None,
    base: int | None = None,
) -> Version | None:
    """Make a version with another profile; `base`: the version that was looked at. Raises: SettingsError."""
    connection = msgspec.structs.replace(present(opened, name), profile=profile)
    how = Authored(person, _note(note), _later(effective_at), base=base)
    return _save(opened, name, connection, how, NO_SECRETS)


def check(opened: Opened, name: str, profile: Profile) -> None:
    """Make sure that a connection may have a profile. Raises: SettingsError."""
    _check(opened, name, msgspec.structs.replace(present(opened, name), profile=profile))


def approve(opened: Opened, name: str, number: int, person: str, *, same_tenants: bool = False) -> Version:
    """Agree to a version, as somebody who did not make it. Raises: SettingsError."""
    one = of(opened, name).get(number)
    if why := why_not(one, person):
        raise SettingsError(why)
    if one.state is State.PROPOSED:
        _check(opened, name, settings.connection(one.settings), same_tenants=same_tenants)
    return of(opened, name).approve(number, person)


def why_not(one: Version, person: str) -> str:
    """Why somebody can't agree to a version; "" when they can."""
    return agreeing.why_not(person, f"made version {one.number}", one.author)


def end(opened: Opened, name: str, number: int, person: str, note: str = "") -> Version:
    """Turn a waiting version down; who made it withdraws it. Raises: SettingsError."""
    return of(opened, name).end(number, person, _note(note))


def rebase(opened: Opened, name: str, number: int, person: str) -> Version:
    """Make a version that changes what another one changed, upon the one in force; the other one is ended.

    Raises: SettingsError when both changed the same, naming where, and when secrets wait with it.
    """
    kept = of(opened, name)
    old = kept.get(number)
    if old.state not in (State.PROPOSED, State.APPROVED, State.LAPSED):
        raise SettingsError(f"version {number} is {old.state}; there is nothing to rebase")
    if person != old.author and present(opened, name).profile.two_persons:  # who would then agree to their own change
        raise SettingsError(f"{old.author} made version {number}, so only they rebase it; or make the change anew")
    if kept.laid_by(number):
        raise SettingsError(f"secrets wait with version {number} and nobody sees them; make the change anew, with them")
    base, now = kept.get(old.base).settings if old.base else {}, _in_force(opened, name)
    if now.number == old.base and old.state is not State.LAPSED:
        raise SettingsError(f"version {number} is made upon the version in force; it needs no rebasing")
    merged = settings.connection(merging.merged(base, old.settings, now.settings))
    effective_at = old.effective_at if old.effective_at and old.effective_at > datetime.now(UTC) else None
    how = Authored(person, old.note, effective_at, base=now.number)
    made = _save(opened, name, merged, how, NO_SECRETS)
    if old.waits:
        kept.end(number, person, f"rebased as version {made.number}" if made else "all of it is in force already")
    return made or now


def roll_back(opened: Opened, name: str, number: int, person: str, note: str = "") -> Version | None:
    """Make a version with the profile that an older one has. Raises: SettingsError."""
    old = of(opened, name).get(number)
    profile = settings.connection(old.settings).profile
    return change(opened, name, profile, person=person, note=note or f"Back to version {number}.")


def waiting(opened: Opened, name: str) -> list[Version]:
    """Versions that wait for a second person."""
    return [one for one in of(opened, name).waiting() if one.state is State.PROPOSED]


def due(opened: Opened) -> bool:
    """Put in force what was to be from now on; whether anything was."""
    names = {number: name for number, (name, _) in opened.connections.versions().items()}
    come = stored.due(opened.database, datetime.now(UTC))
    for connection_id, number in come:
        _begin(opened, names[connection_id], number)
    return bool(come)


def of(opened: Opened, name: str) -> Versions:
    """The versions of a connection."""
    return Versions(opened.database, opened.vault, opened.connections.get(name).id)


def present(opened: Opened, name: str) -> Connection:
    """The settings of a connection as they are in force."""
    return settings.connection(opened.connections.get(name).settings)


def number_in_force(opened: Opened, name: str) -> int:
    """The version in force; 0: settings were not changed since versions are kept."""
    current = of(opened, name).in_force()
    return current.number if current else 0


def differences(opened: Opened, name: str, number: int, other: int = 0) -> list[Difference]:
    """What a version has otherwise than another one, or than the one that it was made upon. Raises: SettingsError."""
    kept = of(opened, name)
    one = kept.get(number)
    base = other or one.base
    return differing.told(_whole(kept.get(base).settings) if base else {}, _whole(one.settings))


def needs_two(before: dict[str, Any] | None, after: dict[str, Any], *, secrets: bool = False) -> bool:
    """Whether a change waits for a second person: as the settings in force say, unless it only switches flows off.

    `secrets`: some are given with it.
    """
    if before is None or not before.get("profile", {}).get("two_persons", False):
        return False
    same = {**before, "off": ()} == {**after, "off": ()}
    return secrets or not (same and set(before.get("off", ())) <= set(after.get("off", ())))


def _save(
    opened: Opened, name: str, connection: Connection, how: Authored, secrets: Secrets, *, same_tenants: bool = False
) -> Version | None:
    _check(opened, name, connection, same_tenants=same_tenants)
    after = msgspec.to_builtins(connection)
    known = name in opened.connections.names()
    base = number_in_force(opened, name) if known and how.base is None else how.base
    before = opened.connections.get(name).settings if known else None  # what comes in force from here on is refused
    named = {**secrets.further, "ifs": secrets.ifs, "airbase": secrets.airbase}
    given = {field: value for field, value in named.items() if value}
    whole = before and _whole(before)
    waits = needs_two(whole, after, secrets=bool(given))
    how = msgspec.structs.replace(how, waits=waits, base=base)
    as_before = before if before and whole == after else after  # what an earlier program kept is no change
    return opened.connections.save(name, as_before, given, how).made


def _whole(kept: dict[str, Any]) -> dict[str, Any]:
    """Settings as this program writes them, whichever did; as they are when it can't read them."""
    try:
        return msgspec.to_builtins(settings.connection(kept))
    except SettingsError:
        return kept


def _check(opened: Opened, name: str, connection: Connection, *, same_tenants: bool = False) -> None:
    """Make sure that settings are right, and still lead to what is linked. Raises: SettingsError."""
    read = profiles.read(settings.connection(msgspec.to_builtins(connection)))
    if opened.connections.in_use(name):
        before = present(opened, name)
        settings.check_move(name, before, connection, same_tenants=same_tenants)
        if opened.connections.in_use(name, _POSTING):
            _check_landing(name, _landed(opened, name, before.profile), read.landing)


def _landed(opened: Opened, name: str, profile: Profile) -> Landing | None:
    """How vouchers land, or landed when any were posted last; None: it was never said."""
    if profile.posting:
        return profiles.landed(profile)  # all else may be what is put right
    said = (one.settings.get("profile", {}).get("posting") for one in of(opened, name).counted())
    return next((profiles.landed(Profile(posting=posting)) for posting in said if posting), None)


def _check_landing(name: str, before: Landing | None, after: Landing | None) -> None:
    """Make sure that what was posted or handed over is still found. Raises: SettingsError."""
    if before and after and before.serie != after.serie:
        raise SettingsError(f"{name} has posted vouchers with the serie {before.serie}; with another they aren't found")
    if before and before.folder and (after is None or before.folder != after.folder):
        raise SettingsError(
            f"{name} has handed over voucher files in {before.folder}; keep it in [posting.landing] folder, whatever "
            "the kind, so that what is in them is still known"
        )


def _begin(opened: Opened, name: str, number: int) -> None:
    kept = of(opened, name)
    try:
        _check(opened, name, settings.connection(kept.get(number).settings))
        kept.begin(number)
    except SettingsError as error:
        _LOG.warning("a version could not be put in force", connection=name, version=number, said=str(error))
        kept.lapse(number, str(error))


def _in_force(opened: Opened, name: str) -> Version:
    current = of(opened, name).in_force()
    if current is None:
        raise SettingsError(f"the settings of {name} were not changed yet")
    return current


def _note(note: str) -> str:
    said = note.strip()
    if len(said) > NOTE_MAX or not said.isprintable():
        raise SettingsError(f"a note is one line of {NOTE_MAX} characters at most")
    return said


def _later(at: datetime | None) -> datetime | None:
    """When a version takes effect; None for at once."""
    now = datetime.now(UTC)
    if at is None or at <= now:
        return None
    if at.year > now.year + YEARS_MAX:
        raise SettingsError(f"a change can take effect within {YEARS_MAX} years; later than that, make it then")
    return at
