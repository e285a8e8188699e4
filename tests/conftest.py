"""What holds for all tests."""

from collections.abc import Generator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_before() -> Generator[None]:
    """A command that a test runs sends logs to a stream that is closed after it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
