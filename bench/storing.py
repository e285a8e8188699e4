"""What the store side of a run costs a record: the real pipeline and store, between two ends that take no time.

Shape: a line a run: CPU microseconds a record. With --profile FILE also where they go, by cProfile.
Usage: python bench/storing.py [RECORDS] [--url URL] [--batch N] [--profile FILE]
"""

import argparse
import cProfile
import gc
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import msgspec

from ml_connector import run as pipeline
from ml_connector.flows.purchase_orders import PURCHASE_ORDERS
from ml_connector.flows.suppliers import SUPPLIERS
from ml_connector.records import keys
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder
from ml_connector.records.supplier import Address, Supplier, SupplierTerms
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.vault import Vault
from ml_connector.sync.detect import Page, Row
from ml_connector.sync.flow import AnyFlow, Tables
from ml_connector.sync.plan import Found
from ml_connector.sync.policy import Policy
from ml_connector.sync.ports import Done, Sight, SightPage, Write
from ml_connector.sync.report import Report

ROWS = 5_000
LISTED = 30  # functions told of by what was called in them
TODAY = date(2026, 10, 1)
TABLES = Tables(subsidiaries={"10": "SUB-10", "20": "SUB-20"})


class Feed:
    """A source whose records are made before anything is measured; some of them changed since."""

    depth, keys_per_request, rows_per_request = 1, 50, ROWS

    def __init__(self, parts: tuple[str, ...], sights: Sequence[Sight]) -> None:
        self.parts, self.heads = parts, parts[:1]
        self._sights = {sight.key: sight for sight in sights}

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:  # noqa: ARG002
        """Rows of a part."""
        rows = [row for sight in self._sights.values() for row in sight.rows if row.part == part]
        for at in range(0, len(rows), ROWS):
            last = at + ROWS >= len(rows)
            yield Page(part, tuple(rows[at : at + ROWS]), None if last else rows[at + ROWS - 1].key, complete=True)

    def read_all(self) -> Iterator[SightPage]:
        """Every record."""
        sights = list(self._sights.values())
        step = ROWS // len(sights[0].rows)
        for at in range(0, len(sights), step):
            yield SightPage(tuple(sights[at : at + step]), sights[min(at + step, len(sights)) - 1].key)
        yield SightPage((), None)

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records."""
        for at in range(0, len(keys), self.keys_per_request):
            yield tuple(self._sights.get(key, Sight(key)) for key in keys[at : at + self.keys_per_request])


class Sink:
    """A target that says at once that all went well."""

    find_max = 60

    def __init__(self, batch_max: int) -> None:
        self.batch_max, self.written = batch_max, 0

    def trim(self, record: Any) -> Any:
        """All of it."""
        return record

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """Nothing is there."""
        return iter(())

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:  # noqa: ARG002
        """Nothing is there."""
        return ()

    def send(self, writes: Sequence[Write]) -> tuple[Done, ...]:
        """All went well."""
        self.written += len(writes)
        return tuple(Done(write.key, write.target_id or f"id-{write.key}") for write in writes)


def suppliers(count: int, changed: int = 0) -> list[Sight]:
    """Suppliers of two companies, as they come; the first of them changed."""
    made: list[Sight] = []
    for number in range(count):
        key, mark = f"S{number:06}", "2" if number < changed else "1"
        terms = tuple(SupplierTerms(company, "30", "EUR") for company in ("10", "20"))
        address = Address(f"{number} Long Street", "Gothenburg", f"{number % 90_000:05}", "", "SE")
        record = Supplier(key, f"Nordic Steel Works {number} AB {mark}", f"SE{number:010}01", "SE", terms, address)
        rows = [
            Row("suppliers", key, f'W/"{mark}{number:032}"'),
            Row("supplier_addresses", _row(key, "1"), f'W/"{mark}A"'),
        ]
        rows += [Row("supplier_terms", _row(key, one.company), f'W/"{mark}{number:032}"') for one in terms]
        made.append(Sight(key, record, tuple(rows)))
    return made


def orders(count: int, changed: int = 0) -> list[Sight]:
    """Orders of three lines, as they come; the first of them changed."""
    made: list[Sight] = []
    for number in range(count):
        key, mark = f"{100_000 + number}", "2" if number < changed else "1"
        lines = tuple(_line(number, at, mark) for at in range(1, 4))
        ordered_on = date(2026, 9, 1)
        record = PurchaseOrder(key, f"S{number % 900:06}", "10", "1", "EUR", "ALICE", ordered_on, "Released", lines)
        rows = [Row("orders", key, f'W/"{mark}{number:032}"')]
        rows += [Row("order_lines", _row(key, one.line_no, "1"), f'W/"{mark}{number:032}"') for one in lines]
        made.append(Sight(key, record, tuple(rows)))
    return made


def _row(*parts: str) -> str:
    return keys.join(parts)


def _line(number: int, at: int, mark: str) -> OrderLine:
    price = Decimal(number % 10_000 + at) / 100
    return OrderLine(
        f"{at}",
        "1",
        f"P-{number % 500}",
        f"Bearing {at} {mark}",
        Decimal(at * 5),
        "PCS",
        price,
        "EUR",
        TODAY,
        "Released",
    )


def measure(url: str, count: int, batch: int, profile: TextIO | None) -> None:
    """Each flow: the first run, all again under another mapping, no change, one in a hundred changed."""
    with closing(Database.open(url)) as db:
        vault = Vault.open(db, bytes(range(32)), None)
        connection = Connections(db, vault).save("bench", {}, {}).id
        for flow, parts, made in (
            (SUPPLIERS, ("suppliers", "supplier_terms", "supplier_addresses"), suppliers),
            (PURCHASE_ORDERS, ("orders", "order_lines"), orders),
        ):
            store = FlowStore(db, vault, connection, flow.name, flow.source_kind, flow.target_kind)
            first, later = Feed(parts, made(count)), Feed(parts, made(count, count // 100))
            runs = (("first", first, "1"), ("again", first, "2"), ("none", first, "2"), ("1 %", later, "2"))
            for name, feed, basis in runs:
                _once(f"{flow.name}, {name}", _job(flow, feed, Sink(batch), store, basis), count, profile)


def _job(flow: AnyFlow, feed: Feed, sink: Sink, store: FlowStore, basis: str) -> pipeline.Job:
    open_gate = msgspec.structs.replace(flow, policy=Policy(change_share_max=1.0))
    return pipeline.Job(open_gate, feed, sink, store, TABLES, TODAY, basis, quiet_s=0.0)


def _once(name: str, job: pipeline.Job, count: int, profile: TextIO | None) -> None:
    gc.collect()
    gc.freeze()  # what the feed was made of is not the run's to look through
    profiler, report, before = cProfile.Profile(), Report(job.flow.name), time.process_time()
    if profile:
        profiler.enable()
    pipeline.run(job, report)
    profiler.disable()
    took = time.process_time() - before
    if report.state != "done":
        raise SystemExit(f"{name}: {report.state} {report.error} {report.objections}")
    sys.stdout.write(f"{name}: {took / count * 1e6:,.0f} µs a record, {report.created + report.updated} written\n")
    if profile and name.endswith(("first", "again")):
        profile.write(f"== {name}: {took / count * 1e6:,.0f} µs a record while profiled\n")
        told = pstats.Stats(profiler, stream=profile).strip_dirs()
        told.sort_stats("tottime").print_stats(20)
        told.sort_stats("cumtime").print_stats(LISTED)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=int, nargs="?", default=5_000)
    parser.add_argument("--url", default="")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--profile", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        profile = stack.enter_context(Path(given.profile).open("w")) if given.profile else None
        measure(given.url or f"sqlite:///{folder}/store.db", given.records, given.batch, profile)
        for file in sorted(Path(folder).glob("*.db")):
            sys.stdout.write(f"{file.stat().st_size / given.records / 2:,.0f} bytes a record\n")


if __name__ == "__main__":
    main()
