"""A store for the pages; PostgreSQL is left to the store's own tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_connector import wiring
from ml_connector.settings import Installation


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[wiring.Opened]:
    store = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    yield store
    store.close()
