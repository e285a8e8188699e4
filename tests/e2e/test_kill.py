"""SIGKILL at every point where the store or a system is written, then run again: the same end, nothing twice."""

import signal
import subprocess
import sys
from pathlib import Path

import expected
import pytest
import rig as rigs
from rig import rig, sqlite_url
from test_faults import settle

from ml_connector import wiring

SCRIPT = Path(__file__).with_name("crashing.py")
SHARDS = 8


def crash(url: str, point: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), url, str(point)], capture_output=True, text=True, timeout=60)


def world():
    return rigs.generous(suppliers=12, orders=8)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_anywhere_the_next_run_ends_the_same(tmp_path: Path, shard: int) -> None:
    point, died = shard + 1, True
    while died:
        folder = tmp_path / str(point)
        folder.mkdir()
        with rig(sqlite_url(folder), world()) as joined:
            done = crash(joined.url, point)
            died = done.returncode == -signal.SIGKILL
            assert died or done.returncode == 0, done.stderr
            settle(joined)
            expected.assert_agree(joined.box, joined.today())
            assert all(not r.created and not r.updated and not r.deactivated for r in joined.plan().values())
            assert not wiring.journal(joined.store, rigs.NAME).verify().broken
        point += SHARDS
    assert point > 2 * SHARDS, "there should be more places to die than that"


def test_killed_while_changes_are_sent(tmp_path: Path) -> None:
    """The same for updates: everything is there, then much of it changes, and the run dies half-way."""
    with rig(sqlite_url(tmp_path), world()) as joined:
        joined.run()
        for point in range(1, 200):
            for row in joined.box.world.rows("SupplierInfoGeneralSet"):
                joined.box.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": f"Name {point}"})
            done = crash(joined.url, point)
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL, done.stderr
        else:
            raise AssertionError("never got through")
        assert point > 10
        settle(joined)
        expected.assert_agree(joined.box, joined.today())
