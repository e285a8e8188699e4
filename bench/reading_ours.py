"""The connector as one reader among others: its own pipeline and store, and a target that takes everything at once.

Rule: `run` and the store as they always are; only the target is replaced, so that it is the reading that is measured.
Must not know: the other readers.
"""

import cProfile
import dataclasses
import pstats
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpcore2 as httpcore2  # the client imports it at its first request; what others import isn't measured either
import msgspec
import structlog

sys.path.insert(0, str(Path(__file__).parent / "peers"))

import measuring

from ml_connector import run as pipeline
from ml_connector import wiring
from ml_connector.records import codec
from ml_connector.records.purchase_order import SpendOrder
from ml_connector.records.supplier import Vendor
from ml_connector.settings import Airbase, Connection, Gate, Ifs, Installation, Mapping, Profile
from ml_connector.sync.orders import Extent
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Target, Write
from ml_connector.sync.report import Report

NAME = "bench"
FLOWS = ("suppliers", "purchase_orders")
OPEN = {name: Gate(1.0, 1.0) for name in FLOWS}


class Kept(msgspec.Struct):
    """A record that the target holds."""

    key: str
    target_id: str
    body: bytes


class Instant:
    """A target that answers at once; `keep`: it holds what it is given, so that both sides can be compared."""

    def __init__(self, real: Target, kind: type[Any], file: Path | None) -> None:
        self.writes = 0
        self._real, self._kind, self._file = real, kind, file
        self._held = _read(file) if file else {}

    @property
    def batch_max(self) -> int:
        """As the real one."""
        return self._real.batch_max

    @property
    def find_max(self) -> int:
        """As the real one."""
        return self._real.find_max

    def trim(self, record: Any) -> Any:
        """As the real one."""
        return self._real.trim(record)

    def walk(self) -> Iterator[tuple[Found, ...]]:
        """All that is held."""
        yield self.find(list(self._held))

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """What is held of these."""
        held = [self._held[key] for key in keys if key in self._held]
        return tuple(Found(one.key, one.target_id, codec.decode(one.body, self._kind)) for one in held)

    def send(self, writes: Sequence[Write]) -> tuple[Done, ...]:
        """Take everything."""
        self.writes += len(writes)
        for write in writes if self._file else ():
            self._held[write.key] = Kept(write.key, f"T-{write.key}", codec.encode(write.after))
        return tuple(Done(write.key, write.target_id or f"T-{write.key}") for write in writes)

    def rows(self) -> measuring.Rows:
        """What is held, as the others tell it."""
        return TELLING[self._kind](found.record for found in self.find(list(self._held)))

    def keep(self) -> None:
        """Hold it for the next run."""
        if self._file:
            self._file.write_bytes(msgspec.msgpack.encode(self._held))


def _vendors(held: Iterable[Vendor]) -> measuring.Rows:
    return {"suppliers": [(vendor.reference, vendor.name) for vendor in held if vendor.active]}


def _orders(held: Iterable[SpendOrder]) -> measuring.Rows:
    lines = ((order, line) for order in held if order.status != "cancelled" for line in order.lines)
    return {
        "order_lines": [
            (f"{order.number}|{line.reference.replace('-', '|')}", line.description) for order, line in lines
        ]
    }


TELLING: dict[type[Any], Callable[[Iterable[Any]], measuring.Rows]] = {Vendor: _vendors, SpendOrder: _orders}


def _read(file: Path) -> dict[str, Kept]:
    return msgspec.msgpack.decode(file.read_bytes(), type=dict[str, Kept]) if file.exists() else {}


def main() -> None:
    """Do one run of both flows."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    wiring.collect_rarely()  # as the command does
    given = measuring.task()
    done = _profiled if given.way == "profile" else _run
    targets: list[Instant] = []
    _connect(given)
    with measuring.measured() as took:
        with closing(wiring.open_store(_installation(given))) as store:
            targets, reports = done(store, given)
        took.rows = sum(report.read for report in reports)
        took.more = {report.flow: _told(report) for report in reports}
        if any(report.state != "done" for report in reports):
            raise RuntimeError(f"not all was done: {took.more}")
    for target in targets:
        target.keep()
    if given.keep:
        measuring.hold(given, {name: rows for target in targets for name, rows in target.rows().items()})


def _installation(given: measuring.Task) -> Installation:
    return Installation(store=f"sqlite:///{measuring.state(given) / 'store.db'}")


def _connect(given: measuring.Task) -> None:
    """Connect the systems as they are in this round, as a person does once, before any run."""
    with closing(wiring.open_store(_installation(given))) as store:
        secrets = wiring.Secrets(given.secret, "none")
        wiring.connect(store, NAME, _connection(given), secrets, same_tenants=True)


def _connection(given: measuring.Task) -> Connection:
    """`round` changes a setting that any mapping might depend on, so that everything is read again."""
    names: dict[str, Any] = {part.name: {"modified": part.modified} for part in given.parts if part.modified}
    profile = Profile(
        ifs=names, mapping=Mapping({"10": "SUB-10", "20": "SUB-20"}), gate=OPEN, quiet_s=given.round / 1000
    )
    ifs = Ifs(given.url, given.realm, given.client_id, ("10", "20"), 100_000)
    return Connection(ifs, Airbase(given.url, requests_max=100_000), profile)


def _run(store: wiring.Opened, given: measuring.Task) -> tuple[list[Instant], list[Report]]:
    targets: list[Instant] = []
    reports: list[Report] = []
    with wiring.joined(store, NAME) as both:
        for flow in both.chosen(FLOWS):
            job = both._job(flow, lambda _flow, _stage, _done: None)
            file = measuring.state(given) / f"target-{flow.name}" if given.keep else None
            targets.append(Instant(job.target, flow.target_kind, file))
            reports.append(Report(flow.name))
            job = dataclasses.replace(job, target=targets[-1], extent=Extent(census=given.census))
            pipeline.run(job, reports[-1])
    return targets, reports


def _profiled(store: wiring.Opened, given: measuring.Task) -> tuple[list[Instant], list[Report]]:
    """The same, and beside the store a profile of it, by time spent in each function itself."""
    profile = cProfile.Profile()
    try:
        return profile.runcall(_run, store, given)
    finally:
        with (measuring.state(given) / "profile.txt").open("w") as out:
            pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(60)


def _told(report: Report) -> dict[str, Any]:
    counts = ("read", "created", "updated", "deactivated", "unchanged", "held", "refused")
    return {name: getattr(report, name) for name in counts} | {"state": report.state}


if __name__ == "__main__":
    main()
