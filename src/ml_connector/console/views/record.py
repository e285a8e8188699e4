"""One record: how it stands, the way it went, what was sent and answered, what hangs together with it.

Rule: read from the store alone, in a fixed number of statements; nothing is asked of either system.
Must not know: HTML, requests.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import Field

from ml_connector import flows, settings
from ml_connector.console.api.shapes import Shown, key_of
from ml_connector.console.views import elsewhere, journal, records, way
from ml_connector.console.views.elsewhere import Elsewhere
from ml_connector.console.views.exceptions import Fix, fix
from ml_connector.console.views.fields import FieldShown, compared
from ml_connector.console.views.journal import EntryShown
from ml_connector.console.views.records import RecordRow, row
from ml_connector.console.views.way import Step
from ml_connector.store.connections import Connection
from ml_connector.store.exceptions import OpenException
from ml_connector.store.journal import JournalEntry, Kind
from ml_connector.store.journal_pages import JournalPages
from ml_connector.store.records import Known, Records
from ml_connector.wiring import Opened, causes, exceptions
from ml_connector.wiring.further import title

ENTRIES_MAX, TOLD_MAX, ATTEMPTS_MAX = 200, 20, 50
OUTCOMES = (Kind.SETTLED, Kind.REFUSED, Kind.UNCERTAIN, Kind.DROPPED, Kind.HANDED)


class Waits(Shown):
    """Why a record waits, what to do, and who sees to it."""

    id: int
    cause: str
    title: str
    sentence: str
    remedy: str
    owner: str
    lacks: str = Field(description="The value that a table of the connection lacks, where that is the cause.")
    fix: Fix
    assignee: str
    snoozed_until: datetime | None
    opened_at: datetime
    last_at: datetime
    times: int


class ToldShown(Shown):
    """A request that was about this record, and its answer; without secrets and bank details."""

    at: datetime
    system: str
    method: str
    path: str
    status: int = Field(description="0: no answer came.")
    request_id: str
    records: int = Field(description="How many records went in this request.")
    sent: str
    answered: str


class Attempt(Shown):
    """Something that was about to be sent, and what became of it."""

    change: int
    action: str
    at: datetime
    run_id: str
    mark: str
    state: str
    ended_at: datetime | None
    note: str
    told: list[ToldShown]


class RecordShown(Shown):
    """All that is known of a record."""

    head: RecordRow
    source: str
    target: str
    way: list[Step]
    waits: Waits | None
    said: list[FieldShown] = Field(description="Of one that waits: what its source said of it.")
    fields: list[FieldShown] = Field(description="What was last sent, and what it was before.")
    sent_at: datetime | None
    attempts: list[Attempt]
    related: list[RecordRow]
    elsewhere: list[Elsewhere]
    editable: list[str] = Field(description="The fields that a person may put right here.")
    entries: list[EntryShown] = Field(description="What the journal tells of it, newest first.")
    more: bool = Field(description="Whether the journal tells more than that.")


def shown(opened: Opened, connection: Connection, flow: str, given: str) -> RecordShown | None:
    """All that is known of a record; None: nothing is."""
    kept, past = records.of(opened, connection.id), JournalPages(opened.database, opened.vault, connection.id)
    for key in dict.fromkeys((given, key_of(given))):
        entries, known = past.of(flow, key, ENTRIES_MAX + 1), kept.one(flow, key)
        if entries or known.link or known.waiting:
            return _shown(opened, connection, kept, known, entries)
    return None


def _shown(
    opened: Opened, connection: Connection, kept: Records, known: Known, entries: list[JournalEntry]
) -> RecordShown:
    flow, own = flows.FLOWS[known.flow], settings.connection(connection.settings)
    more, entries = len(entries) > ENTRIES_MAX, entries[:ENTRIES_MAX]
    waiting = exceptions(opened, connection.name).one(known.flow, known.key) if known.waiting else None
    intended = next((one for one in entries if one.kind == Kind.INTENDED), None)
    held = next((one for one in entries if one.kind == Kind.HELD), None) if waiting else None
    said: dict[str, Any] = journal.part_of(held.body, "source") or {} if held else {}
    body: dict[str, Any] = (intended.body if intended else None) or {"source": said}
    after = body.get("after") or (known.link.agreed if known.link else None)
    return RecordShown(
        head=_head(known, body, entries),
        source=title(flow.source.system),
        target=title(flow.target.system),
        way=way.of(opened, connection, entries, known),
        waits=_waits(connection.name, waiting) if waiting else None,
        said=compared(None, said),
        fields=compared(body.get("before"), after),
        sent_at=intended.at if intended else None,
        attempts=_attempts(entries),
        related=_related(kept, known, body),
        elsewhere=elsewhere.of(own, flow, known, body.get("source") or {}),
        editable=list(flow.editable),
        entries=[journal.entry(one) for one in entries],
        more=more,
    )


def _head(known: Known, body: dict[str, Any], entries: Sequence[JournalEntry]) -> RecordRow:
    head = row(known)
    source, after = (cast("dict[str, Any]", body.get(name) or {}) for name in ("source", "after"))
    called = head.called or records.called(after) or records.called(source)
    amount = head.amount or records.worth(after) or records.worth(source)
    at = entries[0].at if entries else head.at
    return head.model_copy(update={"called": called, "amount": amount, "at": at})


def _waits(name: str, one: OpenException) -> Waits:
    return Waits(
        id=one.id,
        cause=one.held.cause,
        title=causes.title(one.held.cause),
        sentence=one.held.sentence,
        remedy=one.held.remedy,
        owner=str(one.held.owner),
        lacks=one.held.lacks,
        fix=fix(name, one.held.cause, one.held.lacks),
        assignee=one.assignee,
        snoozed_until=one.snoozed_until if one.snoozed_until and one.snoozed_until > datetime.now(UTC) else None,
        opened_at=one.opened_at,
        last_at=one.last_at,
        times=one.times,
    )


def _attempts(entries: Sequence[JournalEntry]) -> list[Attempt]:
    """Each promise with what became of it, newest first."""
    found: list[Attempt] = []
    outcomes: dict[int, JournalEntry] = {}
    for one in entries:
        number = int(one.facts.get("change", 0))
        if one.kind in OUTCOMES:
            outcomes[number] = one
        elif one.kind == Kind.INTENDED and len(found) < ATTEMPTS_MAX:
            found.append(_attempt(number, one, outcomes.pop(number, None)))
    return found


def _attempt(number: int, begun: JournalEntry, ended: JournalEntry | None) -> Attempt:
    mark, state = journal.SAID[Kind(ended.kind)] if ended else ("warn", "not known yet")
    told = cast("list[dict[str, Any]]", journal.part_of(ended.body, "told") or []) if ended else []
    return Attempt(
        change=number,
        action=str(begun.facts.get("action", "")),
        at=begun.at,
        run_id=begun.run_id,
        mark=mark,
        state=state,
        ended_at=ended.at if ended else None,
        note=str(journal.part_of(ended.body, "note") or "") if ended else "",
        told=[ToldShown.model_validate(one) for one in told[:TOLD_MAX]],
    )


def _related(kept: Records, known: Known, body: dict[str, Any]) -> list[RecordRow]:
    """What hangs together with it: by its story, and by what it refers to."""
    told = kept.of_story(known.link.story) if known.link and known.link.story else ()
    referred = kept.several(_references(known, body))
    there = {(one.flow, one.key): one for one in (*told, *referred)}
    there.pop((known.flow, known.key), None)
    return [row(one) for one in there.values()]


def _references(known: Known, body: dict[str, Any]) -> list[tuple[str, str]]:
    source = cast("dict[str, Any]", body.get("source") or {})
    named = {
        "suppliers": source.get("supplier_id"),
        "purchase_orders": source.get("po_number") or source.get("order_no"),
    }
    documents = [source.get("request_id"), *(source.get("bill_ids") or ()), *(source.get("applied_to") or ())]
    found = [(flow, str(key)) for flow, key in named.items() if key]
    found += [(flow, str(key)) for key in documents if key for flow in ("purchase_requests", "supplier_invoices")]
    return [place for place in found if place != (known.flow, known.key)][: records.PAGE]
