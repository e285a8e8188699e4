"""What holds for all tests."""

from collections.abc import Generator
from typing import Any

import pytest
import structlog
from xdist.scheduler import LoadGroupScheduling  # pyright: ignore[reportMissingTypeStubs]


@pytest.fixture(autouse=True)
def logs_as_before() -> Generator[None]:
    """A command that a test runs sends logs to a stream that is closed after it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


class Together(LoadGroupScheduling):
    """All that needs a browser in one process, which opens one; the marks of groups are lost on pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """See above."""
    return Together(config, log)
