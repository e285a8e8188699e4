"""The way of a record: read, mapped, checked, approved, sent, confirmed; how far it is, when and by whom.

Rule: said from what the journal tells; a step that nobody recorded is not claimed to have been taken.
Must not know: HTML, requests.
"""

from collections.abc import Sequence
from datetime import datetime

from ml_connector.console.api.shapes import Shown
from ml_connector.store.connections import Connection
from ml_connector.store.journal import JournalEntry, Kind
from ml_connector.store.records import Known
from ml_connector.store.runs import Run, Runs
from ml_connector.wiring import Opened, approvals, causes
from ml_connector.wiring.causes import At

SENT = ("create", "update", "deactivate")
MAPPED = (At.MAPPING, At.PROFILE)
ENDS = (Kind.SETTLED, Kind.REFUSED, Kind.UNCERTAIN, Kind.DROPPED, Kind.HANDED)
OUTCOMES = {
    Kind.SETTLED: ("ok", "confirmed"),
    Kind.REFUSED: ("bad", "refused"),
    Kind.UNCERTAIN: ("busy", "looked up by the next run"),
    Kind.DROPPED: ("warn", "did not happen; tried again"),
    Kind.HANDED: ("busy", "in a file that is not loaded yet"),
}


class Step(Shown):
    """A step of the way; `mark` "": not come to yet."""

    name: str
    mark: str
    at: datetime | None
    who: str
    said: str


def of(opened: Opened, connection: Connection, entries: Sequence[JournalEntry], known: Known) -> list[Step]:
    """The way of a record as it last went; `entries`: newest first."""
    begun = next((one for one in entries if one.kind == Kind.INTENDED), None)
    held = next((one for one in entries if one.kind == Kind.HELD), None) if known.waiting else None
    if held and (begun is None or held.seq > begun.seq) and not _refused(entries, held):
        return _held(opened, connection, held)
    if begun is None:
        return [
            _step("read", "ok", known.at, said="seen"),
            *_ahead("mapped", "checked", "approved", "sent", "confirmed"),
        ]
    run = _run(opened, connection, begun.run_id)
    first = [_step("read", "ok", run.started_at if run else None), _step("mapped", "ok", begun.at)]
    checked = _step("checked", "ok", begun.at)
    return [*first, checked, _approved(opened, connection, run), *_sent(begun, entries)]


def _refused(entries: Sequence[JournalEntry], held: JournalEntry) -> bool:
    """Whether it is held because the target said no, which the same run recorded right before."""
    refused = next((one for one in entries if one.kind == Kind.REFUSED), None)
    return refused is not None and refused.run_id == held.run_id


def _held(opened: Opened, connection: Connection, held: JournalEntry) -> list[Step]:
    run = _run(opened, connection, held.run_id)
    read = _step("read", "ok", run.started_at if run else held.at)
    title = causes.title(str(held.facts.get("cause", "")))
    if causes.cause(str(held.facts.get("cause", ""))).at in MAPPED:
        return [read, _step("mapped", "warn", held.at, said=title), *_ahead("checked", "approved", "sent", "confirmed")]
    stopped = _step("checked", "warn", held.at, said=title)
    return [read, _step("mapped", "ok", held.at), stopped, *_ahead("approved", "sent", "confirmed")]


def _approved(opened: Opened, connection: Connection, run: Run | None) -> Step:
    plan_id = str((run.report or {}).get("plan_id", "")) if run else ""
    given = approvals(opened, connection.name).of(plan_id) if plan_id else []
    if not given:
        return _step("approved", "ok", None, said="within its limits")
    return _step("approved", "ok", given[-1].at, " and ".join(dict.fromkeys(one.person for one in given)))


def _sent(begun: JournalEntry, entries: Sequence[JournalEntry]) -> list[Step]:
    number = begun.facts.get("change")
    mine = [one for one in entries if one.facts.get("change") == number and one.run_id]
    times = sum(one.kind == Kind.INTENDED for one in mine)
    sends = begun.facts.get("action") in SENT
    said = ("" if times < 2 else f"{times} times") if sends else "nothing to send: it was there"
    ended = next((one for one in mine if one.kind in ENDS and one.seq > begun.seq), None)
    sent = _step("sent", "ok", begun.at if sends else None, said=said)
    if ended is None:
        return [sent, _step("confirmed", "busy", None, said="looked up by the next run")]
    mark, outcome = OUTCOMES[Kind(ended.kind)]
    found = "found by a look-up" if ended.facts.get("event") == "find" else ""
    return [sent, _step("confirmed", mark, ended.at, said=found or ("" if outcome == "confirmed" else outcome))]


def _run(opened: Opened, connection: Connection, run_id: str) -> Run | None:
    return Runs(opened.database, opened.vault, connection.id).get(run_id) if run_id else None


def _ahead(*names: str) -> list[Step]:
    return [_step(name, "", None) for name in names]


def _step(name: str, mark: str, at: datetime | None, who: str = "", said: str = "") -> Step:
    return Step(name=name, mark=mark, at=at, who=who, said=said)
