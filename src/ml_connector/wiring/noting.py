"""Notes at exceptions: who sees to a record, until when it may rest, what there is to say of it.

Rule: only somebody who may put records right can be made to see to one; nothing rests for longer than a year.
Must not know: how anything is shown.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.store.noting import Noting, Which
from ml_connector.store.rights import May
from ml_connector.store.users import Users
from ml_connector.wiring import replaying
from ml_connector.wiring.opened import Opened, exceptions

COMMENT_MAX = 2000
REST_MAX = timedelta(days=366)
_DAYS = re.compile(r"([0-9]{1,3})d")


class Wish(msgspec.Struct, frozen=True):
    """What is to be noted. `to`: who sees to it, "" nobody. `until`: until when it rests, "" wakes it."""

    to: str | None = None
    comment: str = ""
    until: str | None = None


class Noted(msgspec.Struct, frozen=True):
    """For how many records each was news."""

    assigned: int
    commented: int
    rested: int


def of(opened: Opened, name: str) -> Noting:
    """The notes of a connection."""
    return Noting(opened.database, opened.vault, opened.connections.get(name).id)


def people(opened: Opened) -> list[str]:
    """Who can see to a record."""
    return [one.name for one in Users(opened.database).all() if May.WORK in one.may and not one.disabled_at]


def note(opened: Opened, name: str, which: Which, wish: Wish, person: str) -> Noted:
    """Note all of it, or nothing when something of it can't be. Raises: SettingsError."""
    if wish == Wish():
        raise SettingsError("nothing was said: choose who sees to it, until when it rests, or write a comment")
    _check_person(opened, wish.to)
    said = _said(wish.comment) if wish.comment else ""
    at = moment(opened, name, wish.until, datetime.now(UTC)) if wish.until else None
    kept, assigned, commented, rested = of(opened, name), 0, 0, 0
    if wish.to is not None:
        assigned = kept.assign(which, wish.to, person)
    if said:
        commented = kept.comment(which, said, person)
    if wish.until is not None:  # last, as what rests is no longer at the stage that was chosen
        rested = kept.snooze(which, at, person)
    return Noted(assigned, commented, rested)


def _check_person(opened: Opened, to: str | None) -> None:
    if to and to not in (known := people(opened)):
        raise SettingsError(f"nobody called {to[:64]!r} may put records right; there are {', '.join(known) or 'none'}")


def _said(comment: str) -> str:
    said = comment.replace("\r\n", "\n").strip()
    if not said or len(said) > COMMENT_MAX or not said.replace("\n", "").isprintable():
        raise SettingsError(f"a comment is text of 1 to {COMMENT_MAX:,} characters")
    return said


def moment(opened: Opened, name: str, until: str, now: datetime) -> datetime:
    """When something wakes: in so many days, as `7d`, or when a day begins in the connection's zone.

    Raises: SettingsError.
    """
    text = until.strip()
    if days := _DAYS.fullmatch(text):
        at = now.replace(second=0, microsecond=0) + timedelta(days=int(days[1]), minutes=1)
    else:
        try:
            at = datetime.combine(date.fromisoformat(text), time(), replaying.zone_of(opened, name)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise SettingsError("until when? Write 1d, 7d or a day such as 2026-09-01") from None
    if not now < at <= now + REST_MAX:
        raise SettingsError("it can rest until a day to come, for a year at most")
    return at


def of_record(opened: Opened, name: str, flow: str, given: str) -> Which:
    """The open exception of a record as a person names it. Raises: SettingsError when there is none."""
    key = replaying.key_of(opened, name, flow, given)
    found = exceptions(opened, name).one(flow, key)
    if found is None:
        raise SettingsError(f"{given.strip()} of {flow} needs nobody; `exceptions {name}` lists what does")
    return Which(numbers=(found.id,))
