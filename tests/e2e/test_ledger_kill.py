"""SIGKILL wherever the store, a system or a file is written, and two processes at once: the same ledger in the end."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ledger_rig as rigs
import ledger_story as story
import pytest
from ledger_crashing import crash, together
from ledger_rig import LANDINGS, Kind, LedgerRig, ledger_rig
from rig import NAME, sqlite_url

from ml_connector import wiring

POINTS_MAX = 400
STRIDE = 7  # every point is met by one of seven tests that begin one apart
THOROUGH = (pytest.mark.slow, pytest.mark.thorough)
FIRST = [3, pytest.param(6, marks=pytest.mark.slow), *(pytest.param(at, marks=THOROUGH) for at in (1, 2, 4, 5, 7))]


@contextmanager
def begun(url: str, folder: Path, landing: Kind, *, entries: bool) -> Generator[LedgerRig]:
    """A small world in which everything is posted to begin with."""
    made: dict[str, Any] = {"entries": 6} if entries else {"payments": 4}
    options = rigs.plain_world(seed=4, companies=("10",), **made)
    rules = rigs.entries_posting() if entries else rigs.posting(documents=["payments"])
    with ledger_rig(url, options, folder, rules, landing, quiet_s=0.0) as joined:
        joined.settle()
        yield joined


def die_ever_later(joined: LedgerRig, first: int) -> int:
    """Turn after turn the run dies at a later point; the next one ends as if nothing had been."""
    flows = (*joined.flows, "acknowledgements") if "ledger_entries" in joined.flows else joined.flows
    point, turn, died = first, 0, [True, True]
    while any(died):
        turn += 1
        story.one_more(joined, turn)
        kept = rigs.in_ledger(joined)
        died[turn % 2] = crash(joined.url, point, flows)  # in hold and in the ledger by turns
        joined.settle()
        assert rigs.in_ledger(joined) >= kept
        assert_turn(joined)
        point += STRIDE
        assert point < POINTS_MAX
    story.assert_ended_well(joined)
    assert not wiring.journal(joined.store, NAME).verify().broken
    return point


def assert_turn(joined: LedgerRig) -> None:
    for flow in joined.flows:
        assert joined.held(flow) == {}
        if flow == "ledger_entries":
            story.assert_entries_posted(joined)
        else:
            rigs.assert_stands(joined, flow)
    rigs.assert_chained(joined)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("landing", LANDINGS)
def test_killed_anywhere_the_next_run_ends_the_same(tmp_path: Path, landing: Kind, first: int) -> None:
    with begun(sqlite_url(tmp_path), tmp_path, landing, entries=False) as joined:
        assert die_ever_later(joined, first) > 20, "there should be more places to die than that"


@pytest.mark.parametrize("first", FIRST)
def test_killed_anywhere_airbase_is_told_in_the_end(tmp_path: Path, first: int) -> None:
    with begun(sqlite_url(tmp_path), tmp_path, "external", entries=True) as joined:
        joined.run(census=True)
        assert die_ever_later(joined, first) > 30, "there should be more places to die than that"


@pytest.mark.slow
@pytest.mark.parametrize("landing", ["external", *(pytest.param(one, marks=THOROUGH) for one in ("manual", "file"))])
def test_killed_anywhere_on_either_database(any_store: str, tmp_path: Path, landing: Kind) -> None:
    with begun(any_store, tmp_path, landing, entries=False) as joined:
        assert die_ever_later(joined, 1) > 20


@pytest.mark.parametrize("landing", ["external", "file"])
def test_two_processes_at_once_post_everything_once(any_store: str, tmp_path: Path, landing: Kind) -> None:
    options = rigs.plain_world(requests=4, payments=8)
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
