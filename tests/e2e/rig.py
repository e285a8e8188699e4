"""A connector joined to a sandbox, as the command line would join it."""

import functools
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ml_connector import sandbox, wiring
from ml_connector.errors import ConnectorError
from ml_connector.flows import FLOWS
from ml_connector.sandbox import Sandbox, SandboxOptions
from ml_connector.settings import Airbase, Connection, Gate, Ifs, Installation, Mapping, Profile, store_file
from ml_connector.store.db import Database
from ml_connector.sync.orders import Extent
from ml_connector.sync.report import Report
from ml_connector.systems import http
from ml_connector.wiring import further

NAME = "acme"
USUAL = [  # what every connection has
    name
    for name, flow in FLOWS.items()
    if not flow.setting and not {flow.source.system, flow.target.system} & further.SYSTEMS.keys()
]
MODIFIED = {
    part: {"modified": "Cf_Modified_At"}
    for part in ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines")
}


@dataclass
class Rig:
    """A sandbox, a store, and a connection between them."""

    box: Sandbox
    store: wiring.Opened
    url: str

    def run(
        self, *flows: str, census: bool = False, approve: tuple[str, ...] = (), now: Callable[[], float] = time.time
    ) -> dict[str, Report]:
        """Run flows; what they raise is raised."""
        done: dict[str, Report] = {}
        with closing(wiring.Joined(self.store, NAME, now)) as both:
            for report, error in both.run(flows, extent=Extent(census=census), approved=approve):
                if error:
                    raise error
                done[report.flow] = report
        return done

    def try_run(self, census: bool = False, **options: Any) -> tuple[dict[str, Report], list[ConnectorError]]:
        """Run all flows; what they raised."""
        with wiring.joined(self.store, NAME) as both:
            pairs = list(both.run((), extent=Extent(census=census), **options))
        return {report.flow: report for report, _ in pairs}, [error for _, error in pairs if error]

    def plan(self, *flows: str) -> dict[str, Report]:
        """Plan flows."""
        with wiring.joined(self.store, NAME) as both:
            return {report.flow: report for report in both.plan(flows)}

    def writes(self) -> int:
        """How many writes Airbase has seen."""
        return self.box.airbase_log.writes

    def today(self) -> date:
        """The day that the connector believes it is."""
        return datetime.now(UTC).date()


def connection(box: Sandbox, ifs: dict[str, Any] | None = None, **profile: Any) -> Connection:
    """The connection to a sandbox."""
    told = box.told()
    options: dict[str, Any] = {
        "mapping": Mapping({"10": "SUB-10", "20": "SUB-20"}),
        "quiet_s": 0.0,
        "gate": {name: Gate(1.0, 1.0) for name in ("suppliers", "purchase_orders")},
        **profile,
    }
    return Connection(
        ifs=Ifs(told["ifs_url"], told["ifs"]["realm"], told["ifs"]["client_id"], ("10", "20"), 100_000),
        airbase=Airbase(told["airbase_url"], requests_max=100_000),
        profile=Profile(ifs=ifs or {}, **options),
    )


def generous(**options: Any) -> SandboxOptions:
    """A sandbox without rate limits, so that a test takes no longer than its work."""
    chosen: dict[str, Any] = {"suppliers": 60, "orders": 40, "seed": 3, **options}
    made = SandboxOptions(**chosen)
    made.ifs.rate_limit = 1_000_000
    made.airbase.rate_limit = 1_000_000
    made.airbase.documents = 0  # nothing in Airbase but what the connector brings
    return made


@contextmanager
def started(options: SandboxOptions) -> Generator[Sandbox]:
    """A sandbox, while whoever asks it pauses as always, but not for long."""
    with sandbox.start(options) as box, pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "PATIENCE", http.Patience(pause_s=0.01))
        yield box


@contextmanager
def rig(url: str, options: SandboxOptions | None = None, **settings: Any) -> Generator[Rig]:
    """A sandbox and a connector joined to it, with a fresh store at the URL."""
    with started(options or generous()) as box:
        with closing(open_store(url)) as store:
            wiring.connect(store, NAME, connection(box, **settings), wiring.Secrets("sandbox-secret", "sandbox-token"))
            yield Rig(box, store, url)
        assert box.crashes == [], "the sandbox itself failed"


def open_store(url: str) -> wiring.Opened:
    """The store at a URL; a new file begins as a copy, as its migrations would take most of a short test's time."""
    file = store_file(url)
    if file and not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(_migrated())
    return wiring.open_store(Installation(store=url))


@functools.cache
def _migrated() -> bytes:
    """A store without any rows."""
    with tempfile.TemporaryDirectory() as folder:
        Database.open(sqlite_url(Path(folder))).close()
        return Path(folder, "store.db").read_bytes()


def sqlite_url(folder: Path) -> str:
    """A store in a folder."""
    return f"sqlite:///{folder / 'store.db'}"
