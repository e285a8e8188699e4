"""The made-up manufacturer: what it has, how it is joined, and what is not right there.

Rule: whatever is wrong is something that goes wrong in real books, and a person can put it right.
Must not know: how anything is shown.
"""

from typing import Any

from ml_connector import sandbox, wiring
from ml_connector.sandbox.airbase import SpendOptions
from ml_connector.settings import Airbase, Connection, Gate, Ifs, Mapping, Profile

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
ENDED = 30  # agreements; more than a plan may switch off without asking
ENDED_ON = "2026-01-31"
OPEN_PERIOD = '{"op": "set_period", "company": "10", "year": 2025, "period": 5, "status": "Open"}'


def made_up() -> sandbox.SandboxOptions:
    """What the manufacturer has: its books, its spend, and a little of each trouble."""
    options = sandbox.SandboxOptions(suppliers=300, orders=200, seed=7)
    options.airbase.documents = 0
    options.airbase.spend = SpendOptions(
        requests=60, payments=40, vendor_count=60, closed_period=0.06, no_account=0.04, negative=0.0
    )
    return options


def connect(store: wiring.Opened, world: sandbox.Sandbox) -> None:
    """Keep the connection to its two systems."""
    told = world.told()
    connection = Connection(
        ifs=Ifs(told["ifs_url"], told["ifs"]["realm"], told["ifs"]["client_id"], tuple(SUBSIDIARIES)),
        airbase=Airbase(told["airbase_url"]),
        profile=Profile(mapping=Mapping(SUBSIDIARIES, dimensions=DIMENSIONS), posting=POSTING, gate=GATE, quiet_s=0.5),
    )
    wiring.connect(store, NAME, connection, wiring.Secrets(told["ifs"]["client_secret"], told["airbase"]["token"]))


def change_a_line(world: sandbox.Sandbox) -> tuple[str, str]:
    """Raise the quantity of a line of the first order that is in Airbase; the order, and what was done in words."""
    order = next(row for row in world.airbase_rows("purchase_orders") if row["status"] == "open")["po_number"]
    line = next(row for row in world.world.rows("PurchaseOrderLineSet") if row["OrderNo"] == order)
    key = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    world.edit_ifs({"op": "update", "set": "PurchaseOrderLineSet", "key": key, "values": {"BuyQtyDue": "77"}})
    return str(order), f"order {order}, line {line['LineNo']}: quantity {line['BuyQtyDue']} → 77"


def end_agreements(world: sandbox.Sandbox) -> None:
    """Somebody typed a wrong end into many agreements at once."""
    linked = sorted(row["erp_reference_id"] for row in world.airbase_rows("vendors") if row["erp_reference_id"])
    ended = frozenset(linked[-ENDED:])
    for row in world.world.rows("IdentityInvoiceInfoSet"):
        if row["Identity"] in ended:
            key = {name: row[name] for name in ("Company", "Identity", "PartyType")}
            op = {"op": "update", "set": "IdentityInvoiceInfoSet", "key": key, "values": {"ExpireDate": ENDED_ON}}
            world.edit_ifs(op)


def approve_a_request(world: sandbox.Sandbox) -> None:
    """Somebody approves a request in Airbase, which tells the connector so."""
    waiting = next(row for row in world.airbase_rows("purchase_requests") if row["status"] == "created")
    world.edit_airbase({"op": "approve", "kind": "purchase_requests", "id": waiting["id"]})
