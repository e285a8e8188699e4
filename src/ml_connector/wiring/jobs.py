"""What one run of one flow needs, put together: its ends, its store, its tables and its policy.

Rule: it is made anew for each run from the settings in force, and says by its basis when the same record may come to
something else.
Must not know: how a run goes, who ordered it.
"""

from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from typing import Any

import msgspec

from ml_connector import run as pipeline
from ml_connector import settings
from ml_connector.errors import RefusedError
from ml_connector.flows import FLOWS
from ml_connector.records import codec
from ml_connector.records.ledger import Books
from ml_connector.settings import Connection, Gate
from ml_connector.store.flow_store import FlowStore
from ml_connector.sync.flow import AnyFlow, Tables
from ml_connector.systems.ifs.suppliers import likely
from ml_connector.systems.taping import Taped
from ml_connector.wiring.ends import Ends
from ml_connector.wiring.tenants import Tenants


class Jobs:
    """Makes the jobs of one connection; `had`: the flows that its profile turns on."""

    def __init__(self, tenants: Tenants, ends: Ends, had: set[str]) -> None:
        self._tenants, self._ends, self._had = tenants, ends, had

    def job(
        self, flow: AnyFlow, today: date, books: Callable[[], Books], watch: Callable[[str, int], None]
    ) -> pipeline.Job:
        """What a run of a flow needs. Raises: SettingsError, RemoteError."""
        own = self._tenants.settings.profile
        source, target = self._ends.of(flow)
        return pipeline.Job(
            flow=self._limited(flow, own.gate.get(flow.name)),
            source=source,
            target=Taped(target, self._tenants.tape),
            store=self.store(flow),
            tables=self._tables(flow),
            today=today,
            basis=basis(self._tenants.settings),
            books=books,
            quiet_s=own.quiet_s,
            watch=watch,
        )

    def store(self, flow: AnyFlow) -> FlowStore:
        """The store as a flow sees it."""
        opened, kinds = self._tenants.opened, (flow.source_kind, flow.target_kind)
        return FlowStore(opened.database, opened.vault, self._tenants.stored.id, flow.name, *kinds)

    def _tables(self, flow: AnyFlow) -> Tables:
        """The mapping tables, without those that another flow takes."""
        tables = self._tenants.read.tables(self._tenants.settings)
        taken: dict[str, Any] = {table: {} for name in self._had - {flow.name} for table in FLOWS[name].takes}
        return msgspec.structs.replace(tables, **taken, likely=self._likely(flow) if flow.likens(tables) else {})

    def _likely(self, flow: AnyFlow) -> dict[str, str]:
        """Of vendors made in Airbase, which suppliers they may be; suppliers are read only when there is one."""
        pages = self._ends.source(flow.source).read_all()
        new = [sight.record for page in pages for sight in page.sights if sight.record is not None]
        try:
            found = likely(self._tenants.ifs, new)
        except RefusedError:  # a hint is worth no failure
            return {}
        return {key: ", ".join(f"supplier {one} ({why})" for one, why in ones) for key, ones in found.items() if ones}

    def _limited(self, flow: AnyFlow, gate: Gate | None) -> AnyFlow:
        given: dict[str, Any] = {k: v for k, v in msgspec.structs.asdict(gate or Gate()).items() if v is not None}
        if rules := self._tenants.read.rules:
            given |= {"late_waits": rules.late_needs_approval, "doubles": rules.duplicates}
        return msgspec.structs.replace(flow, policy=msgspec.structs.replace(flow.policy, **given))


def basis(own: Connection) -> str:
    """What mapping may depend on; not who is told of trouble, which flows are off, where records are shown."""
    profile = msgspec.structs.replace(own.profile, alerts=settings.Alerts(), web=settings.Web())
    told = msgspec.to_builtins(msgspec.structs.replace(own, profile=profile, off=()))
    return codec.digest([version("ml-connector"), told])
