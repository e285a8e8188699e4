"""Made-up records for the store's tests."""

from collections.abc import Sequence
from datetime import date

from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store.flow_store import FlowStore
from ml_connector.sync.change import Event
from ml_connector.sync.detect import Row
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Change, Entry, Settlement


def vendor(key: str, name: str = "Acme") -> Vendor:
    return Vendor(key, name, True, ("sub1",))


def supplier(key: str, name: str = "Acme") -> Supplier:
    return Supplier(key, name)


def rows(key: str, mark: str = "m1") -> tuple[Row, ...]:
    return Row("heads", key, mark), Row("terms", f"{key}\x1f10", mark), Row("terms", f"{key}\x1f20", mark)


def entry(
    key: str, action: Action = Action.CREATE, name: str = "Acme", mark: str = "m1", wake_on: date | None = None
) -> Entry:
    target_id = "" if action is Action.CREATE else f"id-{key}"
    before = None if action is Action.CREATE else vendor(key, "Before")
    active = action is not Action.DEACTIVATE
    decision = Decision(key, action, vendor(key, name), before, target_id, active, wake_on)
    return Entry(decision, supplier(key, name), rows(key, mark))


def intended(store: FlowStore, entries: Sequence[Entry], run_id: str = "") -> tuple[str, list[Change]]:
    """A run, begun if none is given, that has promised these."""
    run_id = run_id or store.begin("run")
    store.stage(run_id, entries)
    changes: list[Change] = []
    while some := store.staged(run_id, 1000):
        store.intend(run_id, some)
        changes += some
    return run_id, changes


def settled(store: FlowStore, entries: Sequence[Entry], run_id: str = "") -> str:
    """A run that has made these."""
    run_id, changes = intended(store, entries, run_id)
    store.settle(run_id, [Settlement(change, Event.DONE, f"id-{change.key}") for change in changes])
    return run_id
