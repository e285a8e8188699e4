"""Workers die, freeze, lose the store and the systems, and in the end everything is there once."""

from collections.abc import Callable
from pathlib import Path

import chaos
import ledger_rig as rigs
import ledger_story as story
import pytest
from ledger_rig import LedgerRig, ledger_rig
from rig import NAME, sqlite_url

from ml_connector import wiring

KILLS = 6
WORLD = {"requests": 6, "payments": 8}


def assert_all_there_once(joined: LedgerRig) -> None:
    """What the workers left is what a world without trouble would have; one more run has nothing to do."""
    for flow in joined.flows:
        rigs.assert_stands(joined, flow)
    story.assert_ended_well(joined)
    assert not wiring.journal(joined.store, NAME).verify().broken


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_workers_on_one_postgresql(
    postgres_store: str, restart_postgres: Callable[[], None], tmp_path: Path
) -> None:
    with ledger_rig(postgres_store, rigs.plain_world(**WORLD), tmp_path, quiet_s=0.5) as joined:
        figures = chaos.under_fire(joined, tmp_path / "log", 3, KILLS, restart_postgres)
        assert_all_there_once(joined)
    assert figures.kills == KILLS
    assert figures.held


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_process_on_sqlite(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(**WORLD), tmp_path, quiet_s=0.5) as joined:
        figures = chaos.under_fire(joined, tmp_path / "log", 1, KILLS)
        assert_all_there_once(joined)
    assert figures.held
