"""A sandbox, and `ml-connector serve` on a store as its own process, as an administrator would start it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig import sqlite_url

from ml_connector import sandbox
from ml_connector.sandbox import Sandbox, SandboxOptions

COMMAND = str(Path(sys.executable).with_name("ml-connector"))
SERVING = re.compile(r"Serving at (http://\S+?)\.\s")
SET_UP = re.compile(r"https?://\S+/set-up/\S+")
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Standing:
    """Where the console is, over which sandbox and store; `log`: what the process said."""

    url: str
    box: Sandbox
    store: str
    log: Path

    def set_up_link(self) -> str:
        """The link that the first start prints."""
        return _await(self.log, SET_UP)[0].rstrip(".")


@contextmanager
def standing(folder: Path, box: Sandbox) -> Generator[Standing]:
    """The console on the store in a folder, which may be empty."""
    log = folder / "serve.log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ML_CONNECTOR_")},
        "ML_CONNECTOR_STORE": sqlite_url(folder),
        "ML_CONNECTOR_ALLOW_PRIVATE_SYSTEMS": "true",
        "COLUMNS": "300",
    }
    with log.open("wb") as out:
        process = subprocess.Popen([COMMAND, "serve", "--port", "0"], env=environment, stdout=out, stderr=out)
    try:
        url = _await(log, SERVING)[1]
        yield Standing(url, box, sqlite_url(folder), log)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    said = log.read_text()
    assert "Traceback" not in said, said[-3000:]


@contextmanager
def alone(folder: Path, options: SandboxOptions) -> Generator[Standing]:
    """A console that nobody has used yet, beside two systems."""
    with sandbox.start(options) as box, standing(folder, box) as made:
        yield made


def _await(log: Path, wanted: re.Pattern[str]) -> re.Match[str]:
    until = time.monotonic() + PATIENCE_S
    while not (found := wanted.search(log.read_text())):
        assert time.monotonic() < until, f"{wanted.pattern} was not said: {log.read_text()[-2000:]}"
        time.sleep(0.05)
    return found
