"""What to do about one record: the whole decision, in one table.

Rule: decided from what the source says, what is linked and what was found in the target; from nothing else.
Must not know: how any of the three was learnt.
"""

import hashlib
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from ml_connector.records import codec
from ml_connector.sync.outcome import Held, Mapped, Trace


class Action(StrEnum):
    """What a decision comes to; the first five touch the target or the link."""

    CREATE = "create"
    ADOPT = "adopt"  # already there and equal: only the link is made
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    RELINK = "relink"  # equal, but the link does not say so yet
    UNCHANGED = "unchanged"
    NOT_DUE = "not_due"
    HELD = "held"


WRITES = (Action.CREATE, Action.UPDATE, Action.DEACTIVATE)


class Link(msgspec.Struct, frozen=True, dict=True):
    """What a source key stands for in the target, and the last value both sides agreed on.

    `digest` is that value's, and "" while it is not certain that the target still holds it. `kept`: that value, or what
    gives it, as of most links nobody asks for it.
    """

    key: str
    target_id: str
    digest: str
    active: bool
    kept: Any
    wake_on: date | None = None
    origin: str = ""

    @cached_property
    def agreed(self) -> Any:
        """The last value both sides agreed on."""
        return self.kept() if callable(self.kept) else self.kept


class Found(msgspec.Struct, frozen=True):
    """A record that is in the target under a key of ours; `pending`: it was handed over, but is not taken yet."""

    key: str
    target_id: str
    record: Any
    pending: bool = False


class Decision(msgspec.Struct, frozen=True, dict=True):
    """What to do about one key: what the target should hold, and what it holds as far as known.

    Of documents also: the day it takes effect when that is not its own, whether that is later, what a person should
    know of it, and what is remembered of its source.
    """

    key: str
    action: Action
    after: Any = None
    before: Any = None
    target_id: str = ""
    active: bool = True
    wake_on: date | None = None
    held: Held | None = None
    effective_on: date | None = None
    late: bool = False
    warnings: tuple[str, ...] = ()
    trace: Trace = Trace()

    @cached_property
    def digest(self) -> str:
        """What identifies the value to be reached."""
        return codec.digest(self.after)


def same(there: Any, wanted: Any) -> bool:
    """Whether a record of the target is as wanted; a field that is None in what is wanted is not ours to compare."""
    ignored = {name: None for name, value in msgspec.structs.asdict(wanted).items() if value is None}
    return codec.digest(msgspec.structs.replace(there, **ignored)) == codec.digest(wanted)


def decide(key: str, mapped: Mapped[Any] | Held | None, link: Link | None, found: Found | None) -> Decision:
    """The decision for a record; `mapped` None: the source does not have it (any more)."""
    if isinstance(mapped, Held):
        return holding(key, mapped, known=link is not None or found is not None)
    if mapped is None:
        return Decision(key, Action.UNCHANGED if link else Action.NOT_DUE)
    if link is None and found is None:
        return creating(key, mapped)
    return _known(key, mapped, link, found)


def holding(key: str, held: Held, *, known: bool) -> Decision:
    """A record that waits, unless it need not be there and is not."""
    waits = known or not held.idle
    return Decision(key, Action.HELD if waits else Action.NOT_DUE, held=held if waits else None)


def creating(key: str, mapped: Mapped[Any]) -> Decision:
    """A record that the target does not have."""
    action = Action.CREATE if mapped.due and mapped.active else Action.NOT_DUE
    return Decision(key, action, mapped.record, active=mapped.active, wake_on=mapped.wake_on)


def _known(key: str, mapped: Mapped[Any], link: Link | None, found: Found | None) -> Decision:
    target_id = found.target_id if found else link.target_id if link else ""
    linked = link is not None and link.digest == codec.digest(mapped.record)
    equal = same(found.record, mapped.record) if found else linked
    action = _action(mapped, link, equal=equal, linked=linked)
    agreed = mapped.record if action is Action.UNCHANGED else link.agreed if link else None  # to open it takes time
    return Decision(
        key,
        action,
        mapped.record,
        found.record if found else agreed,
        target_id,
        mapped.active,
        mapped.wake_on,
    )


def _action(mapped: Mapped[Any], link: Link | None, *, equal: bool, linked: bool) -> Action:
    """What it comes to; `equal`: to what the target holds, `linked`: to what the link says that it holds."""
    if not equal:
        leaving = not mapped.active and (link is None or link.active)
        return Action.DEACTIVATE if leaving else Action.UPDATE
    if link is None:
        return Action.ADOPT
    return Action.UNCHANGED if linked and link.wake_on == mapped.wake_on else Action.RELINK


class Tally(msgspec.Struct):
    """A plan counted, and the identity of what a person would approve of it, whatever the order it was made in.

    Two plans have the same `plan_id` exactly when they would change the same records to the same values, and post the
    same documents late. What else is created does not count: it destroys nothing, and a record that arrives meanwhile
    must not void an approval.
    """

    counts: dict[str, int] = {}
    late: int = 0
    content: int = 0

    def add(self, decision: Decision) -> None:
        """Count one decision."""
        self.counts[decision.action] = self.counts.get(decision.action, 0) + 1
        self.late += decision.late
        if decision.late or decision.action in (Action.UPDATE, Action.DEACTIVATE):
            self.content = (self.content + _weight(decision)) % (1 << 256)

    def of(self, *actions: Action) -> int:
        """How many decisions came to any of these."""
        return sum(self.counts.get(action, 0) for action in actions)

    @property
    def plan_id(self) -> str:
        """What a person approves."""
        return f"{self.content:064x}"[-12:]


def _weight(decision: Decision) -> int:
    day = decision.effective_on.isoformat() if decision.effective_on else ""
    text = "\n".join((decision.key, decision.action, decision.target_id, decision.digest, day))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
