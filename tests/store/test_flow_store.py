"""The store as the pipeline sees it, on both databases."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ml_connector.errors import BusyError, StoreError
from ml_connector.records import codec
from ml_connector.records.money import Money
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.runs import Runs
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event
from ml_connector.sync.detect import Row
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Action, Found
from ml_connector.sync.ports import Change, Noted, Settlement, Store

from .samples import entry, intended, rows, settled, supplier, vendor

if TYPE_CHECKING:

    def keeps_the_contract(store: FlowStore) -> Store:
        return store


HELD = Held("no_terms", "Acme has no payment terms.", "Add them.", Owner.CLERK, Money(Decimal("10.50"), "EUR"))
OTHER = Held("blocked", "Acme is blocked.", "Unblock it.")
TODAY = date(2026, 3, 1)


def marks(store: FlowStore, part: str = "heads") -> dict[str, str]:
    return store.marks(part, "", None)


def kinds(journal: Journal, key: str) -> list[str]:
    return [one.kind for one in journal.timeline(None, key)]


def test_a_flow_is_held_by_one_run_at_a_time(store: FlowStore, open_store: Callable[[str], FlowStore]) -> None:
    with store.turn():
        with pytest.raises(BusyError, match="suppliers"), open_store("suppliers").turn():
            pass
        with open_store("orders").turn():
            pass
    with open_store("suppliers").turn():
        pass


def test_staged_changes_come_back_whole_and_never_mixed(store: FlowStore) -> None:
    run_id = store.begin("run")
    actions = (Action.RELINK, Action.UPDATE, Action.CREATE, Action.DEACTIVATE, Action.ADOPT, Action.CREATE)
    entries = [entry(f"S{9 - number}", action, wake_on=TODAY) for number, action in enumerate(actions)]
    store.stage(run_id, entries)
    given: list[Change] = []
    lists: list[list[str]] = []
    while some := store.staged(run_id, 10):
        lists.append([change.key for change in some])
        store.intend(run_id, some)
        given += some
    assert lists == [["S4", "S7"], ["S6", "S8"], ["S5", "S9"]]
    assert {change.key: change.entry for change in given} == {one.decision.key: one for one in entries}


def test_staging_a_key_again_replaces_it(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.stage(run_id, [entry("S1", name="Old"), entry("S1", name="Older")])
    store.stage(run_id, [entry("S1", Action.UPDATE, name="New")])
    (change,) = store.staged(run_id, 10)
    assert change.entry == entry("S1", Action.UPDATE, name="New")


def test_staged_takes_no_more_than_asked(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.stage(run_id, [entry(f"S{number}") for number in range(5)])
    assert [change.key for change in store.staged(run_id, 2)] == ["S0", "S1"]


def test_settling_makes_link_marks_and_journal(store: FlowStore, journal: Journal) -> None:
    run_id = settled(store, [entry("S1", wake_on=TODAY)])
    link = store.links("suppliers", ["S1", "S2"])["S1"]
    assert (link.target_id, link.agreed, link.active, link.wake_on) == ("id-S1", vendor("S1"), True, TODAY)
    assert link.digest == codec.digest(vendor("S1"))
    assert (marks(store), marks(store, "terms")) == ({"S1": "m1"}, {"S1\x1f10": "m1", "S1\x1f20": "m1"})
    promised, made = journal.timeline("suppliers", "S1")
    assert (promised.kind, made.kind, promised.run_id) == ("intended", "settled", run_id)
    assert promised.body["source"]["supplier_id"] == "S1"
    assert promised.body["after"]["name"] == "Acme"
    assert made.facts["target_id"] == "id-S1"
    assert journal.verify().sound


def test_a_deactivated_link_is_not_counted(store: FlowStore) -> None:
    settled(store, [entry("S1"), entry("S2")])
    settled(store, [entry("S1", Action.DEACTIVATE)])
    assert store.linked().active == 1
    assert not store.links("suppliers", ["S1"])["S1"].active


def test_links_of_another_flow_tell_the_target_but_not_the_record(
    store: FlowStore, open_store: Callable[[str], FlowStore]
) -> None:
    settled(store, [entry("S1")])
    link = open_store("orders").links("suppliers", ["S1"])["S1"]
    assert (link.target_id, link.agreed) == ("id-S1", None)


def test_what_was_found_different_is_linked_as_found_and_looked_at_again(store: FlowStore) -> None:
    settled(store, [entry("S1")])
    run_id, (change,) = intended(store, [entry("S1", Action.UPDATE, "New", "m2")])
    store.begin("run")
    store.open_changes(10)
    theirs = vendor("S1", "Theirs")
    store.settle(run_id, [Settlement(change, Event.FIND, "id-S1", theirs, HELD)])
    assert store.links("suppliers", ["S1"])["S1"].agreed == theirs
    assert marks(store) == {"S1": ""}, "still known, so that its going would be seen, but equal to nothing"
    assert store.waiting(TODAY) == {"S1"}


def test_a_refused_change_opens_an_exception_and_is_not_detected_again(store: FlowStore, journal: Journal) -> None:
    run_id, (change,) = intended(store, [entry("S1")])
    store.settle(run_id, [Settlement(change, Event.REFUSE, held=HELD)])
    assert store.links("suppliers", ["S1"]) == {}
    assert (marks(store), store.waiting(TODAY)) == ({"S1": "m1"}, {"S1"})
    assert kinds(journal, "S1") == ["intended", "refused", "held"]
    settled(store, [entry("S1")])
    assert store.waiting(TODAY) == set()
    assert kinds(journal, "S1")[3:] == ["intended", "settled", "released"]


@pytest.mark.parametrize("event", [Event.MISS, Event.LACK])
def test_what_did_not_happen_is_looked_at_again(store: FlowStore, event: Event) -> None:
    settled(store, [entry("S1")])
    run_id, (change,) = intended(store, [entry("S1", Action.UPDATE, "New")])
    if event is Event.LACK:
        store.settle(run_id, [Settlement(change, Event.LOSE)])
    store.settle(run_id, [Settlement(change, event)])
    assert (marks(store), marks(store, "terms")) == ({"S1": ""}, {"S1\x1f10": "", "S1\x1f20": ""})
    assert store.links("suppliers", ["S1"])["S1"].agreed == vendor("S1")
    store.begin("run")
    assert store.open_changes(10) == []


def test_a_dropped_change_may_be_sent_again_in_the_same_run(store: FlowStore, journal: Journal) -> None:
    run_id, (change,) = intended(store, [entry("S1")])
    store.settle(
        run_id,
        [
            Settlement(change, Event.LOSE),
        ],
    )
    store.settle(run_id, [Settlement(change, Event.LACK)])
    store.intend(run_id, [change])
    store.settle(run_id, [Settlement(change, Event.DONE, "id-S1")])
    assert kinds(journal, "S1") == ["intended", "uncertain", "dropped", "intended", "settled"]


def test_what_a_dead_run_promised_is_uncertain(
    store: FlowStore, open_store: Callable[[str], FlowStore], journal: Journal
) -> None:
    _, (change,) = intended(store, [entry("S1")])
    later = open_store("suppliers")
    run_id = later.begin("run")
    (left,) = later.open_changes(10)
    assert (left.id, left.state, left.entry) == (change.id, "uncertain", entry("S1"))
    assert kinds(journal, "S1") == ["intended", "uncertain"]
    assert [one.state for one in later.open_changes(10)] == ["uncertain"], "asking again changes nothing"
    later.settle(run_id, [Settlement(left, Event.FIND, "id-S1")])
    assert later.open_changes(10) == []
    assert later.links("suppliers", ["S1"])["S1"].target_id == "id-S1"
    assert marks(later) == {"S1": "m1"}


def test_a_run_that_was_taken_over_promises_nothing_more(
    store: FlowStore, open_store: Callable[[str], FlowStore]
) -> None:
    run_id = store.begin("run")
    store.stage(run_id, [entry("S1")])
    changes = store.staged(run_id, 1)
    later = open_store("suppliers")
    later.begin("run")
    with pytest.raises(StoreError, match="took over"):
        store.intend(run_id, changes)
    with pytest.raises(StoreError, match="took over"):
        store.finish(run_id, "done", {})
    assert later.open_changes(10) == []


def test_one_key_never_has_two_open_changes(store: FlowStore) -> None:
    run_id, _ = intended(store, [entry("S1")])
    store.stage(run_id, [entry("S1"), entry("S2")])
    with pytest.raises(StoreError):
        store.intend(run_id, store.staged(run_id, 10))
    assert [change.key for change in store.staged(run_id, 10)] == ["S1", "S2"], "nothing of it was kept"


@pytest.mark.parametrize("event", [Event.FIND, Event.LACK, Event.INTEND])
def test_a_move_that_the_table_lacks_is_refused_whole(store: FlowStore, event: Event) -> None:
    run_id, (first, second) = intended(store, [entry("S1"), entry("S2")])
    settlements = [Settlement(first, Event.DONE, "id-S1"), Settlement(second, event, "id-S2")]
    with pytest.raises(StoreError):
        store.settle(run_id, settlements)
    assert store.links("suppliers", ["S1", "S2"]) == {}


def test_settling_twice_or_without_an_id_is_refused(store: FlowStore) -> None:
    run_id, (change,) = intended(store, [entry("S1")])
    with pytest.raises(StoreError, match="id"):
        store.settle(run_id, [Settlement(change, Event.DONE)])
    store.settle(run_id, [Settlement(change, Event.DONE, "id-S1")])
    with pytest.raises(StoreError, match="settled"):
        store.settle(run_id, [Settlement(change, Event.DONE, "id-other")])
    assert store.links("suppliers", ["S1"])["S1"].target_id == "id-S1"


def test_a_change_that_never_was_can_not_be_settled(store: FlowStore) -> None:
    run_id = store.begin("run")
    with pytest.raises(StoreError, match="gone"):
        store.settle(run_id, [Settlement(Change(999, "intended", entry("S1")), Event.DONE, "id")])


def test_noting_replaces_all_marks_of_a_record_and_of_no_other(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.note(run_id, [Noted(key, rows(key)) for key in ("S1", "S10", "S1 x", "S1-")])
    store.note(run_id, [Noted("S1", (Row("heads", "S1", "m2"),))])
    assert marks(store) == {"S1": "m2", "S10": "m1", "S1 x": "m1", "S1-": "m1"}
    assert [key for key in marks(store, "terms") if key.startswith("S1\x1f")] == []
    assert store.rows_known() == 1 + 3 * 3
    store.note(run_id, [Noted("S1")])
    assert "S1" not in marks(store)


def test_marks_by_range_and_by_key(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.note(run_id, [Noted(key, rows(key)) for key in ("A", "B", "a", "Ä", "é")])
    assert list(store.marks("heads", "A", "a")) == ["B", "a"]
    assert list(store.marks("heads", "", None)) == sorted(["A", "B", "a", "Ä", "é"])
    assert store.marks_of("terms", ["A\x1f10", "Z\x1f10"]) == {"A\x1f10": "m1"}
    assert store.marks_of("terms", []) == {}


def test_exceptions_open_change_and_resolve(
    store: FlowStore, journal: Journal, db: Database, connection_id: int
) -> None:
    run_id = store.begin("run")
    store.note(run_id, [Noted("S1", rows("S1"), HELD)])
    store.note(run_id, [Noted("S1", rows("S1"), HELD)])
    (one,) = Exceptions(db, connection_id).open(10)
    assert (one.key, one.flow, one.held, one.times) == ("S1", "suppliers", HELD, 2)
    assert one.last_at > one.opened_at
    assert kinds(journal, "S1") == ["held"], "the same again is not told again"
    store.note(run_id, [Noted("S1", rows("S1"), OTHER), Noted("S2", held=OTHER)])
    assert [(count.cause, count.count) for count in Exceptions(db, connection_id).counts()] == [("blocked", 2)]
    store.note(run_id, [Noted("S1", rows("S1"))])
    assert store.waiting(TODAY) == {"S2"}
    assert kinds(journal, "S1") == ["held", "released", "held", "released"]


def test_a_sentence_may_hold_whatever_a_system_sent(store: FlowStore, db: Database, connection_id: int) -> None:
    run_id = store.begin("run")
    store.note(run_id, [Noted("S1", held=Held("odd", "a\0b", "c\0d"))])
    assert Exceptions(db, connection_id).open(10)[0].held.sentence == "a\ufffdb"


def test_waiting_links_wake_on_their_day(store: FlowStore) -> None:
    settled(store, [entry("S1", wake_on=date(2026, 3, 1)), entry("S2", wake_on=date(2026, 3, 2)), entry("S3")])
    assert store.waiting(date(2026, 2, 28)) == set()
    assert store.waiting(date(2026, 3, 1)) == {"S1"}
    assert store.waiting(date(2026, 3, 9)) == {"S1", "S2"}


def test_a_plan_tells_other_flows_what_it_would_link(store: FlowStore, open_store: Callable[[str], FlowStore]) -> None:
    run_id = store.begin("plan")
    store.stage(run_id, [entry("S1"), entry("S2", Action.UPDATE)])
    orders = open_store("orders")
    assert orders.linking("suppliers", ["S1", "S2", "S3"]) == {"S1": True, "S2": True}
    assert orders.linking("orders", ["S1"]) == {}
    store.finish(run_id, "done", {})
    assert orders.linking("suppliers", ["S1"]) == {}


def test_finds_are_kept_for_the_run(store: FlowStore) -> None:
    run_id = store.begin("run")
    twice = [Found("S1", "id1", vendor("S1")), Found("S1", "id2", vendor("S1")), Found("S2", "id3", vendor("S2"))]
    store.remember(run_id, twice)
    store.remember(run_id, [])
    assert store.found(run_id, ["S1", "S3"]) == twice[:2]
    store.finish(run_id, "done", {})
    assert store.found(run_id, ["S1"]) == []


def test_finishing_clears_what_was_only_planned(
    store: FlowStore, db: Database, vault: Vault, connection_id: int
) -> None:
    run_id = store.begin("run")
    store.stage(run_id, [entry("S1")])
    store.finish(run_id, "blocked", {"created": 0, "amount": Decimal("1.10")})
    assert store.staged(run_id, 10) == []
    (run,) = Runs(db, vault, connection_id).recent(10)
    assert (run.id, run.state, run.report) == (run_id, "blocked", {"created": 0, "amount": "1.10"})


def test_cursors_are_remembered_by_flow(store: FlowStore, open_store: Callable[[str], FlowStore]) -> None:
    assert store.cursor("heads") == ""
    store.keep_cursors({"heads": "2026", "terms": "x"})
    store.keep_cursors({"heads": "2027"})
    store.keep_cursors({})
    assert (store.cursor("heads"), store.cursor("terms"), open_store("orders").cursor("heads")) == ("2027", "x", "")


def test_nothing_to_do_is_done(store: FlowStore) -> None:
    run_id = store.begin("run")
    store.stage(run_id, [])
    store.intend(run_id, [])
    store.settle(run_id, [])
    store.note(run_id, [])
    assert store.links("suppliers", []) == {}
    assert store.found(run_id, []) == []


def test_more_keys_than_a_statement_has_variables(store: FlowStore) -> None:
    many = [f"K{number:06}" for number in range(70_000)]
    assert store.links("suppliers", many) == {}
    assert store.marks_of("heads", many) == {}


def test_bodies_are_nowhere_readable(store: FlowStore, url: str, db: Database) -> None:
    canary = "Kanarienvogel"
    run_id = settled(store, [entry("S1", name=canary)])
    store.remember(run_id, [Found("S1", "id", vendor("S1", canary))])
    store.stage(run_id, [entry("S2", name=canary)])
    store.finish(run_id, "done", {"samples": [supplier("S1", canary)]})
    assert canary.encode() not in raw_bytes(url, db)


def raw_bytes(url: str, db: Database) -> bytes:
    if db.file:
        return b"".join(file.read_bytes() for file in db.file.parent.glob(db.file.name + "*") if file.is_file())
    tables = ("links", "changes", "journal", "finds", "runs", "marks", "exceptions", "secrets", "tokens")
    with db.read() as connection:
        rows = [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]  # noqa: S608 fixed names
    return repr(rows).encode()
