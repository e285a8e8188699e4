"""What a killed process leaves behind: nothing half-written, nothing locked, nothing forgotten."""

from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.sync.change import Event
from ml_connector.sync.ports import Settlement

from .processes import Worker


def test_a_kill_within_settling_leaves_the_promise_and_nothing_else(
    url: str, connection_id: int, store: FlowStore, journal: Journal
) -> None:
    worker = Worker("settle", url, connection_id).ready()
    worker.kill()
    keys = [f"S{number}" for number in range(50)]
    with store.turn():
        run_id = store.begin("run")
        assert (store.links("suppliers", keys), store.rows_known()) == ({}, 0)
        changes = store.open_changes(100)
        assert sorted(change.key for change in changes) == sorted(keys)
        assert {change.state for change in changes} == {"uncertain"}
        assert [one.kind for one in journal.timeline(None, "S1")] == ["intended", "uncertain"]
        store.settle(run_id, [Settlement(change, Event.FIND, f"id-{change.key}") for change in changes])
        store.finish(run_id, "done", {})
    assert (len(store.links("suppliers", keys)), store.rows_known()) == (50, 150)
    assert journal.verify().sound
