"""The main job on made-up systems: a stand-in IFS Cloud, a stand-in Airbase, and what moves between them.

Rule: it shows what the product does with the product's own code; every figure is read off, none is written here.
Must not know: the inside of either stand-in.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.markup import escape

from ml_connector import sandbox, wiring
from ml_connector.cli import show
from ml_connector.cli.progress import progress
from ml_connector.compare import clearing
from ml_connector.sandbox.airbase import SpendOptions
from ml_connector.settings import Airbase, Connection, Gate, Ifs, Installation, Mapping, Profile
from ml_connector.sync.report import Report
from ml_connector.wiring import reports

NAME = "demo"
SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
DIMENSIONS = {"department": "B", "cost_object": "C", "region": "D", "project": "F"}
GATE = {"suppliers": Gate(change_share_max=1.0)}  # Airbase has some of them already, and all of those change
POSTING: dict[str, Any] = {
    "documents": ["purchase_requests", "payments"],
    "accounts": {
        "accrual": "2990",
        "payable": "2440",
        "bank": "1930",
        "fees": "6570",
        "exchange": "7960",
        "rounding": "3740",
    },
    "account": [{"category": "Office supplies", "account": "6110", "parts": {"B": "100"}}, {"account": "given"}],
}


def demo(once: bool, suppliers: int = 300, orders: int = 200) -> None:
    """Show the main job, step by step; then end, or keep the stand-ins up to be tried by hand.

    Raises: ConnectorError.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ml-connector-demo-")))
        options = sandbox.SandboxOptions(suppliers=suppliers, orders=orders, seed=7)
        options.airbase.documents = 0
        options.airbase.spend = SpendOptions(requests=60, payments=40, vendor_count=60)
        world = stack.enter_context(sandbox.start(options))
        store = wiring.open_store(Installation(store=f"sqlite:///{folder / 'store.db'}"))
        stack.callback(store.close)
        _connect(store, world)
        both = stack.enter_context(wiring.joined(store, NAME))
        _walk(store, both, world)
        if not once:
            _stay(world, folder)


def _connect(store: wiring.Opened, world: sandbox.Sandbox) -> None:
    told = world.told()
    _title("A stand-in IFS Cloud and a stand-in Airbase are up on this machine")
    show.out.print(f"  IFS {told['ifs_url']}   Airbase {told['airbase_url']}")
    connection = Connection(
        ifs=Ifs(told["ifs_url"], told["ifs"]["realm"], told["ifs"]["client_id"], tuple(SUBSIDIARIES)),
        airbase=Airbase(told["airbase_url"]),
        profile=Profile(mapping=Mapping(SUBSIDIARIES, dimensions=DIMENSIONS), posting=POSTING, gate=GATE, quiet_s=0.5),
    )
    wiring.connect(store, NAME, connection, wiring.Secrets(told["ifs"]["client_secret"], told["airbase"]["token"]))


def _walk(store: wiring.Opened, both: wiring.Joined, world: sandbox.Sandbox) -> None:
    _title("check: are both systems there, and are they what the profile expects?")
    for step in both.check():
        show.step(step)
    _title("plan: what would a run do?")
    show.plans(NAME, both.plan([]))
    _title("run: suppliers and orders reach Airbase, approved requests and payments become vouchers in IFS")
    _run(both, world)
    _title("run again: nothing has changed")
    _run(both, world)
    _title("one line of one order is changed in IFS; run again")
    key = _change_a_line(world)
    _run(both, world)
    _title(f"record {key}: what happened to that order")
    show.timeline(wiring.journal(store, NAME).timeline("purchase_orders", key)[-2:])
    _title("a request becomes a voucher: its timeline, and the voucher as IFS has it")
    _show_a_voucher(store, world)
    _title("clearing: what is still open, story by story")
    for account in reports.clearing(both):
        show.out.print(f"  {escape(clearing.in_words(account))}")
    _title("exceptions: what waits for a person")
    waiting = wiring.exceptions(store, NAME)
    show.exceptions(waiting.counts(), waiting.open(limit=3))
    _title("journal verify: has anybody touched the audit trail?")
    show.verdict(wiring.journal(store, NAME).verify())


def _run(both: wiring.Joined, world: sandbox.Sandbox) -> None:
    writes = world.airbase_log.writes
    done: list[Report] = []
    with progress() as watch:
        for report, error in both.run([], watch=watch):
            if error:
                raise error
            done.append(report)
    show.reports(NAME, done)
    moved = sum(report.created + report.updated + report.deactivated for report in done)
    sent = world.airbase_log.writes - writes
    show.out.print(f"  Airbase's own count: {_counted(sent, 'write request')} for {_counted(moved, 'record')}.")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _change_a_line(world: sandbox.Sandbox) -> str:
    """Raise the quantity of a line of the first order that is in Airbase."""
    order = next(row for row in world.airbase_rows("purchase_orders") if row["status"] == "open")["po_number"]
    line = next(row for row in world.world.rows("PurchaseOrderLineSet") if row["OrderNo"] == order)
    key = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    op: dict[str, Any] = {"op": "update", "set": "PurchaseOrderLineSet", "key": key, "values": {"BuyQtyDue": "77"}}
    world.world.edit(op)
    show.out.print(f"  order {order}, line {line['LineNo']}: quantity {line['BuyQtyDue']} → 77")
    return str(order)


def _show_a_voucher(store: wiring.Opened, world: sandbox.Sandbox) -> None:
    voucher = next(one for one in world.vouchers() if one["serie"] == "AIRBASE")
    show.timeline(wiring.journal(store, NAME).timeline(None, voucher["number"])[-1:])
    place = f"{voucher['company']} {voucher['type']} {voucher['year']} {voucher['no']}"
    show.out.print(f"  {voucher['place']} voucher {place}, {voucher['status']}: {escape(voucher['text'])}")
    for row in voucher["rows"]:
        parts = " ".join(f"{part} {value}" for part, value in row["parts"].items())
        show.out.print(
            f"    {row['account']} {parts:<28} debit {row['debit'] or '':>12} credit {row['credit'] or '':>12}"
        )


def _stay(world: sandbox.Sandbox, folder: Path) -> None:
    _title("The stand-ins stay up; try it yourself in another terminal, then press Ctrl-C here")
    show.out.print(
        f"  export ML_CONNECTOR_STORE=sqlite:///{folder / 'store.db'}\n"
        f"  .venv/bin/ml-connector run {NAME}\n"
        f"  .venv/bin/ml-connector exceptions {NAME}\n"
        f"  .venv/bin/ml-connector schedule {NAME} all 'every 10s'\n"
        f"  .venv/bin/ml-connector serve\n"
        f"  curl -s {world.control_url}/",
        soft_wrap=True,
    )
    while True:
        time.sleep(3600)


def _title(text: str) -> None:
    show.out.print(f"\n[bold cyan]▸[/] [bold]{escape(text)}[/]")
