"""SIGKILL wherever the store, a system or a file is written, and two processes at once: the same ledger in the end."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import ledger_rig as rigs
import ledger_story as story
import pytest
from ledger_crashing import crash, together
from ledger_rig import LANDINGS, Kind, LedgerRig, ledger_rig
from rig import NAME, sqlite_url

from ml_connector import wiring

SHARDS = 3
POINTS_MAX = 600


@contextmanager
def begun(url: str, folder: Path, landing: Kind, *, entries: bool) -> Generator[LedgerRig]:
    """Everything is ready, and the suppliers are linked, so that a run does nothing but post."""
    options = story.few(entries=entries)
    with ledger_rig(url, options, folder, story.rules_of(options), landing=landing) as joined:
        joined.run("suppliers")
        yield joined


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize(
    ("landing", "entries"), [("external", True), ("external", False), ("manual", False), ("file", False)]
)
def test_killed_anywhere_the_next_run_ends_the_same(tmp_path: Path, landing: Kind, entries: bool, shard: int) -> None:
    point, died = shard + 1, True
    while died:
        folder = tmp_path / str(point)
        folder.mkdir()
        with begun(sqlite_url(folder), folder, landing, entries=entries) as joined:
            died = crash(joined.url, point)
            joined.settle()
            story.assert_ended_well(joined)
            assert not wiring.journal(joined.store, NAME).verify().broken
        point += SHARDS
        assert point < POINTS_MAX
    assert point > 5 * SHARDS, "there should be more places to die than that"


@pytest.mark.parametrize("landing", LANDINGS)
def test_killed_while_corrections_are_made(any_store: str, tmp_path: Path, landing: Kind) -> None:
    """One world: documents change in hold and in the ledger, and the run dies ever later."""
    with begun(any_store, tmp_path, landing, entries=False) as joined:
        joined.settle()
        point, died = 0, True
        while died:
            point += 3
            if point % 2:
                joined.post_in_ifs()
            kept = rigs.in_ledger(joined)
            for flow in joined.flows:
                for at, key in enumerate(sorted(joined.links(flow))[:2]):
                    joined.edit("amend", flow, key, amount=str(100 * point + at))
            died = crash(joined.url, point)
            joined.settle()
            assert rigs.in_ledger(joined) >= kept
            assert point < POINTS_MAX
        assert point > 10
        story.assert_ended_well(joined)


@pytest.mark.parametrize("landing", LANDINGS)
def test_two_processes_at_once_post_everything_once(any_store: str, tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=20, payments=40)
    with ledger_rig(any_store, options, tmp_path, landing=landing) as joined:
        together(joined.url, 3)
        joined.settle()
        story.assert_ended_well(joined)
        for flow in joined.flows:
            for key in sorted(joined.links(flow))[::3]:
                joined.edit("amend", flow, key, amount="31")
        together(joined.url, 2)
        joined.settle()
        story.assert_ended_well(joined)
