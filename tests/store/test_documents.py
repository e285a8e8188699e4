"""What the store remembers of documents, on both databases."""

from datetime import date

import msgspec

from ml_connector.records.posted import LinkedTo
from ml_connector.store.approvals import Approvals
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.link_source import PAGE_ROWS, LinkSource
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event
from ml_connector.sync.outcome import Held, Trace
from ml_connector.sync.plan import Action, Found
from ml_connector.sync.ports import Entry, Settlement

from .samples import entry, intended, settled, vendor

TRACE = Trace("origin-1", "story-1", "alike-1")
WAITS = Held("handed_over", "S1 is in a file.", "Load it.")


def traced(key: str, trace: Trace = TRACE, **decision: object) -> Entry:
    made = entry(key)
    return msgspec.structs.replace(made, decision=msgspec.structs.replace(made.decision, trace=trace, **decision))


def test_a_change_comes_back_with_its_day_and_warnings(store: FlowStore) -> None:
    day = date(2026, 10, 1)
    run_id = store.begin("run")
    store.stage(run_id, [traced("S1", effective_on=day, late=True, warnings=("May be a double.",))])
    (change,) = store.staged(run_id, 10)
    decision = change.entry.decision
    assert (decision.effective_on, decision.late, decision.warnings) == (day, True, ("May be a double.",))
    assert decision.trace == TRACE


def test_a_link_remembers_origin_story_and_likeness(store: FlowStore) -> None:
    settled(store, [traced("S1"), traced("S2", Trace("origin-2", "story-1", "")), traced("S3", Trace())])
    assert store.links("suppliers", ["S1"])["S1"].origin == "origin-1"
    assert [(story, link.key) for story, link in store.told()] == [("story-1", "S1"), ("story-1", "S2"), ("", "S3")]
    (alike,) = store.alike(["alike-1", ""])
    assert (alike.alike, alike.key, alike.target_id, alike.agreed) == ("alike-1", "S1", "id-S1", vendor("S1"))


def test_what_was_found_otherwise_than_sent_has_no_origin(store: FlowStore) -> None:
    run_id, changes = intended(store, [traced("S1")])
    lost = [Settlement(change, Event.LOSE) for change in changes]
    store.settle(run_id, lost)
    store.settle(run_id, [Settlement(one, Event.FIND, "id-S1", vendor("S1", "Other"), WAITS) for one in changes])
    assert store.links("suppliers", ["S1"])["S1"].origin == ""


def test_what_is_handed_over_is_no_link_and_waits_for_a_person(store: FlowStore, journal: Journal) -> None:
    run_id, changes = intended(store, [traced("S1")])
    store.settle(run_id, [Settlement(change, Event.HAND, held=WAITS) for change in changes])
    assert store.links("suppliers", ["S1"]) == {}
    assert store.held_for(("handed_over",)) == {"S1"} == store.waiting(date(2026, 1, 1))
    store.finish(run_id, "done", {})
    store.begin("run")
    assert store.open_changes(10) == []
    assert [one.kind for one in journal.timeline(None, "S1")] == ["intended", "handed", "held"]


def test_a_pending_find_stays_pending(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.remember(run_id, [Found("S1", "file-1.txt", vendor("S1"), pending=True), Found("S2", "id-2", vendor("S2"))])
    assert [one.pending for one in store.found(run_id, ["S1", "S2"])] == [True, False]


def test_links_are_a_source_for_another_flow(store: FlowStore, db: Database, connection_id: int) -> None:
    settled(store, [traced("S1"), traced("S2"), traced("S3")])
    intended(store, [entry("S2", Action.UPDATE)])  # promised, not settled: in doubt
    source = LinkSource(db, connection_id, "suppliers")
    (page,) = source.read_all()
    assert [sight.key for sight in page.sights] == ["S1", "S3"]
    assert page.sights[0].record == LinkedTo("id-S1", True)
    assert page.upto is None
    ((first, gone),) = source.read(["S1", "S9"])
    assert (first.there, gone.there) == (True, False)


def test_switching_off_a_link_changes_its_mark(store: FlowStore, db: Database, connection_id: int) -> None:
    source = LinkSource(db, connection_id, "suppliers")
    settled(store, [traced("S1")])
    (before,) = source.sweep("suppliers", "")
    settled(store, [entry("S1", Action.DEACTIVATE)])
    (after,) = source.sweep("suppliers", "")
    assert before.rows[0].mark != after.rows[0].mark


def test_many_links_come_in_pages_without_gap(store: FlowStore, db: Database, connection_id: int) -> None:
    settled(store, [traced(f"S{number:05d}") for number in range(PAGE_ROWS + 3)])
    pages = list(LinkSource(db, connection_id, "suppliers").read_all())
    assert [len(page.sights) for page in pages] == [PAGE_ROWS, 3]
    assert pages[0].upto == pages[0].sights[-1].key


def test_an_approval_is_kept_once_and_journalled(db: Database, vault: Vault, connection_id: int) -> None:
    approvals = Approvals(db, vault, connection_id)
    for person in ("ada", "bo", "ada"):
        approvals.give("0f3a9c41d2b7", person)
    assert [(one.plan_id, one.person) for one in approvals.given()] == [
        ("0f3a9c41d2b7", "ada"),
        ("0f3a9c41d2b7", "bo"),
    ]
    told = [one for one in Journal(db, vault, connection_id).timeline(None, "") if one.kind == "approved"]
    assert [one.facts["person"] for one in told] == ["ada", "bo"]


def test_an_approval_lets_a_plan_through_once(db: Database, vault: Vault, connection_id: int) -> None:
    approvals = Approvals(db, vault, connection_id)
    approvals.give("0f3a9c41d2b7", "ada")
    approvals.give("1f3a9c41d2b7", "ada")
    approvals.use("0f3a9c41d2b7")
    assert [one.plan_id for one in approvals.given()] == ["1f3a9c41d2b7"]
    approvals.give("0f3a9c41d2b7", "ada")
    assert [one.plan_id for one in approvals.given()] == ["1f3a9c41d2b7", "0f3a9c41d2b7"]
