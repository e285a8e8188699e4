"""SIGKILL at every point where the store or a system is written, then run again: the same end, nothing twice."""

from pathlib import Path

import expected
import pytest
import rig as rigs
from crashing import crash
from rig import rig, sqlite_url
from test_faults import settle

from ml_connector import wiring
from ml_connector.sandbox import SandboxOptions

SHARDS = 4


def world() -> SandboxOptions:
    return rigs.generous(suppliers=12, orders=8)


@pytest.mark.parametrize("shard", [0, 2, *(pytest.param(one, marks=pytest.mark.thorough) for one in (1, 3))])
def test_killed_anywhere_the_next_run_ends_the_same(tmp_path: Path, shard: int) -> None:
    point, died = shard + 1, True
    while died:
        folder = tmp_path / str(point)
        folder.mkdir()
        with rig(sqlite_url(folder), world()) as joined:
            died = crash(joined.url, point)
            settle(joined)
            expected.assert_agree(joined.box, joined.today())
            assert all(not r.created and not r.updated and not r.deactivated for r in joined.plan().values())
            assert not wiring.journal(joined.store, rigs.NAME).verify().broken
        point += SHARDS
    assert point > 10 * SHARDS, "there should be more places to die than that"


def test_killed_while_changes_are_sent(any_store: str) -> None:
    """The same for updates: everything is there, then much of it changes, and the run dies ever later."""
    with rig(any_store, world()) as joined:
        joined.run()
        for point in range(1, 300):
            for row in joined.box.world.rows("SupplierInfoGeneralSet"):
                joined.box.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": f"Name {point}"})
            if not crash(joined.url, point):
                break
        else:
            raise AssertionError("never got through")
        assert point > 10
        settle(joined)
        expected.assert_agree(joined.box, joined.today())
