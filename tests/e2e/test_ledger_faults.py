"""Lost answers on every write of either system: no voucher twice, none missing, each acknowledged as what it is."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import ledger_story as story
import pytest
from ledger_rig import Kind, LedgerRig, ledger_rig
from rig import sqlite_url

from ml_connector.sandbox.faults import Fault

WRITES_MAX = 40
IFS = "/*/ifsapplications/*"
ODATA: tuple[Kind, ...] = ("external", "manual")
LOST: dict[str, dict[str, Any]] = {
    "reset before the effect": {"kind": "reset_before"},
    "reset after the effect": {"kind": "reset_after"},
    "500 after the effect": {"kind": "status", "options": {"status": 500, "effect": True}},
}
ALSO_LOST: dict[str, dict[str, Any]] = {
    "504 after the effect": {"kind": "status", "options": {"status": 504, "effect": True}},
    "truncated answer": {"kind": "truncated"},
    "sign-in page": {"kind": "html"},
    "twice in a row": {"kind": "reset_after", "count": 2},
}
THOROUGH = (pytest.mark.slow, pytest.mark.thorough)
EVERY = [*LOST, *(pytest.param(name, marks=THOROUGH) for name in ALSO_LOST)]


@contextmanager
def one_company(folder: Path, landing: Kind = "external", *, entries: bool = False) -> Generator[LedgerRig]:
    """A world that is small, and where everything is posted to begin with."""
    made: dict[str, Any] = {"entries": 6} if entries else {"payments": 4}
    options = rigs.plain_world(seed=4, companies=("10",), **made)
    rules = rigs.entries_posting() if entries else rigs.posting(documents=["payments"])
    with ledger_rig(sqlite_url(folder), options, folder, rules, landing, timeout_s=2.0, quiet_s=0.0) as joined:
        joined.settle()
        yield joined


def strike_each(joined: LedgerRig, **fault: Any) -> int:
    """Turn after turn, let the n-th write that fits lose its answer, for every n, in hold and in the ledger."""
    turn, at, fired = 0, 0, [True, True]
    while any(fired):
        turn += 1
        story.one_more(joined, turn)
        kept = rigs.in_ledger(joined)
        given: dict[str, Any] = {"count": 1, **fault, "after": at}
        number = joined.box.faults.add(Fault(**given))
        joined.settle()
        fired[turn % 2] = joined.box.faults.fired(number) > 0
        joined.box.faults.clear()
        assert rigs.in_ledger(joined) >= kept
        assert_turn(joined)
        at += turn % 2 == 0
        assert at < WRITES_MAX
    story.assert_ended_well(joined)
    return at


def assert_turn(joined: LedgerRig) -> None:
    """After each turn nothing waits, and all stands as it should, once."""
    for flow in joined.flows:
        assert joined.held(flow) == {}
        if flow == "ledger_entries":
            joined.run(census=True)  # tells what Airbase put back into its queue
            story.assert_entries_posted(joined)
            rigs.assert_acknowledged(joined)
        else:
            rigs.assert_stands(joined, flow)
    rigs.assert_chained(joined)


@pytest.mark.parametrize("landing", ODATA)
@pytest.mark.parametrize("name", EVERY)
def test_each_write_of_ifs_loses_its_answer_once(tmp_path: Path, name: str, landing: Kind) -> None:
    with one_company(tmp_path, landing) as joined:
        struck = strike_each(joined, site="ifs", method="POST", path=IFS, **{**LOST, **ALSO_LOST}[name])
        assert struck >= (4 if landing == "external" else 1)


@pytest.mark.parametrize("name", LOST)
def test_a_load_that_is_left_behind_is_removed(tmp_path: Path, name: str) -> None:
    """The check is never answered, so that a load stays; removing it loses its answer too."""
    with one_company(tmp_path) as joined:
        check = joined.box.faults.add(Fault("reset_before", site="ifs", path="*_Check", count=4))
        number = joined.box.faults.add(Fault(site="ifs", method="DELETE", count=1, **LOST[name]))
        story.one_more(joined, 1)
        joined.settle()
        assert joined.box.faults.fired(check)
        assert joined.box.faults.fired(number)
        joined.box.faults.clear()
        joined.settle()
        story.assert_ended_well(joined)
        assert {row["LoadState"] for row in joined.box.world.rows("ExtLoadInfoSet")} == {"Created"}


@pytest.mark.parametrize("name", EVERY)
def test_each_write_of_airbase_loses_its_answer_once(tmp_path: Path, name: str) -> None:
    with one_company(tmp_path, entries=True) as joined:
        struck = strike_each(joined, site="airbase", method="PATCH", **{**LOST, **ALSO_LOST}[name])
        assert struck >= 2


@pytest.mark.parametrize("landing", ["external", "manual", "file"])
def test_a_storm_of_429_delays_and_doubles_nothing(tmp_path: Path, landing: Kind) -> None:
    with ledger_rig(sqlite_url(tmp_path), story.few(), tmp_path, landing=landing, timeout_s=2.0) as joined:
        for site in ("ifs", "airbase"):
            joined.box.faults.add(Fault("status", site=site, percent=12, options={"status": 429, "retry_after": 0}))
        story.play(joined)
        joined.box.faults.clear()
        joined.settle()
        story.assert_ended_well(joined)


@pytest.mark.parametrize(("landing", "seed"), [("external", 2), ("manual", 0), ("file", 0)])
def test_a_mix_of_faults_loses_and_doubles_nothing(tmp_path: Path, seed: int, landing: Kind) -> None:
    options = story.few(entries=seed == 2)
    rules = story.rules_of(options)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules, landing=landing, timeout_s=2.0) as joined:
        mix = ("reset_before", "reset_after", "truncated", "malformed_json", "html", "duplicate_rows", "token_revoked")
        for number, kind in enumerate(mix):
            fault: Any = kind
            joined.box.faults.add(Fault(fault, percent=2 + (seed + number) % 4))
        for status in (429, 500, 503, 504):
            joined.box.faults.add(Fault("status", percent=1 + seed % 3, options={"status": status, "retry_after": 0}))
        for step in range(len(story.STEPS)):
            story.edit(joined, step)
            kept = rigs.in_ledger(joined)
            for _ in range(3):
                joined.try_run()
            assert rigs.in_ledger(joined) >= kept
        joined.box.faults.clear()
        joined.settle()
        story.assert_ended_well(joined)


@pytest.mark.parametrize("landing", ODATA)
def test_a_stale_etag_is_read_again_not_overwritten(tmp_path: Path, landing: Kind) -> None:
    with ledger_rig(sqlite_url(tmp_path), story.few(), tmp_path, landing=landing, timeout_s=2.0) as joined:
        joined.box.faults.add(Fault("stale_etag", site="ifs", count=3))
        story.play(joined)
        joined.box.faults.clear()
        story.assert_ended_well(joined)


def test_an_entry_that_is_put_back_into_the_queue_is_told_again(tmp_path: Path) -> None:
    """At the latest by the next census, and then no more."""
    with one_company(tmp_path, entries=True) as joined:
        first, second, *_ = sorted(ledger.documents(joined.box, "ledger_entries"))
        joined.edit("resend", "ledger_entries", first)
        story.amend(joined, "ledger_entries", second, "17")
        joined.settle()
        joined.run(census=True)
        rigs.assert_acknowledged(joined)
        rigs.assert_quiet(joined, census=True)


def test_an_entry_that_was_corrected_is_not_told_again_by_every_census(tmp_path: Path) -> None:
    """Airbase keeps the first reference for ever; that must not look like a change every night."""
    with one_company(tmp_path, entries=True) as joined:
        joined.post_in_ifs()
        story.amend(joined, "ledger_entries", min(ledger.documents(joined.box, "ledger_entries")), "17")
        joined.settle()
        joined.run(census=True)
        rigs.assert_acknowledged(joined)
        rigs.assert_quiet(joined, census=True)
