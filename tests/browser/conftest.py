"""A browser for a module's tests; they all run in one process, one after the other."""

from collections.abc import Generator
from typing import Any

import chromium
import pytest
from company import Company, at_work
from playwright.sync_api import Browser, expect, sync_playwright

PATIENCE_MS = 20_000  # on a machine that is busy


@pytest.fixture(scope="module")  # while it is open, nothing else of this process can run an event loop
def browser() -> Generator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = chromium.start(playwright)
        if started is None:
            (pytest.fail if chromium.demanded() else pytest.skip)(chromium.MISSING)
        yield started
        started.close()


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Generator[Company]:
    """The demo's company with a console on it; what a test changes there, others see."""
    with at_work(tmp_path_factory.mktemp("company")) as made:
        yield made


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it again at the end, where it is read."""
    skipped = terminalreporter.stats.get("skipped", ())
    if any(chromium.MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(chromium.MISSING, yellow=True, bold=True)
