"""How long a backup, its restore and a pruning take: `.venv/bin/python bench/backup.py [LINKS]`.

Rule: real SQLite files, sealed bodies of a usual size; a store like that of a year.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from ml_connector.store import backup, restoring, schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.retention import Terms, clean
from ml_connector.store.vault import Vault

KEY = bytes(range(32))
OLD = datetime.now(UTC) - timedelta(days=8 * 366)
BODY = {"source": {"name": "Acme" * 30}, "after": {"rows": [{"account": "1234", "text": "x" * 60}] * 4}}
BATCH = 2000


def fill(db: Database, vault: Vault, links: int) -> None:
    journal = Journal(db, vault, 1, lambda: OLD)
    sealed = vault.seal(b"x" * 400, "1")
    for start in range(0, links, BATCH):
        keys = [f"{number:08}" for number in range(start, min(links, start + BATCH))]
        common = {"connection_id": 1, "flow": "payments", "active": True, "changed_at": "t", "agreed": sealed}
        lines = [Line(kind, {"change": 1}, key, "payments", "run", BODY) for key in keys for kind in Kind]
        with db.write() as connection:
            rows = [common | {"key": key, "target_id": key, "digest": key} for key in keys]
            connection.execute(insert(schema.links), rows)
            journal.append(connection, lines[: 4 * len(keys)])


def timed(what: str, do: Callable[[], Any]) -> Any:
    started = time.monotonic()
    done = do()
    took = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {took:.1f} s, peak memory {peak:.0f} MB")  # noqa: T201
    return done


def main(links: int) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(Database.open(f"sqlite:///{folder}/store.db")) as db:
        vault = Vault.open(db, KEY, None)
        Connections(db, vault, lambda: OLD).save("demo", {}, {})
        timed(f"{links:,} links, {4 * links:,} journal entries made", lambda: fill(db, vault, links))
        file = Path(folder) / "night.db"
        made = timed("backup", lambda: backup.back_up(db, vault, file))
        print(f"  {made.rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB")  # noqa: T201
        checked = timed("checked", lambda: restoring.open_backup(file, KEY, None))
        with closing(checked), closing(Database.open(f"sqlite:///{folder}/new.db")) as new:
            timed("restored", lambda: checked.restore(new))
        timed("verified", lambda: Journal(db, vault, 1).verify())
        done = timed("pruned", lambda: clean(db, vault, Terms()))
        print(f"  {done.bodies:,} bodies")  # noqa: T201
        assert timed("verified again", lambda: Journal(db, vault, 1).verify()).sound  # noqa: S101


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
