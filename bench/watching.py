"""How long the snapshot behind metrics and alerts takes: `.venv/bin/python bench/watching.py [STORE_URL]`.

Rule: a large store: 1,000,000 links, 50,000 open exceptions of 250,000, 300,000 runs and orders, 200,000 events.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, text

from ml_connector import flows
from ml_connector.store import schema, schema_work
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.state import snapshot
from ml_connector.store.vault import Vault

NOW = datetime.now(UTC)
FLOWS = sorted(flows.FLOWS)
OWNERS, BATCH, TIMES = 4, 5000, 9
Row = dict[str, Any]


def owned(number: int) -> Row:
    return {"connection_id": 1 + number % OWNERS, "flow": FLOWS[number % len(FLOWS)]}


def ago(minutes: float) -> str:
    return schema.stamp(NOW - timedelta(minutes=minutes))


def held(number: int) -> Row:
    stake = {"stake_amount": f"{number % 997}.{number % 100:02}", "stake_currency": ("EUR", "USD")[number % 2]}
    row = {"key": str(number), "cause": f"cause{number % 12}", "sentence": "s", "remedy": "r", "owner": "AP clerk"}
    resolved = None if number < 50_000 else ago(3)
    return (
        owned(number) | row | stake | {"opened_at": ago(number), "last_at": ago(0), "resolved_at": resolved, "times": 1}
    )


def ran(number: int) -> Row:
    row = {"id": f"r{number}", "kind": "some" if number % 3 else "run", "state": "done", "process": "p"}
    return owned(number) | row | {"started_at": ago(number), "finished_at": ago(number)}


def ordered(number: int) -> Row:
    row = {"id": f"o{number}", "what": "{}", "cause": "schedule", "person": "", "rank": 1, "not_before": 0.0}
    row |= {"state": "queued" if number < 500 else "done", "attempts": 1, "run_id": "", "figures": "{}", "error": ""}
    return owned(number) | row | {"placed_at": ago(number), "finished_at": None if number < 500 else ago(number)}


def told(number: int) -> Row:
    done = number < 190_000
    row = {"system": "airbase", "event_id": str(number), "type": "t", "occurred": "", "received_at": ago(1)}
    row |= {
        "verified": True,
        "repeats": 0,
        "state": "done" if done else "waiting",
        "key": "",
        "order_id": "",
        "note": "",
    }
    return owned(number) | row | {"tries": 0, "not_before": 0.0, "done_at": ago(0) if done else None}


def linked(number: int) -> Row:
    row = {"key": f"S{number}", "target_id": f"t{number}", "digest": "d", "active": True}
    return owned(number) | row | {"changed_at": ago(0), "agreed": b"x" * 100}


def fill(db: Database, table: Table, count: int, row: Callable[[int], Row]) -> None:
    for start in range(0, count, BATCH):
        with db.write() as connection:
            connection.execute(insert(table), [row(number) for number in range(start, min(start + BATCH, count))])


def main(url: str) -> None:
    db = Database.open(url)
    vault = Vault.open(db, bytes(range(32)), None)
    for number in range(OWNERS):
        Connections(db, vault).save(f"c{number}", {}, {})
    fill(db, schema.exceptions, 250_000, held)
    fill(db, schema.runs, 300_000, ran)
    fill(db, schema_work.orders, 300_000, ordered)
    fill(db, schema_work.inbox, 200_000, told)
    fill(db, schema.links, 1_000_000, linked)
    if db.engine.dialect.name == "postgresql":
        with db.write() as connection:
            connection.execute(text("ANALYZE"))  # as the server does by itself within a minute
    took: list[float] = []
    for _ in range(TIMES):
        started = time.perf_counter()
        snapshot(db, vault, FLOWS, NOW)
        took.append(1000 * (time.perf_counter() - started))
    print(f"snapshot: median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms")  # noqa: T201
    db.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/store.db")
