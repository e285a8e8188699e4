"""The feed that every reader of the bench reads: the sandbox's IFS in a process of its own, behind some distance.

Rule: all readers get the same pages; a page that was asked for before is given from memory until the data changes, so
that what is measured is the reader. Each request waits by itself, so that several at once wait together.
Must not know: who reads.

Shape: `python bench/feed.py JSON` serves, and takes orders as lines of JSON; `Feed` starts and orders it.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any, Self
from urllib.parse import parse_qsl

import msgspec

SECRET = "sandbox-secret"  # noqa: S105 - made up
KEYS = {"SupplierInfoGeneralSet": "SupplierId"}  # of the rows that may be deleted as they were given
TERMS = "IdentityInvoiceInfoSet"
SETS = {
    "suppliers": ("SupplierHandling", "SupplierInfoGeneralSet"),
    "supplier_terms": ("IdentityInvoiceInfoEntity", "IdentityInvoiceInfoSet"),
    "supplier_addresses": ("SupplierInfoAddressEntity", "SupplierInfoAddressSet"),
    "orders": ("PurchaseOrderHandling", "PurchaseOrderSet"),
    "order_lines": ("PurchaseOrderLineEntity", "PurchaseOrderLineSet"),
}


@dataclass
class Options:
    """How large the feed is; `modified`: whether rows tell when they were changed."""

    suppliers: int = 100_000
    orders: int = 50_000
    modified: bool = True
    memory: bool = True
    page_rows: int = 5000
    seed: int = 7


@dataclass
class Counted:
    """What was asked of a feed since the last count."""

    requests: int = 0
    answered: int = 0
    bytes: int = 0
    cpu_s: float = 0.0
    throttled: int = 0
    sets: dict[str, int] = field(default_factory=dict[str, int])


class Feed:
    """A feed in a process of its own, from the moment it is made until `close`."""

    def __init__(self, options: Options) -> None:
        self.options = options
        command = [sys.executable, str(Path(__file__).resolve()), json.dumps(asdict(options))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.told = self._heard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101
            pipe.close()
        self._process.wait(10)

    @property
    def url(self) -> str:
        """Where it is."""
        return self.told["url"]

    def latency(self, seconds: float) -> None:
        """How long every request waits before it is answered."""
        self._order(do="latency", seconds=seconds)

    def counted(self) -> Counted:
        """What was asked since the last time."""
        return Counted(**self._order(do="count"))

    def change(self, share: float, seed: int) -> dict[str, int]:
        """Change a share of the suppliers and of the orders; how many rows of each set changed."""
        return self._order(do="change", share=share, seed=seed)

    def edit(self, *ops: dict[str, Any]) -> None:
        """Edit the data at once."""
        self._order(do="edit", ops=ops)

    def edit_after(self, set_name: str, page: int, *ops: dict[str, Any]) -> None:
        """Edit the data when this many pages of a set have been given; a delete without a key takes a row of the last.

        Raises: RuntimeError.
        """
        self._order(do="edit_after", set=set_name, page=page, ops=ops)

    def fault(self, **fault: Any) -> None:
        """Put a fault in force, as the sandbox's door takes it."""
        self._order(do="fault", fault=fault)

    def mend(self) -> None:
        """Lift all faults and forget what is planted."""
        self._order(do="mend")

    def rows(self, set_name: str) -> list[dict[str, Any]]:
        """All rows of a set as they are."""
        return self._order(do="rows", set=set_name)

    def clock(self, **how: Any) -> None:
        """Move the feed's clock."""
        self._order(do="edit", ops=[{"op": "clock", **how}])

    def _order(self, **order: Any) -> Any:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        heard = self._heard()
        if "error" in heard:
            raise RuntimeError(heard["error"])
        return heard["done"]

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the feed ended by itself")
        return json.loads(line)


# What follows runs in the feed's own process.


class _Site:
    """The IFS site with a memory and a distance."""

    name = "ifs"

    def __init__(self, site: Any, *, memory: bool) -> None:
        self._site = site
        self._lock = threading.Lock()
        self._pages: dict[tuple[Any, ...], Any] | None = {} if memory else None
        self._planted: list[list[Any]] = []
        self.latency_s = 0.0
        self.counted = Counted()

    def answer(self, request: Any) -> Any:
        if self.latency_s:
            time.sleep(self.latency_s)
        if "/auth/" in request.path:
            return self._site.answer(request)
        answer = self._remembered(request)
        self._count(request, answer)
        return answer

    def forget(self) -> None:
        """The data changed."""
        with self._lock:
            if self._pages is not None:
                self._pages = {}

    def plant(self, set_name: str, page: int, ops: list[dict[str, Any]]) -> None:
        with self._lock:
            self._planted.append([set_name, page, ops])

    def mend(self) -> None:
        with self._lock:
            self._planted = []

    def _remembered(self, request: Any) -> Any:
        pages = self._pages
        if pages is None or request.method != "GET" or not self._site.iam.knows(request.headers):
            return self._site.answer(request)
        key = _asked(request)
        known = pages.get(key)
        if known is None:
            known = self._site.answer(request)
            if known.status == 200:
                pages[key] = known
        date = format_datetime(self._site.world.now(), usegmt=True)
        return msgspec.structs.replace(known, headers={**known.headers, "Date": date})

    def _count(self, request: Any, answer: Any) -> None:
        name = request.path.rpartition("/")[2]
        with self._lock:
            self.counted.requests += 1
            self.counted.throttled += answer.status == 429
            if answer.status != 200:
                return
            self.counted.answered += 1
            self.counted.bytes += len(answer.body)
            self.counted.sets[name] = self.counted.sets.get(name, 0) + 1
            due = [one for one in self._planted if one[0] == name and self._counts_down(one)]
            self._planted = [one for one in self._planted if one not in due]
        for _, _, ops in due:
            self._edit(ops, answer)

    def _edit(self, ops: list[dict[str, Any]], answer: Any) -> None:
        from ml_connector.sandbox.world import edit

        rows = iter(json.loads(answer.body)["value"])
        for op in ops:
            given = {} if "key" in op or op["op"] != "delete" else {"key": [next(rows)[KEYS[op["set"]]]]}
            edit(self._site.world, op | given)
        self.forget()

    def _counts_down(self, planted: list[Any]) -> bool:
        planted[1] -= 1
        return planted[1] <= 0


def _asked(request: Any) -> tuple[Any, ...]:
    """What makes two requests the same, however they are written."""
    told = request.headers
    habits = (told.get("prefer"), told.get("x-ifs-time-zone-aware-request"), told.get("accept"), request.host)
    return (request.path, *sorted(parse_qsl(request.query)), *habits)


class _Room:
    """Everything that the orders reach."""

    def __init__(self, options: Options) -> None:
        from ml_connector.sandbox.faults import Faults
        from ml_connector.sandbox.ifs import IfsOptions, IfsSite
        from ml_connector.sandbox.web import WebServer
        from ml_connector.sandbox.world import edit, seeded

        self.edit = edit
        self.world = seeded(options.suppliers, options.orders, options.seed, modified=options.modified)
        _put_in_order(self.world)
        ifs = IfsOptions(
            rate_limit=10_000_000, token_life_s=86_400, modified=options.modified, page_cap=options.page_rows
        )
        self.site = _Site(IfsSite(self.world, ifs), memory=options.memory)
        self.faults = Faults(options.seed)
        self._ifs = ifs
        self._cpu_s = time.process_time()
        self._web = WebServer(self.site, self.faults)
        self._web.start()

    def told(self) -> dict[str, Any]:
        counts = {name: self.world.count(name) for _, name in SETS.values()}
        realm, client = self._ifs.realm, self._ifs.client_id
        return {"url": self._web.url, "realm": realm, "client_id": client, "counts": counts}

    def close(self) -> None:
        self._web.close()

    def do_latency(self, seconds: float) -> None:
        self.site.latency_s = seconds

    def do_count(self) -> dict[str, Any]:
        counted, self.site.counted = self.site.counted, Counted()
        now_s = time.process_time()
        counted.cpu_s, self._cpu_s = now_s - self._cpu_s, now_s
        return asdict(counted)

    def do_change(self, share: float, seed: int) -> dict[str, int]:
        rng = Random(seed)  # noqa: S311 - made-up data
        suppliers = self._some(rng, "SupplierInfoGeneralSet", share)
        orders = set(self._some(rng, "PurchaseOrderSet", share))
        for key in suppliers:
            self.world.update("SupplierInfoGeneralSet", key, {"Name": f"Changed {seed} {key[0]}"})
        for key in sorted(orders):
            self.world.update("PurchaseOrderLineSet", (*key, "1", "1"), {"Description": f"Changed {seed}"})
        self.site.forget()
        return {"SupplierInfoGeneralSet": len(suppliers), "PurchaseOrderLineSet": len(orders)}

    def _some(self, rng: Random, name: str, share: float) -> list[tuple[Any, ...]]:
        table = self.world.table(name)
        keys = [tuple(row[at] for at in table.key_at) for row in self.world.heap(name)]
        return rng.sample(sorted(keys), max(1, round(len(keys) * share)))

    def do_edit(self, ops: list[dict[str, Any]]) -> None:
        for op in ops:
            self.edit(self.world, op)
        self.site.forget()

    def do_edit_after(self, set: str, page: int, ops: list[dict[str, Any]]) -> None:  # noqa: A002 - as ordered
        self.site.plant(set, page, ops)

    def do_fault(self, fault: dict[str, Any]) -> None:
        from ml_connector.sandbox.faults import Fault

        self.faults.add(msgspec.convert(fault, Fault))

    def do_mend(self) -> None:
        self.faults.clear()
        self.site.mend()

    def do_rows(self, set: str) -> Any:  # noqa: A002 - as ordered
        return self.edit(self.world, {"op": "rows", "set": set})["rows"]


def _put_in_order(world: Any) -> None:
    """Every supplier may be bought from, but for one in 200: a company that looks after its data."""
    table = world.table(TERMS)
    stamp_at, expires_at = table.stamp_at, table.index["ExpireDate"]
    terms = [list(row[: stamp_at + 1]) for row in world.heap(TERMS)]
    known = {row[table.index["Identity"]] for row in terms}
    lacking = sorted(row[0] for row in world.heap("SupplierInfoGeneralSet") if row[0] not in known)
    lasting = [[*row[:expires_at], None, *row[expires_at + 1 :]] for row in terms]
    given = [
        ["10", key, "Supplier", "30", "EUR", None, terms[0][stamp_at]] for at, key in enumerate(lacking) if at % 10
    ]
    world.load(TERMS, [*lasting, *given])


def _serve(options: Options) -> None:
    room = _Room(options)
    _say(room.told())
    for line in _lines():
        order = json.loads(line)
        try:
            _say({"done": getattr(room, f"do_{order.pop('do')}")(**order)})
        except Exception as problem:
            _say({"error": f"{type(problem).__name__}: {problem}"})
    room.close()


def _lines() -> Iterator[str]:
    while line := sys.stdin.readline():
        yield line


def _say(said: Any) -> None:
    sys.stdout.write(json.dumps(said, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(Options(**json.loads(sys.argv[1])))
