"""A state machine over documents, persons, faults and runs: what stands follows the documents, or it is said why.

The general ledger only ever grows; no voucher is there twice; a settled run leaves each document right or excused.
"""

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import rig
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ledger_rig import DOCUMENTS, LANDINGS, Kind

from ml_connector.sandbox.faults import Fault

numbers = st.integers(0, 10_000)
amounts = st.sampled_from(["0", "-12", "1", "12.5", "99.99", "1234567.89", "0.001", "80000"])
flows = st.sampled_from(DOCUMENTS)
FAULTS = st.sampled_from(["reset_before", "reset_after", "truncated", "malformed_json", "html", "duplicate_rows"])
STATES = {"purchase_requests": ("approved", "denied", "sent_back", "archived"), "payments": ("settled", "reversed")}
MONTHS = (2, 3)


class Books(RuleBasedStateMachine):
    """Clerks in Airbase, accountants in IFS, and the connector between them."""

    @initialize(landing=st.sampled_from(LANDINGS), seed=st.integers(0, 50))
    def begin(self, landing: Kind, seed: int) -> None:
        """A fresh world, a fresh store."""
        self.folder = Path(tempfile.mkdtemp())
        days = {"from_date": "2026-02-02", "to_date": "2026-03-20"}
        options = rigs.plain_world(requests=4, payments=4, seed=seed, vendor_count=2, **days)
        self.context = rigs.ledger_rig(
            rig.sqlite_url(self.folder), options, self.folder, landing=landing, timeout_s=2.0, quiet_s=0.0
        )
        self.joined = self.context.__enter__()
        self.kept = rigs.in_ledger(self.joined)

    def pick(self, flow: str, number: int) -> str:
        """One of the documents that the world began with."""
        keys = sorted(ledger.documents(self.joined.box, flow))
        return keys[number % len(keys)]

    @rule(flow=flows, number=numbers, amount=amounts)
    def amend(self, flow: str, number: int, amount: str) -> None:
        """A clerk corrects a document."""
        self.joined.edit("amend", flow, self.pick(flow, number), amount=amount)

    @rule(flow=flows, number=numbers, state=st.integers(0, 3))
    def move(self, flow: str, number: int, state: int) -> None:
        """A document is approved, denied, archived, reversed, paid after all."""
        states = STATES[flow]
        self.joined.edit("update", flow, self.pick(flow, number), status=states[state % len(states)])

    @rule(flow=flows, number=numbers, day=st.dates(date(2026, 2, 1), date(2026, 3, 31)))
    def date_anew(self, flow: str, number: int, day: date) -> None:
        """The day of a document was wrong."""
        name = "approved_at" if flow == "purchase_requests" else "paid_at"
        self.joined.edit("update", flow, self.pick(flow, number), **{name: f"{day}T00:00:00"})

    @rule(number=numbers)
    def enter(self, number: int) -> None:
        """A document is sent once more under another id: another document."""
        row = ledger.documents(self.joined.box, "payments")[self.pick("payments", number)]
        fresh = {name: value for name, value in row.items() if name not in ("id", "airbase_id")}
        self.joined.edit("create", "payments", "", **fresh)

    @rule(
        company=st.sampled_from(["10", "20"]), month=st.sampled_from(MONTHS), status=st.sampled_from(["Open", "Closed"])
    )
    def close_or_open(self, company: str, month: int, status: str) -> None:
        """A month ends, or is opened once more."""
        self.joined.box.ledger.set_period(company, 2026, month, status)

    @rule(number=numbers, expires=st.sampled_from([None, date(2025, 1, 1)]))
    def switch_a_supplier(self, number: int, expires: date | None) -> None:
        """A supplier may be bought from no more, or again."""
        rows = self.joined.box.world.rows("IdentityInvoiceInfoSet")[:2]
        row = rows[number % len(rows)]
        key = {name: row[name] for name in ("Company", "Identity", "PartyType")}
        self.joined.box.world.update("IdentityInvoiceInfoSet", key, {"ExpireDate": expires})

    @rule()
    def approve(self) -> None:
        """An accountant approves what waits."""
        self.joined.box.ledger.approve()

    @rule(number=numbers)
    def update_some(self, number: int) -> None:
        """An accountant updates some vouchers to the general ledger."""
        rows = self.joined.box.world.rows("HoldVoucherSet")
        keys = [tuple(row[name] for name in ("Company", "VoucherType", "AccountingYear", "VoucherNo")) for row in rows]
        self.joined.box.ledger.update_gl(keys=keys[: 1 + number % 4])

    @rule()
    def load_files(self) -> None:
        """Somebody loads the files that lie there."""
        if self.joined.landing == "file":
            self.load()

    @rule(kind=FAULTS, count=st.integers(1, 3), after=st.integers(0, 8), site=st.sampled_from(["ifs", "airbase"]))
    def something_breaks(self, kind: Any, count: int, after: int, site: Any) -> None:
        """A fault waits for its request."""
        self.joined.box.faults.add(Fault(kind, site=site, count=count, after=after))

    @rule(census=st.booleans())
    def run(self, census: bool) -> None:
        """The connector runs, and may fail."""
        self.joined.try_run(census=census)

    @invariant()
    def the_ledger_only_grows(self) -> None:
        """No row of the general ledger changes or goes; no voucher of ours is there twice; all balance."""
        if not hasattr(self, "joined"):
            return
        now = rigs.in_ledger(self.joined)
        assert now >= self.kept
        self.kept = now
        ledger.assert_balanced(self.joined.box)

    def load(self) -> int:
        """Load what can be loaded now; a file for a closed period stays where it is."""
        closed = [row for row in self.joined.box.world.rows("AccountingPeriodSet") if row["AccountingYear"] == 2026]
        if all(row["PeriodStatus"] == "Open" for row in closed if row["AccountingPeriod"] in MONTHS):
            return self.joined.load_files()
        return 0

    def teardown(self) -> None:
        """Once nothing stands in the way any more, all is right but what can't be posted at all, and that is said."""
        if not hasattr(self, "joined"):
            return
        try:
            self.joined.box.faults.clear()
            self.settle()
            self.assert_right_or_said()
            self.remove_all_obstacles()
            self.settle()
            self.assert_right_or_said()
            self.assert_held_for_its_reason()
            rigs.assert_quiet(self.joined)
            rigs.assert_quiet(self.joined, census=True)
        finally:
            self.context.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    def settle(self) -> None:
        """Runs and, where files are handed over, loading them, until nothing is left to do."""
        calm = 0  # what came by file is linked by one run, and what changed meanwhile corrected by the next
        for _ in range(12):
            reports, errors = self.joined.try_run()
            written = any(one.posted or one.corrected or one.uncertain for one in reports.values())
            loaded = self.load() if self.joined.landing == "file" else 0
            calm = 0 if errors or written or loaded else calm + 1
            if calm == (2 if self.joined.landing == "file" else 1):
                return
        raise AssertionError("not settled")

    def assert_held_for_its_reason(self) -> None:
        """Only documents that no rule could post are still held, and each says why."""
        for flow in DOCUMENTS:
            wanted, held = self.joined.wanted(flow), self.joined.held(flow)
            said = {key for key, one in wanted.items() if one.state == "held"}
            assert held.keys() - said <= self.kept_back(flow, wanted), {
                key: held[key].held for key in held.keys() - said
            }
            assert said <= held.keys()
            rigs.assert_grouped({key: held[key] for key in said}, wanted)

    def kept_back(self, flow: str, wanted: dict[str, ledger.Outcome]) -> set[str]:
        """Archived documents that were posted, and amended into what can't be."""
        return {key for key in self.joined.links(flow) if wanted[key].state == "not_due" and not wanted[key].rows}

    def assert_right_or_said(self) -> None:
        """What stands is what the document says, or an exception says why not."""
        rigs.assert_chained(self.joined)
        there = ledger.ours(self.joined.box)
        for flow in DOCUMENTS:
            wanted, held = self.joined.wanted(flow), self.joined.held(flow)
            for key, one in wanted.items():
                stands, rows = ledger.net(there.get(key, [])), ledger.net_rows(one.rows.elements())
                right = (not stands or stands == rows) if one.state == "not_due" else stands == rows
                assert right or key in held, (key, one, stands)

    def remove_all_obstacles(self) -> None:
        """All periods are open, all suppliers active."""
        for company in ("10", "20"):
            for month in MONTHS:
                self.joined.box.ledger.set_period(company, 2026, month, "Open")
        world = self.joined.box.world
        for row in world.rows("IdentityInvoiceInfoSet")[:2]:
            key = {name: row[name] for name in ("Company", "Identity", "PartyType")}
            world.update("IdentityInvoiceInfoSet", key, {"ExpireDate": None})


Books.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestBooks = Books.TestCase
