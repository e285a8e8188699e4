"""Evidence of a made-up period."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from evidence_story import PERIOD, fill

from ml_connector import wiring
from ml_connector.settings import Installation
from ml_connector.wiring import gathering


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wiring.Opened]:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"))
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def made(store: wiring.Opened, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence, not to be touched."""
    folder = tmp_path_factory.mktemp("evidence") / "pack"
    gathering.gather(store, "demo", PERIOD, folder, "ann")
    return folder


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    """Evidence to be tampered with."""
    return Path(shutil.copytree(made, tmp_path / "pack"))
