"""Voucher files in flight: nothing is handed over twice, whatever becomes of folder, rules or documents meanwhile."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import ledger_rig as rigs
import pytest
from ledger_rig import ledger_rig
from msgspec.structs import replace
from rig import NAME, sqlite_url

from ml_connector import settings, wiring
from ml_connector.errors import SettingsError
from ml_connector.wiring import reports


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.txt"))


def test_a_file_and_its_list_that_vanish_are_not_written_again(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4), tmp_path, landing="file") as joined:
        joined.run()
        assert names(joined.folder)
        before = joined.held("payments").keys()
        for path in (*joined.folder.glob("*.txt"), joined.folder / ".handed"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for _ in range(2):
            joined.run()
            assert names(joined.folder) == []
            assert joined.held("payments").keys() == before


def test_a_void_file_is_decided_anew_and_posted_once(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4), tmp_path, landing="file") as joined:
        joined.run()
        lost = names(joined.folder)
        for name in lost:
            (joined.folder / name).unlink()
        with closing(wiring.Joined(joined.store, NAME)) as both:
            assert sum(reports.void(both, name) for name in lost) == len(joined.held("payments"))
            with pytest.raises(SettingsError, match="no file"):
                reports.void(both, "mlc-other.txt")
        joined.done()
        assert joined.held("payments") == {}
        rigs.assert_quiet(joined, census=True)


def test_the_folder_and_the_serie_stay_once_something_was_handed_over(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4), tmp_path, landing="file") as joined:
        joined.run()
        kept = settings.connection(joined.store.connections.get(NAME).settings)
        for change in ({"folder": str(tmp_path)}, {"serie": "OTHER"}, {"kind": "external", "folder": ""}):
            landing = kept.profile.posting["landing"] | change
            profile = replace(kept.profile, posting=kept.profile.posting | {"landing": landing})
            moved = settings.Connection(kept.ifs, kept.airbase, profile)
            with pytest.raises(SettingsError, match=r"handed over|serie"):
                wiring.connect(joined.store, NAME, moved, wiring.Secrets("", ""))


def test_the_serie_stays_also_where_nothing_was_posted_meanwhile(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(payments=4), tmp_path, landing="external") as joined:
        kept = settings.connection(joined.store.connections.get(NAME).settings)

        def posting(**changed: Any) -> settings.Connection:
            return settings.Connection(kept.ifs, kept.airbase, replace(kept.profile, posting=changed))

        other = kept.profile.posting | {"landing": kept.profile.posting["landing"] | {"serie": "OTHER"}}
        wiring.connect(joined.store, NAME, posting(**other), wiring.Secrets("", ""))
        wiring.connect(joined.store, NAME, kept, wiring.Secrets("", ""))  # nothing was posted yet
        joined.run()
        wiring.connect(joined.store, NAME, posting(), wiring.Secrets("", ""))
        with pytest.raises(SettingsError, match="serie"):
            wiring.connect(joined.store, NAME, posting(**other), wiring.Secrets("", ""))
        wiring.connect(joined.store, NAME, kept, wiring.Secrets("", ""))
