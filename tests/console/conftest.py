"""A store for the pages; PostgreSQL is left to the store's own tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import open_store, sqlite_url

from ml_connector import wiring


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[wiring.Opened]:
    store = open_store(sqlite_url(tmp_path))
    yield store
    store.close()
