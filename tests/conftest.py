"""What holds for all tests."""

import gc
import os
import shutil
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler import LoadGroupScheduling  # pyright: ignore[reportMissingTypeStubs]

# How long an example takes, or is thought of, says nothing of what is tested, on a busy machine least of all.
current = settings.get_profile(settings.get_current_profile_name())
unhurried = {HealthCheck.too_slow, *current.suppress_health_check}
settings.register_profile("patient", current, deadline=None, suppress_health_check=unhurried)
settings.load_profile("patient")
# For `make mutants`: the same examples each time, however slow the machine, and none made smaller.
settings.register_profile("mutants", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate))

MEMORY = Path("/dev/shm")  # noqa: S108 - as good as a disk: processes are killed here, machines are not
ROOM = 6 * 2**30  # what a run leaves there takes 1 to 2 GB, and a machine of 8 GB needs its memory
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # each commit waits for a disk otherwise


@pytest.fixture(autouse=True)
def process_as_before() -> Generator[None]:
    """A command that a test runs sends logs to a stream that is closed after it, collects garbage rarely, and ends in
    its own way when told to.
    """
    before, rarely = structlog.get_config(), gc.get_threshold()
    told = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    structlog.configure(**before)
    gc.set_threshold(*rarely)
    for number, how in told.items():
        signal.signal(number, how)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `ml-connector --store URL …` as if it was typed: its exit code, and what it said."""

    from ml_connector.cli import main  # most tests need no command line

    def run(url: str, *words: str, **environment: str) -> tuple[int, str, str]:
        with monkeypatch.context() as here:
            for name, value in environment.items():
                here.setenv(f"ML_CONNECTOR_{name}", value)
            here.setattr("sys.argv", ["ml-connector", "--store", url, *words])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A mutant is given to the quick tests first: most die of one of them, and laws take seconds."""
    if config.getoption("--hypothesis-profile") == "mutants":
        items.sort(key=lambda item: hasattr(getattr(item, "function", None), "hypothesis"))


class Together(LoadGroupScheduling):
    """All that needs a browser or the wheel in one process, which makes one; pytest 9.2 loses the marks of groups."""

    def _split_scope(self, nodeid: str) -> str:
        shared = ("tests/browser/", "tests/packaging/test_wheel.py")
        return next((place for place in shared if nodeid.startswith(place)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """See above."""
    return Together(config, log)
