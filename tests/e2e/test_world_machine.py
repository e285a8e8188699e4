"""A state machine over edits of the world, faults and runs: whatever happens, a settled run leaves both sides equal."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import expected
import rig as rigs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from test_faults import settle

from ml_connector.sandbox.faults import Fault

numbers = st.integers(0, 10_000)
FAULTS = st.sampled_from(
    ["reset_before", "reset_after", "truncated", "truncated_json", "malformed_json", "html", "duplicate_rows"]
)


class World(RuleBasedStateMachine):
    """A small company at work while the connector runs."""

    @initialize(modified=st.booleans(), seed=st.integers(0, 50))
    def begin(self, modified: bool, seed: int) -> None:
        """A fresh world, a fresh store."""
        self.modified = modified
        self.folder = Path(tempfile.mkdtemp())
        options = rigs.generous(suppliers=8, orders=6, seed=seed)
        ifs = rigs.MODIFIED if modified else {}
        self.context = rigs.rig(rigs.sqlite_url(self.folder), options, ifs=ifs, timeout_s=2.0)
        self.joined = self.context.__enter__()
        self.world = self.joined.box.world
        self.world.clock.freeze(True)  # so that many edits and runs fall into one second
        self.made = 0

    def pick(self, name: str, number: int) -> dict[str, Any] | None:
        """A row of a set."""
        rows = self.world.rows(name)
        return rows[number % len(rows)] if rows else None

    def key(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        """A row's key."""
        return {part: row[part] for part in self.world.table(name).keys}

    @rule(number=numbers, name=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30))
    def rename_a_supplier(self, number: int, name: str) -> None:
        """Master data changes."""
        if row := self.pick("SupplierInfoGeneralSet", number):
            self.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": name})

    @rule(number=numbers, quantity=st.decimals(1, 9999, places=3))
    def change_a_line(self, number: int, quantity: Any) -> None:
        """A line changes; its header does not."""
        if row := self.pick("PurchaseOrderLineSet", number):
            self.world.update("PurchaseOrderLineSet", self.key("PurchaseOrderLineSet", row), {"BuyQtyDue": quantity})

    @rule(number=numbers)
    def change_before_and_after_a_run(self, number: int) -> None:
        """Two edits in one second, a run between them: the second keeps the ETag."""
        if row := self.pick("SupplierInfoGeneralSet", number):
            for name in (f"Before {number}", f"After {number}"):
                self.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": name})
                self.joined.try_run()

    @rule(number=numbers, back_s=st.integers(0, 600))
    def commit_late(self, number: int, back_s: int) -> None:
        """A transaction stamped its row some time ago and commits now."""
        if row := self.pick("PurchaseOrderSet", number):
            stamp = self.world.now() - timedelta(seconds=back_s)
            self.world.update("PurchaseOrderSet", row["OrderNo"], {"BuyerCode": f"B{number % 7}"}, stamp=stamp)

    @rule(number=numbers, name=st.sampled_from(["PurchaseOrderLineSet", "SupplierInfoAddressSet"]))
    def delete_a_child(self, number: int, name: str) -> None:
        """A line or an address vanishes."""
        if row := self.pick(name, number):
            self.world.delete(name, self.key(name, row))

    @rule(number=numbers)
    def delete_a_supplier(self, number: int) -> None:
        """A supplier vanishes."""
        if row := self.pick("SupplierInfoGeneralSet", number):
            self.world.delete("SupplierInfoGeneralSet", row["SupplierId"])

    @rule(number=numbers)
    def add_an_order(self, number: int) -> None:
        """A new order for some supplier, there or not."""
        if row := self.pick("PurchaseOrderSet", number):
            self.made += 1
            fields = ("VendorNo", "Contract", "Company", "CurrencyCode", "BuyerCode", "OrderDate")
            order = {**{field: row[field] for field in fields}, "OrderNo": f"N{self.made}", "Objstate": "Released"}
            self.world.insert("PurchaseOrderSet", order)

    @rule(number=numbers, state=st.sampled_from(["Planned", "Released", "Closed", "Cancelled"]))
    def move_an_order(self, number: int, state: str) -> None:
        """An order goes its way."""
        if row := self.pick("PurchaseOrderSet", number):
            self.world.update("PurchaseOrderSet", row["OrderNo"], {"Objstate": state})

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds: int) -> None:
        """The database's clock moves on."""
        self.world.clock.advance(seconds)

    @rule(kind=FAULTS, count=st.integers(1, 3), after=st.integers(0, 5), site=st.sampled_from(["ifs", "airbase"]))
    def something_breaks(self, kind: Any, count: int, after: int, site: Any) -> None:
        """A fault waits for its request."""
        self.joined.box.faults.add(Fault(kind, site=site, count=count, after=after))

    @rule(census=st.booleans())
    def run(self, census: bool) -> None:
        """The connector runs, and may fail."""
        self.joined.try_run(census=census)

    def teardown(self) -> None:
        """Without further faults, a settled run makes both sides agree and the next plan empty."""
        if not hasattr(self, "context"):
            return
        try:
            self.joined.box.faults.clear()
            settle(self.joined)
            # Without modified times every run must find everything; with them, a census finds what times hide.
            self.joined.run(census=self.modified)
            expected.assert_agree(self.joined.box, self.joined.today())
            plan = self.joined.plan()
            assert all(not r.created and not r.updated and not r.deactivated for r in plan.values())
        finally:
            self.context.__exit__(None, None, None)
            shutil.rmtree(self.folder)


World.TestCase.settings = settings(
    max_examples=16,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestWorld = World.TestCase
