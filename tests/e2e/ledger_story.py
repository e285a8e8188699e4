"""A month in the life of a few documents, with whatever a test wants to go wrong in between."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
from ledger_rig import LedgerRig

from ml_connector.sandbox import SandboxOptions

STEPS = ("first run", "amended in hold", "amended in the ledger", "withdrawn", "back again")


def few(entries: bool = False) -> SandboxOptions:
    """Few documents that nothing is wrong with, on two companies."""
    made: dict[str, Any] = {"requests": 0, "payments": 0, "entries": 9} if entries else {"requests": 3, "payments": 4}
    return rigs.plain_world(cards=0.0, expense_reports=0.0, seed=4, **made)


def rules_of(options: SandboxOptions) -> dict[str, Any]:
    """The rules for what `few` made."""
    spend = options.airbase.spend
    return rigs.entries_posting() if spend and spend.entries else rigs.posting()


def edit(joined: LedgerRig, step: int) -> None:
    """What persons do in Airbase and in IFS before a step's run."""
    if step in (2, 4):
        joined.post_in_ifs()
    for flow in joined.flows:
        keys = sorted(ledger.documents(joined.box, flow))
        if step in (1, 2):
            for key in keys[:2]:
                amend(joined, flow, key, str(Decimal(40 * step) + len(keys)))
        if step in (3, 4) and flow != "ledger_entries":
            _withdraw(joined, flow, keys[1], back=step == 4)


def amend(joined: LedgerRig, flow: str, key: str, amount: str) -> None:
    """Somebody corrects a document; a ledger entry is put back into the queue by that."""
    again = {"status": "sync_ready"} if flow == "ledger_entries" else {}
    joined.edit("amend", flow, key, amount=amount, **again)


def _withdraw(joined: LedgerRig, flow: str, key: str, *, back: bool) -> None:
    states = {"purchase_requests": ("denied", "approved"), "payments": ("reversed", "settled")}
    joined.edit("update", flow, key, status=states[flow][back])


def play(joined: LedgerRig, before: Callable[[int], None] = lambda _: None) -> None:
    """All steps; `before` is told of each before it is run, and the run may fail."""
    for step in range(len(STEPS)):
        edit(joined, step)
        kept = rigs.in_ledger(joined)
        before(step)
        joined.settle()
        assert rigs.in_ledger(joined) >= kept, "a row of the general ledger changed or is gone"


def assert_ended_well(joined: LedgerRig) -> None:
    """Nothing is missing, nothing is there twice, nothing waits, nothing is left to do."""
    for flow in joined.flows:
        assert joined.held(flow) == {}
        if flow != "ledger_entries":
            rigs.assert_stands(joined, flow)
    rigs.assert_chained(joined)
    ledger.assert_balanced(joined.box)
    if "ledger_entries" in joined.flows:
        joined.run(census=True)  # tells what Airbase put back into its queue
        assert_entries_posted(joined)
        rigs.assert_acknowledged(joined)
    rigs.assert_quiet(joined)
    if "ledger_entries" not in joined.flows:
        rigs.assert_quiet(joined, census=True)


def assert_entries_posted(joined: LedgerRig) -> None:
    """Every ledger entry is in the ledger as it is now, whether it waits in Airbase's queue or not."""
    books, there = joined.books(), ledger.ours(joined.box)
    for key, row in ledger.documents(joined.box, "ledger_entries").items():
        wanted = ledger.outcome("ledger_entries", {**row, "status": "sync_ready"}, books)
        assert ledger.net(there[key]) == ledger.net_rows(wanted.rows.elements()), key


def one_more(joined: LedgerRig, turn: int) -> None:
    """One more turn in a world that goes on: a new document, two amended; every other time the books were closed."""
    if turn % 2:
        joined.post_in_ifs()
    for flow in joined.flows:
        rows = ledger.documents(joined.box, flow)
        keys = sorted(rows)
        for at, key in enumerate((keys[turn % len(keys)], keys[(turn * 3 + 1) % len(keys)])):
            amend(joined, flow, key, str(10 * turn + at + 1))
        again = {name: value for name, value in rows[keys[0]].items() if name not in ("id", "airbase_id")}
        joined.edit("create", flow, "", **{**again, "number": f"N-{turn}", **NEW.get(flow, {})})


NEW = {"ledger_entries": {"status": "sync_ready", "erp_reference_id": None}}
