"""Workers die, freeze, lose the store and the systems, and in the end everything is there once."""

import random
from pathlib import Path

import chaos
import ledger_rig as rigs
import ledger_story as story
import pytest
from chaos import Figures, Fire
from ledger_rig import LedgerRig, ledger_rig
from rig import NAME, sqlite_url

from ml_connector import wiring


def under_fire(joined: LedgerRig, log: Path, crew_size: int, rounds: int) -> Figures:
    """Rounds of kills with all that may happen in between; everything has to end well."""
    figures, chance = Figures(), random.Random(rounds)
    with chaos.workers(joined.url, crew_size, log) as crew:
        fire = Fire(joined, crew, figures)
        for round_no in range(rounds):
            fire.live()
            fire.work(chance.uniform(0.0, 0.6))
            fire.kill()
            if crew_size > 1 and round_no % 5 == 3:
                fire.freeze(chaos.LEASE_S + 2)
            if round_no % 5 == 1:
                fire.cut(1.5)
        fire.end()
    for flow in joined.flows:
        rigs.assert_stands(joined, flow)
    story.assert_ended_well(joined)
    assert not wiring.journal(joined.store, NAME).verify().broken
    return figures


@pytest.mark.slow
def test_three_workers_on_one_postgresql(postgres_store: str, tmp_path: Path) -> None:
    with ledger_rig(postgres_store, rigs.plain_world(requests=6, payments=8), tmp_path, quiet_s=0.5) as joined:
        figures = under_fire(joined, tmp_path / "log", 3, 6)
    assert figures.kills == 6
    assert figures.held


@pytest.mark.slow
def test_one_process_on_sqlite(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=6, payments=8), tmp_path, quiet_s=0.5) as joined:
        figures = under_fire(joined, tmp_path / "log", 1, 6)
    assert figures.held
