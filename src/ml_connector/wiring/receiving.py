"""What is made of a webhook: an event for the inbox, or a refusal.

Rule: what does not show that it is genuine is refused before anything is read of its body; what it tells is a hint.
Must not know: HTTP servers, how an event is kept.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

import msgspec

from ml_connector.store.hooks import Hook
from ml_connector.store.inbox import Event, State
from ml_connector.systems import signature
from ml_connector.systems.airbase import webhooks
from ml_connector.systems.ifs import hints
from ml_connector.systems.ifs.hints import SHARED_SECRET, Finder
from ml_connector.systems.notices import Unreadable
from ml_connector.systems.signature import Scheme

REPLAY_S = 3 * 86_400  # events are told apart by their ids for much longer
PING = b'{"ml_connector":"ping"}'  # what a check sends to itself, signed; nothing comes of it
KEY_BYTES_MAX = 1000  # an index of PostgreSQL takes no more than 2,700
Teller = Literal["airbase", "ifs"]  # who tells by webhooks
TELLERS: tuple[Teller, ...] = ("airbase", "ifs")


class How(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a hook is checked and, of IFS, where its body has the key."""

    scheme: Scheme = Scheme()
    finder: Finder = Finder()


class Refusal(msgspec.Struct, frozen=True):
    """Why a webhook is not taken; the sentence tells nothing of the body or a secret."""

    status: int
    code: str
    sentence: str


PONG = Refusal(200, "pong", "this hook works")


def first(system: Teller) -> How:
    """How a hook is checked when nobody has said how."""
    return How(SHARED_SECRET if system == "ifs" else Scheme())


def how_of(hook: Hook) -> How:
    """How a hook is checked."""
    return msgspec.json.decode(hook.scheme, type=How)


def verifies(hook: Hook) -> bool:
    """Whether what comes to a hook shows that it is genuine."""
    return how_of(hook).scheme.kind != "none"


def received(hook: Hook, headers: Mapping[str, str], body: bytes, now: datetime) -> Event | Refusal:
    """Check a webhook and read its hint. Shape: see `signature.folded` for the headers."""
    how = how_of(hook)
    verdict = signature.verified(how.scheme, hook.kept.valid(now), headers, body, now.timestamp())
    if verdict.state == "refused":
        return Refusal(401, "unauthorized", verdict.reason)
    verified = verdict.state == "verified"
    if verified and body == PING:
        return PONG
    if hook.system == "ifs":
        return _of_ifs(hook, hints.hint(body, headers.get("content-type", ""), how.finder), body, now, verified)
    return _of_airbase(hook, webhooks.event(body), body, now, verified)


def _of_airbase(
    hook: Hook, told: webhooks.Event | Unreadable, body: bytes, now: datetime, verified: bool
) -> Event | Refusal:
    if isinstance(told, Unreadable):
        return Refusal(400, "unreadable", told.sentence)
    state, note = _standing(told.flow)
    if told.created_at and abs(now - told.created_at) > timedelta(seconds=REPLAY_S):
        state, note = State.STALE, f"its own time is more than {REPLAY_S // 86_400} days from when it came"
    place, at = (hook.connection_id, hook.system, told.id, told.type), told.created_date
    return Event(*place, at, now, verified, state, told.flow, told.key or "", body, note)


def _of_ifs(hook: Hook, told: hints.Hint | Unreadable, body: bytes, now: datetime, verified: bool) -> Event | Refusal:
    if isinstance(told, Unreadable):
        return Refusal(400, "unreadable", told.sentence)
    if len(told.key.encode()) > KEY_BYTES_MAX:
        return Refusal(400, "unreadable", f"the key in the body is longer than {KEY_BYTES_MAX} bytes")
    # Without an id nothing tells a repeat from the next change of the same record.
    event_id = f"id/{told.event_id}" if told.event_id else f"own/{uuid4().hex}"
    state, note = _standing(told.flow)
    place = (hook.connection_id, hook.system, event_id, told.unit or told.flow)
    return Event(*place, "", now, verified, state, told.flow, told.key, body, note)


def _standing(flow: str) -> tuple[State, str]:
    return (State.WAITING, "") if flow else (State.UNKNOWN, "no flow is for events of this type")
