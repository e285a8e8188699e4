"""Whatever happens to documents and vouchers by rule, nothing differs: random worlds, random histories, no tampering.

Each figure of each tie-out is compared with an independent calculation.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
import tie_out_truth as truths
from ledger_rig import Kind, LedgerRig, ledger_rig
from rig import sqlite_url
from tie_out_planting import key_of

from ml_connector.sandbox import SandboxOptions
from ml_connector.sandbox.posting import tamper
from ml_connector.sandbox.world import World

MONTHS = (2, 3)
PERIODS_MAX = 2  # that are looked at of a world, any of its own
USUAL = range(15)
BROKEN_YEARS = 0.25  # of worlds
ODD = ("unapproved", "failed", "pending", "reversed", "closed_period", "doubled", "missing_category", "expired_account")


def options(rng: Random, seed: int) -> SandboxOptions:
    """A small world, a few of whose documents can't be posted."""
    odd = {name: rng.choice((0.0, 0.1, 0.2)) for name in ODD}
    days = {"from_date": "2026-02-02", "to_date": "2026-03-25"}
    counts = {"requests": rng.randint(3, 8), "payments": rng.randint(2, 7)}
    return rigs.plain_world(seed=seed, **counts, **days, **odd)


def pick(rng: Random, joined: LedgerRig) -> tuple[str, str]:
    """A document that is posted, or any."""
    flow = rng.choice(joined.flows)
    keys = sorted(joined.links(flow)) or sorted(ledger.documents(joined.box, flow))
    return flow, rng.choice(keys)


def amend(rng: Random, joined: LedgerRig) -> None:
    """A clerk corrects an amount."""
    flow, key = pick(rng, joined)
    joined.edit("amend", flow, key, amount=str(rng.randint(1, 9000)))


def date_anew(rng: Random, joined: LedgerRig) -> None:
    """The day was wrong."""
    flow, key = pick(rng, joined)
    day = date(2026, MONTHS[0], 1) + timedelta(days=rng.randrange(58))
    joined.edit("update", flow, key, **{"approved_at" if flow == "purchase_requests" else "paid_at": f"{day}T00:00:00"})


def withdraw(rng: Random, joined: LedgerRig) -> None:
    """It is denied, archived, or reversed; or comes back."""
    flow, key = pick(rng, joined)
    states = ("denied", "archived", "approved") if flow == "purchase_requests" else ("reversed", "settled")
    joined.edit("update", flow, key, status=rng.choice(states))


def enter(rng: Random, joined: LedgerRig) -> None:
    """Another one comes."""
    row = rng.choice(list(ledger.documents(joined.box, "payments").values()))
    fresh = {name: value for name, value in row.items() if name not in ("id", "airbase_id")}
    joined.edit("create", "payments", "", **fresh)


def post_some(rng: Random, joined: LedgerRig) -> None:
    """An accountant approves, and updates some to the general ledger."""
    joined.box.ledger.approve()
    rows = joined.box.world.rows("HoldVoucherSet")
    keys = [tuple(row[name] for name in ("Company", "VoucherType", "AccountingYear", "VoucherNo")) for row in rows]
    joined.box.ledger.update_gl(keys=rng.sample(keys, rng.randint(0, len(keys))))


def run(_: Random, joined: LedgerRig) -> None:
    """The connector runs."""
    joined.done()


HAPPENS: tuple[Callable[[Random, LedgerRig], None], ...] = (
    amend,
    date_anew,
    withdraw,
    enter,
    post_some,
    post_some,
    run,
)


def begin_years_in_april(world: World, company: str) -> None:
    """A company whose year is not the calendar's."""
    table = world.tables["AccountingPeriodSet"]
    rows = [list(row[: table.stamp_at + 1]) for row in world.heap(table.name) if row[table.index["Company"]] == company]
    year, number = table.index["AccountingYear"], table.index["AccountingPeriod"]
    world.unload(table.name, [tuple(row[at] for at in table.key_at) for row in rows])
    for row in rows:
        first = row[table.index["DateFrom"]]
        if row[number] <= 12:
            row[year], row[number] = Decimal(first.year - (first.month < 4)), Decimal((first.month - 4) % 12 + 1)
    world.load(table.name, [row for row in rows if row[number] <= 12])


def close(rng: Random, joined: LedgerRig) -> None:
    """Some months are closed in the end; what is posted stays."""
    for company in ("10", "20"):
        for month in rng.sample(MONTHS, rng.randint(0, 2)):
            joined.box.ledger.set_period(company, 2026, month, "Closed")


@pytest.mark.parametrize("seed", [*USUAL, *(pytest.param(one, marks=pytest.mark.thorough) for one in range(15, 100))])
def test_nothing_differs_in_a_world_that_nobody_tampered_with(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    rules: dict[str, Any] = rigs.posting(closed_period=rng.choice(("hold", "next_open")))
    landing = rng.choice(rigs.LANDINGS)
    with ledger_rig(sqlite_url(tmp_path), options(rng, seed), tmp_path, rules, landing=landing) as joined:
        if landing != "file" and rng.random() < BROKEN_YEARS:
            begin_years_in_april(joined.box.world, "20")
        joined.done()
        for happens in rng.choices(HAPPENS, k=rng.randint(3, 9)):
            happens(rng, joined)
        joined.settle()
        post_some(rng, joined)
        close(rng, joined)
        periods = truths.periods(joined)
        for period in rng.sample(periods, min(PERIODS_MAX, len(periods))):
            assert_ties(joined, period)


def assert_ties(joined: LedgerRig, period: str) -> None:
    """The period ties, each figure is true, and each document is told once."""
    found, lines = truths.tied(joined, period)
    assert found.differences == (), found.differences
    assert found.ties
    assert not any(one.unexplained for one in found.totals)
    truths.assert_true(joined, found, truths.truth(joined, period))
    told = sorted(one.key for one in lines if one.state)
    assert told == sorted(one.key for one in truths.documents(joined) if one.may_be_of(period))


@pytest.mark.parametrize(
    "landing", ["external", *(pytest.param(one, marks=pytest.mark.thorough) for one in ("manual", "file"))]
)
def test_ledger_entries_of_all_types_tie_too(tmp_path: Path, landing: Kind) -> None:
    odd = dict.fromkeys(("negative", "closed_period", "unknown_type", "over_precise", "off_by_cent"), 0.1)
    made = rigs.world(12, entries=24, vendor_count=3, from_date="2026-02-02", to_date="2026-03-25", **odd)
    with ledger_rig(sqlite_url(tmp_path), made, tmp_path, rigs.entries_posting(), landing=landing) as joined:
        joined.done()
        post_some(Random(1), joined)
        for period in sorted({one.period for one in truths.documents(joined)} - {""}):
            found, _ = truths.tied(joined, period)
            assert found.ties
            truths.assert_counted(joined, found, period)


PLAIN: dict[str, Any] = dict.fromkeys(
    ("subsidiary_amount", "exchange_rate", "settlement_amount", "settlement_currency", "fee")
)


def test_amounts_of_thirty_digits_tie_to_the_last_and_one_cent_is_found(any_store: str, tmp_path: Path) -> None:
    days = {"from_date": "2026-02-02", "to_date": "2026-02-25"}
    made = rigs.plain_world(payments=4, foreign=0.0, **days)
    with ledger_rig(any_store, made, tmp_path, rigs.posting(amount_max={})) as joined:
        for at, key in enumerate(sorted(ledger.documents(joined.box, "payments"))):
            joined.edit("update", "payments", key, amount=f"{10**27 + at}.1{at}", **PLAIN)
        joined.done()
        assert_ties(joined, "2026-02")
        one = next(ledger.every(joined.box))
        tamper.add(joined.box.world, key_of(one), Decimal("0.01"))
        found, _ = truths.tied(joined, "2026-02")
        assert [line.key for line in found.differences] == [one.key]
        assert sum(total.unexplained for total in found.totals) == Decimal("-0.01")
