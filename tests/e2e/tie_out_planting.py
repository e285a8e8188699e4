"""A world in which all is posted, to do anything to its vouchers, and to put them back as they were."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import tie_out_truth as truths
from ledger_rig import LedgerRig, ledger_rig
from rig import sqlite_url
from tie_out_truth import Doc

from ml_connector.sandbox.world import Key, World

PERIODS = {"2026-02": date(2026, 3, 17), "2026-03": date(2026, 2, 17)}  # and a day of another one
PLACES = ("ledger", "hold")
TABLES = ("HoldVoucherSet", "HoldVoucherRowSet", "GenLedVoucherSet", "VoucherRowSet")
KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


def key_of(one: ledger.Standing) -> Key:
    """The key of a voucher."""
    return tuple(one.voucher[name] for name in ("company", "type", "year", "no"))


@dataclass
class Posted:
    """A world in which all is posted, some of it still in the hold table; it can be put back as it was."""

    joined: LedgerRig
    docs: dict[str, list[Doc]]  # by place
    kept: dict[str, list[Any]]

    def put_back(self) -> None:
        """Undo whatever happened to vouchers."""
        world = self.joined.box.world
        for name, rows in self.kept.items():
            table = world.tables[name]
            world.unload(name, [tuple(row[at] for at in table.key_at) for row in world.heap(name)])
            world.load(name, rows)

    def key(self, doc: Doc) -> Key:
        """The voucher of a document."""
        (one,) = ledger.ours(self.joined.box)[doc.key]
        return key_of(one)


@contextmanager
def posted_world(folder: Path) -> Generator[Posted]:
    """Twenty-six documents of two months, every second one in the ledger."""
    folder.mkdir(exist_ok=True)
    options = rigs.plain_world(requests=14, payments=12, seed=2, from_date="2026-02-02", to_date="2026-03-27")
    with ledger_rig(sqlite_url(folder), options, folder) as joined:
        joined.done()
        joined.box.ledger.approve()
        held = sorted(tuple(row[name] for name in KEY) for row in joined.box.world.rows("HoldVoucherSet"))
        joined.box.ledger.update_gl(keys=held[::2])
        yield Posted(joined, by_place(joined), {name: kept(joined.box.world, name) for name in TABLES})


def kept(world: World, name: str) -> list[Any]:
    """The rows of a table as they are loaded."""
    return [list(row[: world.tables[name].stamp_at + 1]) for row in world.heap(name)]


def by_place(joined: LedgerRig) -> dict[str, list[Doc]]:
    """The documents by where their vouchers lie."""
    there = ledger.ours(joined.box)
    found: dict[str, list[Doc]] = {"ledger": [], "hold": []}
    for doc in truths.documents(joined):
        if doc.state == "posted" and not doc.period.endswith("-04"):
            found[there[doc.key][0].place].append(doc)
    return found
