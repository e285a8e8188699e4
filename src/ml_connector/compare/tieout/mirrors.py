"""Master data of one flow on both sides: counted, and digested so that equal sides give equal digests.

Rule: a digest is a sum over records, so that no order matters; only records that should be on both sides are in it.
Must not know: what a record means.
"""

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.compare.tieout.shapes import Kind, Line, Mirror
from ml_connector.records import codec, keys
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Sight

LINES_MAX = 100
COUNTS = ("source", "equal", "differing", "missing", "extra", "held", "not_due")
EQUAL = (Action.UNCHANGED, Action.RELINK, Action.ADOPT)
_MODULUS = 1 << 256
_IN_TARGET = {"gone_from_target": "missing", "doubled_in_target": "differing", "differs_in_target": "differing"}
_KINDS = {"missing": Kind.MISSING, "extra": Kind.EXTRA, "differing": Kind.CHANGED}
_REMEDY = "Run its flow; if the difference stays, see the record's page."


class Mirroring:
    """A mirror in the making."""

    def __init__(self, flow: str, title: str) -> None:
        self._flow, self._title = flow, title
        self._counts: dict[str, int] = dict.fromkeys(COUNTS, 0)
        self._sums: dict[str, int] = {"source": 0, "target": 0}
        self._told: set[str] = set()
        self._there: set[str] = set()
        self._lines: list[Line] = []

    def there(self, key: str) -> None:
        """Count a record of the target."""
        self._there.add(key)

    def add(self, sight: Sight, decision: Decision) -> None:
        """Count a record of the source, or one that it had."""
        self._told.add(sight.key)
        self._counts["source"] += sight.there
        name = self._place(sight, decision)
        if not name:
            return
        self._counts[name] += 1
        if name in ("equal", "differing", "missing"):
            self._sum("source", sight.key, decision.after)
        if name == "equal":
            self._sum("target", sight.key, decision.after)
        elif name in ("differing", "extra"):
            self._sum("target", sight.key, _comparable(decision))
        self._line(name, sight.key, decision)

    def made(self) -> Mirror:
        """What was counted."""
        for key in sorted(self._there - self._told):
            self._counts["extra"] += 1
            self._sum("target", key, None)
            self._line("extra", key, None)
        counts = self._counts
        target = len(self._there) or counts["equal"] + counts["differing"] + counts["extra"]
        source_digest, target_digest = (f"{self._sums[side]:064x}" for side in ("source", "target"))
        return Mirror(
            self._flow,
            self._title,
            target=target,
            source_digest=source_digest,
            target_digest=target_digest,
            differences=tuple(self._lines),
            **counts,
        )

    def _place(self, sight: Sight, decision: Decision) -> str:
        """Under what a record counts; "": it is gone on both sides."""
        if decision.action is Action.HELD:
            return _IN_TARGET.get(decision.held.cause if decision.held else "", "held")
        if not sight.there:
            return "extra" if decision.action in (Action.UPDATE, Action.DEACTIVATE) else ""
        if decision.action in EQUAL:
            return "equal"
        names = {Action.CREATE: "missing", Action.NOT_DUE: "not_due"}
        return names.get(decision.action, "differing")

    def _sum(self, side: str, key: str, record: Any) -> None:
        """Add a record to a side's digest; one that nobody knows is never equal to that of the other side."""
        text = f"{key}\n{side if record is None else codec.digest(record)}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
        self._sums[side] = (self._sums[side] + number) % _MODULUS

    def _line(self, name: str, key: str, decision: Decision | None) -> None:
        if name not in _KINDS or len(self._lines) >= LINES_MAX:
            return
        reason, remedy = _told(name, decision)
        place = (self._flow, key, keys.shown(key), "", "", "", Decimal(0))
        target_id = decision.target_id if decision else ""
        self._lines.append(Line(*place, difference=_KINDS[name], target_id=target_id, reason=reason, remedy=remedy))


def _told(name: str, decision: Decision | None) -> tuple[str, str]:
    """Why a record differs, and what to do."""
    if decision and decision.held:
        return decision.held.sentence, decision.held.remedy
    said = {"missing": "It is not in Airbase yet.", "extra": "It is in Airbase, but no longer in IFS."}
    return said.get(name) or f"It differs in {', '.join(_fields(decision)) or 'its state'}.", _REMEDY


def _comparable(decision: Decision) -> Any:
    """What the target holds, in the fields that are kept in line."""
    if decision.after is None or decision.before is None or type(decision.after) is not type(decision.before):
        return decision.before
    ignored = {name: None for name, value in msgspec.structs.asdict(decision.after).items() if value is None}
    return msgspec.structs.replace(decision.before, **ignored)


def _fields(decision: Decision | None) -> list[str]:
    """The fields that differ."""
    if decision is None or decision.before is None or type(decision.after) is not type(decision.before):
        return []
    before, after = (msgspec.structs.asdict(one) for one in (_comparable(decision), decision.after))
    return [name.replace("_", " ") for name in after if before.get(name) != after[name]]
