"""Bound actions by name: what each does to the record it is bound to.

Rule: an action runs within the transaction of its request, on a record whose ETag was checked.
It must not know HTTP.
"""

from collections.abc import Callable
from typing import Any

from ml_connector.sandbox.ifs.errors import database
from ml_connector.sandbox.posting import load
from ml_connector.sandbox.world import Key, Row, Table, World

Act = Callable[[World, Table, Row], object]


def act(world: World, table: Table, row: Row, action: str) -> None:
    """Carry out an action."""
    _ACTIONS[action](world, table, row)


def _release_order(world: World, table: Table, row: Row) -> None:
    """An order and its lines from Planned to Released."""
    _release(world, table, row, "Planned", "Released")
    lines = world.tables["PurchaseOrderLineSet"]
    for line in world.linked(lines.name, ["OrderNo"], _key(table, row)):
        if line[lines.index["Objstate"]] == "Planned":
            world.update(lines.name, _key(lines, line), {"Objstate": "Released"})


def _release_invoice(world: World, table: Table, row: Row) -> None:
    """A supplier invoice from Preliminary to Posted."""
    _release(world, table, row, "Preliminary", "Posted")


def _release(world: World, table: Table, row: Row, before: str, after: str) -> None:
    state = row[table.index["Objstate"]]
    if state != before:
        text = f"{table.lu}.NOT{before.upper()}: The record is {state} and cannot be released."
        raise database(400, 20110, text)
    world.update(table.name, _key(table, row), {"Objstate": after})


def _on_load(run: Callable[[World, dict[str, Any]], object]) -> Act:
    return lambda world, table, row: run(world, world.get(table.name, _key(table, row)) or {})


def _key(table: Table, row: Row) -> Key:
    return tuple(row[at] for at in table.key_at)


_ACTIONS: dict[str, Act] = {
    "PurchaseOrder_Release": _release_order,
    "ManSuppInvoice_Release": _release_invoice,
    "ExtLoadInfo_Check": _on_load(load.check),
    "ExtLoadInfo_Create": _on_load(load.create),
}
