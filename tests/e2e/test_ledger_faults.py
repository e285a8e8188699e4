"""Lost answers on every write of either system: no voucher twice, none missing, each acknowledged as what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    "504 after the effect": {"kind": "status", "options": {"status": 504, "effect": True}},
    "truncated answer": {"kind": "truncated"},
    "sign-in page": {"kind": "html"},
}


def strike(joined: LedgerRig, **fault: Any) -> Callable[[int], None]:
    """Order a fault before the first step only."""

    def before(step: int) -> None:
        if step == 0:
            joined.box.faults.add(Fault(**fault))

    return before


@pytest.mark.parametrize("landing", ODATA)
@pytest.mark.parametrize("name", LOST)
def test_each_write_of_ifs_loses_its_answer_once(tmp_path: Path, name: str, landing: Kind) -> None:
    """The n-th write of the whole story, for every n."""
    at, fired = 0, True
    while fired:
        fired = False
        folder = tmp_path / str(at)
        folder.mkdir()
        with ledger_rig(sqlite_url(folder), story.few(), folder, landing=landing, timeout_s=2.0, quiet_s=0.0) as joined:
            number = joined.box.faults.add(Fault(site="ifs", method="POST", path=IFS, after=at, count=1, **LOST[name]))
            story.play(joined)
            fired = joined.box.faults.fired(number) > 0
            joined.box.faults.clear()
            story.assert_ended_well(joined)
        at += 1
        assert at < WRITES_MAX
    assert at > 5, "there should be more writes than that"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("landing", ODATA)
def test_other_writes_of_ifs_lose_their_answers(tmp_path: Path, landing: Kind, method: str) -> None:
    """Those that a landing makes beside POST, if any; the story is the same."""
    for at in range(2):
        for name in ("reset before the effect", "reset after the effect"):
            folder = tmp_path / f"{at} {name[:12]}"
            folder.mkdir()
            with ledger_rig(sqlite_url(folder), story.few(), folder, landing=landing, timeout_s=2.0) as joined:
                joined.box.faults.add(Fault(site="ifs", method=method, path=IFS, after=at, count=1, **LOST[name]))
                story.play(joined)
                joined.box.faults.clear()
                story.assert_ended_well(joined)


@pytest.mark.parametrize("name", LOST)
def test_each_write_of_airbase_loses_its_answer_once(tmp_path: Path, name: str) -> None:
    at, fired = 0, True
    while fired:
        folder = tmp_path / str(at)
        folder.mkdir()
        options = story.few(entries=True)
        with ledger_rig(sqlite_url(folder), options, folder, story.rules_of(options), timeout_s=2.0) as joined:
            number = joined.box.faults.add(Fault(site="airbase", method="PATCH", after=at, count=1, **LOST[name]))
            story.play(joined)
            fired = joined.box.faults.fired(number) > 0
            joined.box.faults.clear()
            story.assert_ended_well(joined)
        at += 3
        assert at < WRITES_MAX * 3
    assert at > 6, "there should be more writes than that"


@pytest.mark.parametrize("landing", ["external", "manual", "file"])
def test_a_storm_of_429_delays_and_doubles_nothing(tmp_path: Path, landing: Kind) -> None:
    with ledger_rig(sqlite_url(tmp_path), story.few(), tmp_path, landing=landing, timeout_s=2.0) as joined:
        for site in ("ifs", "airbase"):
            joined.box.faults.add(Fault("status", site=site, percent=35, options={"status": 429}))
        story.play(joined)
        joined.box.faults.clear()
        joined.settle()
        story.assert_ended_well(joined)


@pytest.mark.parametrize("landing", ["external", "manual", "file"])
@pytest.mark.parametrize("seed", range(3))
def test_a_mix_of_faults_loses_and_doubles_nothing(tmp_path: Path, seed: int, landing: Kind) -> None:
    options = story.few(entries=seed == 2)
    rules = story.rules_of(options)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules, landing=landing, timeout_s=2.0) as joined:
        mix = ("reset_before", "reset_after", "truncated", "malformed_json", "html", "duplicate_rows", "token_revoked")
        for number, kind in enumerate(mix):
            fault: Any = kind
            joined.box.faults.add(Fault(fault, percent=2 + (seed + number) % 4))
        for status in (429, 500, 503, 504):
            joined.box.faults.add(Fault("status", percent=1 + seed % 3, options={"status": status}))
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
