"""What writing costs and risks: calls for changed records, use of the rate limit, time to the voucher, duplicates.

Shape: four parts, each against the sandbox. A naive poster sends the same vouchers by the same requests, and sends
again what was not answered, as a script with retries does.
Usage: python bench/writing.py [--quick]
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import kept
import latency
import ledger_rig as ledger
import limits
import rig as rigs
from ledger_rig import LedgerRig
from rig import NAME, Rig, sqlite_url

from ml_connector import wiring
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.orders import Extent
from ml_connector.sync.plan import Decision
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.manual import ManualCarrier
from ml_connector.systems.ifs.vouchers.parcels import Landed, Parcel
from ml_connector.systems.ifs.vouchers.references import Reference

ONE_BY_ONE: dict[str, Any] = {"vendors": {"bulk_path": ""}, "purchase_orders": {"bulk_path": ""}}
BY_CALLS: tuple[ledger.Kind, ...] = ("external", "manual")  # a file is no call
SENDS_MAX, EVENTS, PROCESSES = 5, 20, 4
LOST: dict[str, Any] = {"site": "ifs", "method": "POST", "path": "/*/ifsapplications/*"}
Calls = dict[str, Any]


def main() -> None:
    """Measure all parts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    figures: dict[str, Any] = {"quick": quick, "calls": list(calls(40 if quick else 1000))}
    kept.say("  lost answers")
    figures["lost"] = lost(10 if quick else 100)
    figures |= {} if quick else {"latency": _waits(), "limit": _limit()}
    kept.keep("writing", "bench/writing.py", figures)


def _waits() -> dict[str, Any]:
    kept.say("  from approval to voucher")
    waits = latency.measure(EVENTS, 0.3)
    return {"events": len(waits), "median_s": statistics.median(waits), "longest_s": waits[-1], "waits_s": waits}


def _limit() -> dict[str, Any]:
    kept.say("  use of the rate limit")
    used, answered, throttled = limits.measure(PROCESSES, 68)
    return {"processes": PROCESSES, "used": used, "answered": answered, "throttled": throttled}


# Calls for so many changed records


def calls(number: int) -> Iterator[Calls]:
    """What each flow asks of its target, with batches and without."""
    for batches, names in ((True, {}), (False, ONE_BY_ONE)):
        yield from _masters(number, "bulk requests" if batches else "one by one", names)
    for landing in BY_CALLS:
        kept.say(f"  calls: vouchers, {landing}")
        with _posting(number, landing) as joined:
            report = joined.run("purchase_requests")["purchase_requests"]
            yield _calls(
                "purchase_requests, posted", landing, report.posted, report.requests["ifs"], joined.written()[0]
            )


def _masters(number: int, way: str, names: dict[str, Any]) -> Iterator[Calls]:
    kept.say(f"  calls: master data, {way}")
    with tempfile.TemporaryDirectory() as folder:
        options = rigs.generous(suppliers=number, orders=number)
        with rigs.rig(sqlite_url(Path(folder)), options, airbase=names) as joined:
            yield from _told(joined, way, "created")
            _change(joined)
            yield from _told(joined, way, "updated")


def _told(joined: Rig, way: str, done: str) -> Iterator[Calls]:
    for flow in ("suppliers", "purchase_orders"):
        before = joined.writes()
        report = joined.run(flow)[flow]
        changed = getattr(report, done)
        yield _calls(f"{flow}, {done}", way, changed, report.requests["airbase"], joined.writes() - before)


def _change(joined: Rig) -> None:
    """Every supplier gets another name, every line another text."""
    for row in joined.box.world.rows("SupplierInfoGeneralSet"):
        _edit(joined, "SupplierInfoGeneralSet", {"SupplierId": row["SupplierId"]}, {"Name": f"{row['Name']} II"})
    names = ("OrderNo", "LineNo", "ReleaseNo")
    for row in joined.box.world.rows("PurchaseOrderLineSet"):
        _edit(joined, "PurchaseOrderLineSet", {name: row[name] for name in names}, {"Description": "Changed"})


def _edit(joined: Rig, kind: str, key: dict[str, Any], values: dict[str, Any]) -> None:
    joined.box.edit_ifs({"op": "update", "set": kind, "key": key, "values": values})


def _calls(flow: str, way: str, records: int, asked: int, writes: int) -> Calls:
    return {"flow": flow, "way": way, "records": records, "calls": asked, "writes": writes}


@contextmanager
def _posting(number: int, landing: ledger.Kind, **spend: Any) -> Iterator[LedgerRig]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = ledger.plain_world(requests=number, cards=0.0, expense_reports=0.0, **spend)
        with ledger.ledger_rig(sqlite_url(folder), options, folder, landing=landing) as joined:
            joined.run("suppliers")
            yield joined


# Duplicates after lost answers


def lost(number: int) -> list[dict[str, Any]]:
    """One answer in five is lost after the work was done: what the connector and the naive poster leave behind."""
    return [_struck(number, name, post) for name, post in (("ml-connector", _connector), ("naive", _naive))]


def _struck(number: int, name: str, post: Callable[[LedgerRig, list[str]], object]) -> dict[str, Any]:
    with _posting(number, "manual") as joined:
        wanted = [key for key, one in joined.wanted("purchase_requests").items() if one.state == "posted"]
        struck = [joined.box.faults.add(Fault(percent=10, **LOST, **one)) for one in FAULTS]
        post(joined, wanted)
        fired = sum(joined.box.faults.fired(one) for one in struck)
        there = [one["number"] for one in joined.box.vouchers()]
    counted = {key: there.count(key) for key in wanted}
    return {
        "poster": name,
        "documents": len(wanted),
        "answers lost": fired,
        "doubled": sum(max(0, count - 1) for count in counted.values()),
        "missing": sum(count == 0 for count in counted.values()),
    }


FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "reset_after"},
    {"kind": "status", "options": {"status": 504, "effect": True}},
)


def _connector(joined: LedgerRig, keys: list[str]) -> None:
    """Each document in a run of its own, as webhooks bring them; then what a schedule would do."""
    with closing(wiring.Joined(joined.store, NAME)) as both:
        for key in keys:
            list(both.run(["purchase_requests"], extent=Extent(keys=(key,))))
    joined.settle()


def _naive(joined: LedgerRig, keys: list[str]) -> None:
    """Each voucher by itself, up to five times until an answer says that it is there."""
    planned: dict[str, Decision] = {}
    with closing(wiring.Joined(joined.store, NAME)) as both:
        both.plan(["purchase_requests"], tell=lambda _flow, _sight, decision: planned.update({decision.key: decision}))
        carrier = ManualCarrier(both.tenants.ifs, both.read.landing or Landing())
        for key in keys:
            _until_answered(carrier, planned[key])


def _until_answered(carrier: ManualCarrier, decision: Decision) -> None:
    on = decision.effective_on or decision.after.dated_on
    parcel = Parcel(decision.key, (Posting(Reference(decision.key), decision.after, on),))
    for _ in range(SENDS_MAX):
        if isinstance(carrier.deliver([parcel])[decision.key], Landed):
            return


if __name__ == "__main__":
    main()
