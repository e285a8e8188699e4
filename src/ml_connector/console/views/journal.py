"""Entries of the journal as people read them.

Rule: facts are ids, digests and counts; a body is opened only to be shown, and is bounded.
Must not know: HTML, requests.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec
from pydantic import Field

from ml_connector.console.api.shapes import Shown, shown_key
from ml_connector.store.journal import JournalEntry, Kind
from ml_connector.store.journal_pages import Part

BODY_MAX = 20_000
UNTOLD = ("digest", "change", "report", "settings", "person")  # in the facts, but nothing to read
SAID = {
    Kind.INTENDED: ("busy", "about to be sent"),
    Kind.SETTLED: ("ok", "confirmed"),
    Kind.REFUSED: ("bad", "refused"),
    Kind.UNCERTAIN: ("warn", "not answered"),
    Kind.DROPPED: ("idle", "did not happen"),
    Kind.HANDED: ("busy", "handed over in a file"),
    Kind.HELD: ("warn", "held"),
    Kind.RELEASED: ("ok", "no longer held"),
    Kind.APPROVED: ("ok", "approved"),
    Kind.EDITED: ("busy", "edited"),
    Kind.NOTED: ("idle", "noted"),
    Kind.TIED: ("idle", "tie-out made"),
    Kind.SIGNED: ("ok", "signed off"),
    Kind.EVIDENCE: ("idle", "evidence"),
    Kind.RUN: ("idle", "run"),
    Kind.CONNECTION: ("idle", "settings"),
    Kind.RESTORED: ("warn", "restored from a backup"),
    Kind.PRUNED: ("idle", "old bodies removed"),
    Kind.SCHEDULE: ("idle", "schedule"),
    Kind.ACCESS: ("idle", "access"),
}


class EntryShown(Shown):
    """An entry of the journal."""

    seq: int
    at: datetime
    kind: str
    mark: str = Field(description="For colours: ok, warn, bad, busy, idle.")
    said: str = Field(description="What happened, in words.")
    flow: str
    key: str = Field(description="Of several parts A/B.")
    run_id: str
    person: str
    facts: dict[str, Any]
    details: str = Field(description="The facts that people read, in a line.")
    hash: str
    body: Any = Field(description="The record, or what was told of it, as far as it is kept.")


class JournalShown(Shown):
    """Entries, newest first; between which entries was looked."""

    items: list[EntryShown]
    next: str | None = None
    from_seq: int
    upto_seq: int


def shown(part: Part) -> JournalShown:
    """A part of the journal."""
    listed = [entry(one) for one in part.entries]
    return JournalShown(items=listed, from_seq=part.from_seq, upto_seq=part.upto_seq)


def entry(one: JournalEntry) -> EntryShown:
    """One entry."""
    mark, said = SAID.get(Kind(one.kind), ("idle", one.kind)) if one.kind in set(Kind) else ("idle", one.kind)
    person = str(one.facts.get("person", ""))
    told = {name: value for name, value in one.facts.items() if name not in UNTOLD and value not in ("", None)}
    return EntryShown(
        seq=one.seq,
        at=one.at,
        kind=one.kind,
        mark=mark,
        said=said,
        flow=one.flow,
        key=shown_key(one.key),
        run_id=one.run_id,
        person=person,
        facts=one.facts,
        details=", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in told.items()),
        hash=one.hash,
        body=one.body,
    )


def body_text(body: Any) -> str:
    """A body as people read it."""
    if body is None:
        return ""
    text = msgspec.json.format(msgspec.json.encode(body)).decode()
    return text if len(text) <= BODY_MAX else f"{text[:BODY_MAX]}\n… and {len(text) - BODY_MAX:,} characters more"


def part_of(body: Any, name: str) -> Any:
    """A part of a body, None where there is none."""
    return cast("Mapping[str, Any]", body).get(name) if isinstance(body, dict) else None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"
